#include <algorithm>
#include <cmath>

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

namespace {

// Products within products that a rule looks through: each may be in both operands.
constexpr int factor_depth = 5;

// A sum over some axes and the type of what it leaves.
struct SumOver {
  const std::vector<std::int64_t>& axes;
  Type kept;
};

// What a node that does not change along the axes is on those that are kept; none: it does change.
NodeId on_kept_axes(Rewriter& r, NodeId id, const SumOver& sum) {
  if (const auto value = uniform_constant(r.graph(), id)) return r.constant(*value, sum.kept);
  if (is_uniform(r.graph(), id) && element_count(r.shape(id)) != 1) {
    NodeId one = id;
    while (element_count(r.shape(one)) != 1) one = r[one].operands[0];
    one = r.make(Op::reshape, {one}, {}, {sum.kept.dtype, {}});
    return r.make(Op::broadcast_in_dim, {one}, {}, sum.kept);
  }
  const Node node = r[id];
  if (node.op != Op::broadcast_in_dim || r.opaque(id)) return {};
  const Shape from = r.shape(node.operands[0]);
  Shape left;
  Attributes widen;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t axis = node.attributes.axes[i];
    if (contains(sum.axes, axis)) {
      if (from[i] != 1) return {};
      continue;
    }
    left.push_back(from[i]);
    widen.axes.push_back(
        axis - std::ranges::count_if(sum.axes, [&](std::int64_t summed) { return summed < axis; }));
  }
  NodeId source = node.operands[0];
  if (left != from) source = r.make(Op::reshape, {source}, {}, {node.type.dtype, left});
  if (left == sum.kept.shape && std::ranges::is_sorted(widen.axes)) return source;
  return r.make(Op::broadcast_in_dim, {source}, widen, sum.kept);
}

// What leaves a sum, in the order in which it is applied to what is left.
struct Factors {
  struct Factor {
    Op op;  // multiply or divide
    NodeId by;
  };
  std::vector<Factor> list;
  bool negative = false;

  bool any() const { return !list.empty() || negative; }
};

// `id` without its factors that are the same along the axes of the sum.
NodeId take_factors(Rewriter& r, NodeId id, const SumOver& sum, Factors& factors, int depth) {
  if (r.opaque(id) || depth == 0) return id;
  const Node node = r[id];
  const auto rest = [&](std::size_t i) {
    return take_factors(r, node.operands[i], sum, factors, depth - 1);
  };
  if (node.op == Op::negate) {
    factors.negative = !factors.negative;
    return rest(0);
  }
  if (node.op != Op::multiply && node.op != Op::divide) return id;
  if (const NodeId factor = on_kept_axes(r, node.operands[1], sum)) {
    factors.list.push_back({node.op, factor});
    return rest(0);
  }
  if (node.op == Op::divide) {
    const NodeId over = rest(0);
    return over == node.operands[0] ? id : r.make(Op::divide, {over, node.operands[1]});
  }
  if (const NodeId factor = on_kept_axes(r, node.operands[0], sum)) {
    factors.list.push_back({Op::multiply, factor});
    return rest(1);
  }
  const NodeId first = rest(0), second = rest(1);
  if (first == node.operands[0] && second == node.operands[1]) return id;
  return r.make(Op::multiply, {first, second});
}

NodeId with_factors(Rewriter& r, NodeId sum, const Factors& factors) {
  for (const auto& [op, by] : factors.list) sum = r.make(op, {sum, by});
  return factors.negative ? r.make(Op::negate, {sum}) : sum;
}

// Whether `mean`, on the kept axes, is sum(of) / n.
bool is_mean(const Rewriter& r, NodeId mean, NodeId of, const SumOver& sum) {
  const Node& node = r[mean];
  if (node.op != Op::multiply || r.opaque(mean)) return false;
  for (const std::size_t at : {0UZ, 1UZ}) {
    const Node& total = r[node.operands[at]];
    const auto scale = uniform_constant(r.graph(), node.operands[1 - at]);
    if (!scale || total.op != Op::reduce_sum || total.operands[0] != of ||
        total.attributes.axes != sum.axes)
      continue;
    const double rounding = node.type.dtype == DType::f64 ? 1e-12 : 1e-7;
    return std::abs(*scale * product_over(r.shape(of), sum.axes) - 1) < rounding;
  }
  return false;
}

// Whether a sum is 0 whatever the numbers are, if they are finite: of what is centred, x - mean(x),
// times what is the same along the axes.
bool sums_to_nothing(Rewriter& r, NodeId id, const SumOver& sum, int depth) {
  if (r.opaque(id) || depth == 0) return false;
  const Node node = r[id];
  const auto nothing = [&](std::size_t i) {
    return sums_to_nothing(r, node.operands[i], sum, depth - 1);
  };
  const auto same = [&](std::size_t i) { return bool(on_kept_axes(r, node.operands[i], sum)); };
  switch (node.op) {
    case Op::subtract:
      if (const NodeId mean = on_kept_axes(r, node.operands[1], sum);
          mean && is_mean(r, mean, node.operands[0], sum))
        return true;
      [[fallthrough]];
    case Op::add:
      return nothing(0) && nothing(1);
    case Op::negate:
      return nothing(0);
    case Op::multiply:
      return (same(1) && nothing(0)) || (same(0) && nothing(1));
    case Op::divide:
      return same(1) && nothing(0);
    default:
      return false;
  }
}

}  // namespace

