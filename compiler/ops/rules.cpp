#include "compiler/ops/rules.h"

#include <algorithm>
#include <numeric>

namespace ganc {

std::string wrong_axes(const Axes& axes, std::size_t rank) {
  std::vector<bool> seen(rank);
  for (std::int64_t axis : axes) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) {
      return fmt::format("axis {} is not within rank {}", axis, rank);
    }
    if (seen[axis]) return fmt::format("axis {} stands twice", axis);
    seen[axis] = true;
  }
  return {};
}

bool contains(const Axes& axes, std::int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

Axes counting(std::size_t count, std::int64_t first) {
  Axes axes(count);
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

Axes all_but(const Axes& axes, std::size_t rank) {
  Axes rest;
  for (std::int64_t axis : counting(rank)) {
    if (!contains(axes, axis)) rest.push_back(axis);
  }
  return rest;
}

NodeId scale(Builder& b, NodeId x, double c) {
  return b.multiply(x, b.like(x, c));
}

NodeId permute(Builder& b, NodeId x, const Axes& permutation) {
  if (permutation == counting(permutation.size())) return x;
  return b.transpose(x, permutation);
}

std::optional<double> constant_value(const Builder& b, NodeId x) {
  while (b[x].op == Op::broadcast_in_dim || b[x].op == Op::reshape ||
         (b[x].op == Op::convert && is_real(b.dtype(x)) && is_real(b.dtype(b[x].operands[0])))) {
    x = b[x].operands[0];
  }
  if (b[x].op != Op::constant || b[x].attributes.values.size() != 1) return std::nullopt;
  return b[x].attributes.values[0];
}

Type f32(Shape shape) {
  return {DType::f32, std::move(shape)};
}
Type i32(Shape shape) {
  return {DType::i32, std::move(shape)};
}
Type u32(Shape shape) {
  return {DType::u32, std::move(shape)};
}
Type pred(Shape shape) {
  return {DType::pred, std::move(shape)};
}

}  // namespace ganc
