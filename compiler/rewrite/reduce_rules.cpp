#include <algorithm>

#include "compiler/ops/op.h"
#include "compiler/rewrite/structural_rules.h"

namespace ganc::rules {
namespace {

bool contains(const std::vector<std::int64_t>& axes, std::int64_t axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

double product_over(const Shape& shape, const std::vector<std::int64_t>& axes) {
  double product = 1;
  for (const std::int64_t axis : axes)
    product *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
  return product;
}

Attributes reduced(std::vector<std::int64_t> axes) {
  return Attributes{.axes = std::move(axes)};
}

}  // namespace

// sum over axes of length 1 (or none) moves no number.
NodeId reduce_of_units(Rewriter& r, const Node& node) {
  const Shape& shape = r.shape(node.operands[0]);
  std::vector<std::int64_t> longer;
  for (const std::int64_t axis : node.attributes.axes) {
    if (shape[static_cast<std::size_t>(axis)] != 1) longer.push_back(axis);
  }
  if (longer.size() == node.attributes.axes.size()) return {};
  if (longer.empty()) return r.make(Op::reshape, {node.operands[0]}, {}, node.type);
  return {};
}

NodeId sum_of_sum(Rewriter& r, const Node& node) {
  const Node& inner = r[node.operands[0]];
  if (inner.op != node.op || r.opaque(node.operands[0])) return {};
  std::vector<std::int64_t> axes = inner.attributes.axes;
  const Shape& shape = r.shape(inner.operands[0]);
  std::int64_t kept = 0;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
    if (contains(inner.attributes.axes, axis)) continue;
    if (contains(node.attributes.axes, kept)) axes.push_back(axis);
    ++kept;
  }
  std::ranges::sort(axes);
  const NodeId source = inner.operands[0];
  return r.make(node.op, {source}, reduced(axes));
}

// What is repeated n times sums to n of it.
NodeId sum_of_broadcast(Rewriter& r, const Node& node) {
  const Node inner = r[node.operands[0]];
  const std::vector<std::int64_t>& sums = node.attributes.axes;
  if (const auto value = uniform_constant(r.graph(), node.operands[0])) {
    return r.constant(*value * product_over(inner.type.shape, sums), node.type);
  }
  if (inner.op != Op::broadcast_in_dim || r.opaque(node.operands[0])) return {};
  const NodeId source = inner.operands[0];
  const Shape from = r.shape(source);
  std::vector<std::int64_t> repeated, inner_sums;
  for (const std::int64_t axis : sums) {
    const auto at = std::ranges::find(inner.attributes.axes, axis);
    const auto source_axis = at - inner.attributes.axes.begin();
    const bool carried =
        at != inner.attributes.axes.end() && from[static_cast<std::size_t>(source_axis)] ==
                                                 inner.type.shape[static_cast<std::size_t>(axis)];
    if (carried) {
      inner_sums.push_back(source_axis);
    } else {
      repeated.push_back(axis);
    }
  }
  if (repeated.empty()) return {};
  std::ranges::sort(inner_sums);
  NodeId sum = inner_sums.empty() ? source : r.make(Op::reduce_sum, {source}, reduced(inner_sums));
  // The remaining axes of the broadcast, renumbered without those that are summed.
  Attributes widen;
  for (std::size_t i = 0; i < inner.attributes.axes.size(); ++i) {
    const std::int64_t axis = inner.attributes.axes[i];
    if (contains(inner_sums, static_cast<std::int64_t>(i))) continue;
    if (contains(sums, axis)) return {};  // of length 1, repeated and summed
    std::int64_t before = 0;
    for (const std::int64_t summed : sums) before += summed < axis ? 1 : 0;
    widen.axes.push_back(axis - before);
  }
  const double times = product_over(inner.type.shape, repeated);
  sum = r.make(Op::multiply, {sum, r.constant(times, r[sum].type)});
  return r.make(Op::broadcast_in_dim, {sum}, widen, node.type);
}

// sum(c x) = c sum(x): n multiplies become one.
NodeId scale_leaves_sum(Rewriter& r, const Node& node) {
  const Node inner = r[node.operands[0]];
  if (r.opaque(node.operands[0]) || !is_real(node.type.dtype)) return {};
  if (inner.op == Op::negate) {
    const NodeId sum = r.make(Op::reduce_sum, {inner.operands[0]}, reduced(node.attributes.axes));
    return r.make(Op::negate, {sum});
  }
  if (inner.op != Op::multiply) return {};
  for (const std::size_t at : {0UZ, 1UZ}) {
    const NodeId factor = inner.operands[at];
    if (!is_uniform(r.graph(), factor)) continue;
    const NodeId sum =
        r.make(Op::reduce_sum, {inner.operands[1 - at]}, reduced(node.attributes.axes));
    NodeId scale = factor;
    if (const auto value = uniform_constant(r.graph(), factor)) {
      scale = r.constant(*value, node.type);
    } else {
      while (element_count(r.shape(scale)) != 1) scale = r[scale].operands[0];
      scale = r.make(Op::reshape, {scale}, {}, {node.type.dtype, {}});
      scale = r.make(Op::broadcast_in_dim, {scale}, {}, node.type);
    }
    return r.make(Op::multiply, {sum, scale});
  }
  return {};
}

// A product with zeros is zeros.
NodeId contraction_with_zeros(Rewriter& r, const Node& node) {
  for (const NodeId operand : node.operands) {
    if (uniform_constant(r.graph(), operand) == 0.0) return r.constant(0, node.type);
  }
  return {};
}

}  // namespace ganc::rules
