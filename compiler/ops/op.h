#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph/builder.h"
#include "compiler/graph/graph.h"
#include "compiler/ops/scalar.h"

namespace ganc {

// A tensor of the reference interpreter: every dtype in doubles (exact for i32, u32 and pred),
// row-major.
struct Value {
  Type type;
  std::vector<double> data;
};

// A shape rule's answer: the result's type, or what is wrong in one sentence.
struct TypeOrError {
  std::optional<Type> type;
  std::string error;
};

// The derivative by each operand, in terms of ops; none: zero, or not differentiable (an index, a
// predicate).
using Gradients = std::vector<NodeId>;

enum class OpClass { leaf, elementwise, movement, reduce, contract, index, symbolic };

// A graph for the numeric tests of an op: operand types with the range that values are drawn from.
struct Sample {
  struct Operand {
    Type type;
    double low = -2, high = 2;
  };
  std::vector<Operand> operands;
  Attributes attributes = {};
  Type type = {};  // where the op reads it (reshape, broadcast_in_dim, convert, ...)
};

// Which attributes an op reads, as bits; the verifier wants the others at their defaults.
namespace reads {
constexpr std::uint32_t axes = 1, slice = 2 /* start, limit, stride */,
                        padding = 4 /* low, high, interior */,
                        dot = 8 /* batch and contracted axes */, windows = 16 /* and groups */,
                        batch = 32, size = 64, comparison = 128, stream = 256, values = 512,
                        name = 1024;
}  // namespace reads

// An op's whole definition, in one place. Printer, parser, shapes, derivative, code and tests come
// from it.
struct OpDefinition {
  Op op;
  std::string_view name;  // in graph text
  OpClass op_class;
  int arity;  // -1: any number
  TypeOrError (*type)(std::span<const Type> operands, const Attributes& attributes,
                      const Type& given);
  // Null: no derivative flows to any operand. `y` is the node itself, `dy` the derivative by it.
  Gradients (*gradient)(Builder& b, const Node& node, NodeId y, NodeId dy);
  // Elementwise ops only: one element of the result.
  ScalarId (*scalar)(ScalarBuilder& s, const Node& node, std::span<const ScalarId> operands);
  // In float64. Null for `input` and `grad`.
  Value (*reference)(const Node& node, std::span<const Value* const> operands);
  std::vector<Sample> samples;
  std::uint32_t attributes = 0;  // of `reads`
};

const OpDefinition& definition(Op op);
std::optional<Op> op_named(std::string_view name);
std::span<const OpDefinition* const> all_ops();

// The type of such a node, or what is wrong with it: the arity, the ranges of all numbers, then the
// op's own rule. An axis has at most 2^31 - 1 elements, a tensor at most 2^40.
TypeOrError infer_type(Op op, std::span<const Type> operands, const Attributes& attributes,
                       const Type& given);

}  // namespace ganc