// sum(c x / d) = c sum(x) / d, where c and d are the same along the axes: of n multiplies one is
// left, and sums that differ in such factors are one.
NodeId factors_leave_sum(Rewriter& r, const Node& node) {
  if (!is_real(node.type.dtype)) return {};
  const SumOver over{node.attributes.axes, node.type};
  Factors factors;
  const NodeId rest = take_factors(r, node.operands[0], over, factors, factor_depth);
  if (!factors.any()) return {};
  return with_factors(r, r.make(Op::reduce_sum, {rest}, reduced(over.axes)), factors);
}

namespace {

constexpr std::size_t max_terms = 8;

// What is added up to `id`. False: too many terms.
bool add_terms(const Rewriter& r, NodeId id, std::vector<NodeId>& terms) {
  if (r[id].op == Op::add && !r.opaque(id))
    return add_terms(r, r[id].operands[0], terms) && add_terms(r, r[id].operands[1], terms);
  terms.push_back(id);
  return terms.size() <= max_terms;
}

}  // namespace

// sum(x + y) = sum(x) + sum(y) where both are made anyway: a gain that normalises two batches has
// the sums that the derivatives of each ask for.
NodeId sum_of_known_sums(Rewriter& r, const Node& node) {
  std::vector<NodeId> terms;
  if (!is_real(node.type.dtype) || !add_terms(r, node.operands[0], terms) || terms.size() < 2)
    return {};
  const SumOver over{node.attributes.axes, node.type};
  NodeId sum;
  for (const NodeId term : terms) {
    Factors factors;
    const NodeId rest = take_factors(r, term, over, factors, factor_depth);
    const NodeId known = r.make(Op::reduce_sum, {rest}, reduced(over.axes));
    if (r[known].op != Op::reduce_sum || r.readers(known) == 0) return {};
    const NodeId of_term = with_factors(r, known, factors);
    sum = sum ? r.make(Op::add, {sum, of_term}) : of_term;
  }
  return sum;
}

// sum(x - mean(x)) = 0, and sum(y + c (x - mean(x))) = sum(y): what a mean adds to derivatives.
NodeId sum_of_centred(Rewriter& r, const Node& node) {
  const NodeId summed = node.operands[0];
  if (!is_real(node.type.dtype) || r.opaque(summed)) return {};
  const SumOver over{node.attributes.axes, node.type};
  if (sums_to_nothing(r, summed, over, factor_depth)) return r.constant(0, node.type);
  const Node inner = r[summed];
  if (inner.op != Op::add && inner.op != Op::subtract) return {};
  const auto sum = [&](std::size_t i) {
    return r.make(Op::reduce_sum, {inner.operands[i]}, reduced(node.attributes.axes));
  };
  if (sums_to_nothing(r, inner.operands[1], over, factor_depth)) return sum(0);
  if (!sums_to_nothing(r, inner.operands[0], over, factor_depth)) return {};
  return inner.op == Op::add ? sum(1) : r.make(Op::negate, {sum(1)});
}

// Numbers in a sum from which on it pays to read them once, with squares in f64.
constexpr double min_summed = 256;

// sum((x - mean(x))^2) = sum(x^2) - sum(x)^2 / n, in f64, where squares of f32 are exact: x is read
// once. What is lost where the mean is large is less than (x - mean(x))^2 loses in f32. Sums for
// each sample have samples as lanes, of which a vector holds half as many in f64: they gain
// nothing.
NodeId squares_of_centred(Rewriter& r, const Node& node) {
  const NodeId squares = node.operands[0];
  if (node.type.dtype != DType::f32 || r[squares].op != Op::multiply || r.opaque(squares))
    return {};
  const NodeId centred = r[squares].operands[0];
  if (r[squares].operands[1] != centred || r[centred].op != Op::subtract || r.opaque(centred))
    return {};
  const NodeId x = r[centred].operands[0];
  const SumOver over{node.attributes.axes, node.type};
  const double summed = product_over(r.shape(x), over.axes);
  if (summed < min_summed || !contains(over.axes, 0)) return {};
  const NodeId mean = on_kept_axes(r, r[centred].operands[1], over);
  if (!mean || !is_mean(r, mean, x, over)) return {};
  const NodeId wide = r.make(Op::convert, {x}, {}, {DType::f64, r.shape(x)});
  const auto sum = [&](NodeId of) { return r.make(Op::reduce_sum, {of}, reduced(over.axes)); };
  const NodeId first = sum(wide), second = sum(r.make(Op::multiply, {wide, wide}));
  const Type type{DType::f64, node.type.shape};
  const NodeId of_mean =
      r.make(Op::multiply, {r.make(Op::multiply, {first, first}), r.constant(1 / summed, type)});
  const NodeId rest =
      r.make(Op::maximum, {r.make(Op::subtract, {second, of_mean}), r.constant(0, type)});
  return r.make(Op::convert, {rest}, {}, node.type);
}

// A product with zeros is zeros.
NodeId contraction_with_zeros(Rewriter& r, const Node& node) {
  for (const NodeId operand : node.operands) {
    if (uniform_constant(r.graph(), operand) == 0.0) return r.constant(0, node.type);
  }
  return {};
}

}  // namespace ganc::rules
