#pragma once

#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/ops/op.h"

// What the families' type and gradient rules are written with.
namespace ganc {

using Types = std::span<const Type>;
using Operands = std::span<const Value* const>;
using Axes = std::vector<std::int64_t>;

template <class... Arguments>
TypeOrError wrong(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return {.type = std::nullopt,
          .error = fmt::format(format, std::forward<Arguments>(arguments)...)};
}

inline TypeOrError right(DType dtype, Shape shape) {
  return {.type = Type{dtype, std::move(shape)}, .error = {}};
}

// Says what is wrong with axes that must be distinct and within a rank; empty: nothing.
std::string wrong_axes(const Axes& axes, std::size_t rank);

bool contains(const Axes& axes, std::int64_t axis);
Axes counting(std::size_t count, std::int64_t first = 0);  // first, first + 1, ...
Axes all_but(const Axes& axes, std::size_t rank);          // ascending

// c * x
NodeId scale(Builder& b, NodeId x, double c);
// transpose, and x itself for the identity
NodeId permute(Builder& b, NodeId x, const Axes& permutation);
// The number that every element of x is, seen through broadcasts, reshapes and conversions between
// reals.
std::optional<double> constant_value(const Builder& b, NodeId x);

// Samples: shapes of f32 operands with one range of values.
Type f32(Shape shape);
Type i32(Shape shape);
Type u32(Shape shape);
Type pred(Shape shape);

}  // namespace ganc
