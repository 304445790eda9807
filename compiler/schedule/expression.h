#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "compiler/schedule/index.h"
#include "compiler/schedule/program.h"

namespace ganc::planning {

// The inlined computation of one kernel, with symbolic indices: what stands between graph and
// kernel IR.

struct ExprId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
  auto operator<=>(const ExprId&) const = default;
};

enum class ExprKind : std::uint8_t {
  constant,       // number
  apply,          // op of operands
  load,           // tensor at index, where mask holds (none: everywhere)
  philox,         // operands seed low, seed high, step; element at index; stream
  pair,           // operands as bf16 in one u32; integer as in ValueKind::pair
  from_index,     // index as dtype
  compare_index,  // comparison of index with integer
  accumulator,    // number `integer` of the kernel
  contraction,    // the sum of a contraction, in its epilogue
};

struct Expr {
  ExprKind kind;
  DType dtype = DType::f32;
  Op op = Op::add;
  Comparison comparison = Comparison::equal;
  double number = 0;
  std::int64_t integer = 0;
  std::uint32_t tensor = no_tensor;
  IndexId index;
  ExprId mask;
  std::vector<ExprId> operands;
  bool operator==(const Expr&) const;
};

class Expressions {
 public:
  ExprId add(Expr e);
  const Expr& operator[](ExprId id) const { return all_[id.index]; }
  std::size_t size() const { return all_.size(); }

  ExprId constant(double number, DType dtype);
  ExprId apply(Op op, DType dtype, std::vector<ExprId> operands);
  ExprId both(ExprId a, ExprId b);  // of masks; none is "everywhere"
  // Whether 0 <= index < extent, as far as its range leaves that open.
  ExprId inside(const IndexSpace& space, IndexId index, std::int64_t extent, ExprId mask);

 private:
  std::vector<Expr> all_;
  std::unordered_multimap<std::size_t, ExprId> seen_;
};

// Writes the value of a node at an index as an expression, through everything that is not in
// memory.
class Emitter {
 public:
  Emitter(const ProgramDraft& program, IndexSpace& space, Expressions& expressions)
      : program_(program), space_(space), expressions_(expressions) {}

  // From here on `node` at `at` is `value`, not a load.
  void give(NodeId node, const std::vector<IndexId>& at, ExprId value);
  ExprId emit(NodeId node, const std::vector<IndexId>& at, ExprId mask = {});
  // The node by its own definition even where it has (or will have) memory.
  ExprId emit_definition(NodeId node, const std::vector<IndexId>& at, ExprId mask = {});
  // An element of the result of a contraction as one product: `free` is its index, `reduced` the
  // contracted axes of dot_general, or channel and taps of a convolution.
  ExprId emit_product(NodeId node, const std::vector<IndexId>& free,
                      const std::vector<IndexId>& reduced);

  IndexId offset(const Tensor& tensor, const std::vector<IndexId>& at);

 private:
  ExprId emit_movement(const Node& node, const std::vector<IndexId>& at, ExprId mask);
  ExprId emit_pad(const Node& node, const std::vector<IndexId>& at, ExprId mask);
  ExprId emit_concatenate(const Node& node, const std::vector<IndexId>& at, ExprId mask);
  ExprId emit_gather(const Node& node, const std::vector<IndexId>& at, ExprId mask);
  ExprId emit_random(const Node& node, const std::vector<IndexId>& at);
  ExprId emit_elementwise(const Node& node, const std::vector<IndexId>& at, ExprId mask);
  std::vector<IndexId> reshaped(const Shape& from, const Shape& to, const std::vector<IndexId>& at);

  struct Key {
    NodeId node;
    ExprId mask;
    std::vector<IndexId> at;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  const ProgramDraft& program_;
  IndexSpace& space_;
  Expressions& expressions_;
  std::unordered_map<Key, ExprId, KeyHash> known_;
};

}  // namespace ganc::planning
