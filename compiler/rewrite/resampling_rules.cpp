#include <algorithm>
#include <numeric>

#include "compiler/ops/op.h"
#include "compiler/rewrite/rules.h"

// To repeat elements and to sum neighbours are convolutions with a box, and a box joins a filter:
// along one axis w = [a, b, c] with the box [1, 1] is [a, a + b, b + c, c]. What was convolved at
// the higher resolution is then convolved from or to the lower one.
namespace ganc {
namespace {

using Lengths = std::vector<std::int64_t>;  // of the spatial axes, from axis 2 on
using Axes = std::vector<std::int64_t>;

// Taps of 1, `step` apart.
struct Box {
  std::int64_t count = 1, step = 1;
};

// A convolution into whose filter boxes are joined, one an axis.
struct Joined {
  NodeId image;  // has as many elements as image_shape
  Shape image_shape, filter_shape, result_shape;
  Attributes attributes;
  std::vector<Box> boxes;
};

// A node that vanishes with its one reader: nothing else reads it or differentiates by it.
bool is_inner(const Rewriter& r, NodeId id, Op op) {
  return r[id].op == op && !r.opaque(id) && r.readers(id) <= 1;
}

// The lengths k where `split` is [N, C, n, k, ..] of `whole` [N, C, n k, ..]; none where it is not,
// or all are 1.
Lengths inner_lengths(const Shape& whole, const Shape& split) {
  if (whole.size() < 3 || split.size() != 2 * whole.size() - 2) return {};
  Shape joined(split.begin(), split.begin() + 2);
  Lengths inner;
  for (std::size_t i = 2; i < split.size(); i += 2) {
    joined.push_back(split[i] * split[i + 1]);
    inner.push_back(split[i + 1]);
  }
  const bool trivial = std::ranges::max(inner) == 1 || std::ranges::min(inner) == 0;
  return joined == whole && !trivial ? inner : Lengths{};
}

// [N, C, n k, ..] -> [N, C, n, ..]
Shape divided(Shape shape, const Lengths& by) {
  for (std::size_t i = 0; i < by.size(); ++i) shape[i + 2] /= by[i];
  return shape;
}

// The axes of the k.
Axes inner_axes(const Lengths& inner) {
  Axes axes;
  for (std::size_t i = 0; i < inner.size(); ++i)
    axes.push_back(static_cast<std::int64_t>(2 * i + 3));
  return axes;
}

NodeId shaped(Rewriter& r, NodeId id, const Shape& shape) {
  if (r.shape(id) == shape) return id;
  return r.make(Op::reshape, {id}, {}, {r[id].type.dtype, shape});
}

double count(const Shape& shape) {
  return static_cast<double>(element_count(shape));
}

// Multiplications, none by padding or by the holes of a dilation.
double multiplications(const Shape& image, const Shape& filter, const Shape& result,
                       const std::vector<Window>& windows) {
  double total = static_cast<double>(result[0] * result[1] * filter[1]);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Window& w = windows[i];
    std::int64_t taps = 0;
    for (std::int64_t p = 0; p < result[i + 2]; ++p) {
      for (std::int64_t k = 0; k < filter[i + 2]; ++k) {
        const std::int64_t at = p * w.stride + k * w.rhs_dilation - w.pad_low;
        if (at >= 0 && at % w.lhs_dilation == 0 && at / w.lhs_dilation < image[i + 2]) ++taps;
      }
    }
    total *= static_cast<double>(taps);
  }
  return total;
}

// Sets what the box makes of one axis of window and filter: taps at the common steps of both.
void join(Joined& joined, std::size_t axis, const Box& box) {
  Window& w = joined.attributes.windows[axis];
  std::int64_t& taps = joined.filter_shape[axis + 2];
  const std::int64_t step = std::gcd(w.rhs_dilation, box.step);
  taps = ((taps - 1) * w.rhs_dilation + (box.count - 1) * box.step) / step + 1;
  w.rhs_dilation = step;
  joined.boxes[axis] = box;
}

Joined not_joined(const Rewriter& r, const Node& convolution) {
  return {
      convolution.operands[0],          r.shape(convolution.operands[0]),
      r.shape(convolution.operands[1]), convolution.type.shape,
      convolution.attributes,           std::vector<Box>(convolution.attributes.windows.size())};
}

// Whether the sums of the filter's taps are fewer operations than they save.
bool saves(const Rewriter& r, const Node& convolution, const Joined& joined) {
  double terms = count(joined.filter_shape);
  for (const Box& box : joined.boxes) terms *= static_cast<double>(box.count);
  return multiplications(joined.image_shape, joined.filter_shape, joined.result_shape,
                         joined.attributes.windows) +
             terms <
         multiplications(r.shape(convolution.operands[0]), r.shape(convolution.operands[1]),
                         convolution.type.shape, convolution.attributes.windows);
}

// The filter, its taps `dilation` apart along `axis`, convolved with the box.
NodeId joined_filter(Rewriter& r, NodeId filter, std::size_t axis, std::int64_t dilation,
                     const Box& box) {
  const std::int64_t step = std::gcd(dilation, box.step);
  const Axes none(r.shape(filter).size(), 0);
  const NodeId zero = r.constant(0, {r[filter].type.dtype, {}});
  NodeId sum;
  for (std::int64_t k = 0; k < box.count; ++k) {
    Attributes shift{.low = none, .high = none, .interior = none};
    shift.low[axis] = k * box.step / step;
    shift.high[axis] = (box.count - 1 - k) * box.step / step;
    shift.interior[axis] = dilation / step - 1;
    const NodeId shifted = r.make(Op::pad, {filter, zero}, shift);
    sum = sum ? r.make(Op::add, {sum, shifted}) : shifted;
  }
  return sum;
}

NodeId make(Rewriter& r, const Node& convolution, const Joined& joined) {
  NodeId filter = convolution.operands[1];
  for (std::size_t i = 0; i < joined.boxes.size(); ++i) {
    if (joined.boxes[i].count == 1) continue;
    const std::int64_t dilation = convolution.attributes.windows[i].rhs_dilation;
    filter = joined_filter(r, filter, i + 2, dilation, joined.boxes[i]);
  }
  return r.make(Op::convolution, {shaped(r, joined.image, joined.image_shape), filter},
                joined.attributes);
}

// Whether a broadcast [N, C, n, k, ..] only repeats every element along the axes of the k.
bool repeats_elements(const Rewriter& r, const Node& broadcast, const Lengths& by) {
  const Shape& from = r.shape(broadcast.operands[0]);
  const Axes& axes = broadcast.attributes.axes;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] > 1 && axes[i] >= 2 && axes[i] % 2 == 1) return false;
  const std::int64_t times =
      std::accumulate(by.begin(), by.end(), std::int64_t{1}, std::multiplies{});
  return std::ranges::is_sorted(axes) &&
         element_count(from) * times == element_count(broadcast.type.shape);
}

// Whether the convolution works at one place at a time along the axes whose length is not 1.
bool is_pointwise(const Rewriter& r, const Node& convolution, const Lengths& lengths) {
  const Shape& filter = r.shape(convolution.operands[1]);
  for (std::size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i] > 1 && (filter[i + 2] != 1 || convolution.attributes.windows[i] != Window{}))
      return false;
  return true;
}

// [N, C, n, ..] -> [N, C, n k, ..]
NodeId repeat(Rewriter& r, NodeId id, const Lengths& times) {
  const Type type = r[id].type;
  Shape split(type.shape.begin(), type.shape.begin() + 2), whole = split;
  Axes axes = {0, 1};
  for (std::size_t i = 0; i < times.size(); ++i) {
    axes.push_back(static_cast<std::int64_t>(split.size()));
    split.insert(split.end(), {type.shape[i + 2], times[i]});
    whole.push_back(type.shape[i + 2] * times[i]);
  }
  const NodeId repeated =
      r.make(Op::broadcast_in_dim, {id}, {.axes = axes}, {type.dtype, std::move(split)});
  return r.make(Op::reshape, {repeated}, {}, {type.dtype, std::move(whole)});
}

NodeId convolution_of_repeated(Rewriter& r, const Node& node) {
  const NodeId repeated = node.operands[0];
  if (!is_inner(r, repeated, Op::reshape)) return {};
  const NodeId split = r[repeated].operands[0];
  if (!is_inner(r, split, Op::broadcast_in_dim)) return {};
  const Lengths times = inner_lengths(r.shape(repeated), r.shape(split));
  if (times.empty() || !repeats_elements(r, r[split], times)) return {};
  const NodeId image = r[split].operands[0];
  const Shape shape = divided(r.shape(repeated), times);
  if (is_pointwise(r, node, times)) {
    const NodeId filter = node.operands[1];
    return repeat(r, r.make(Op::convolution, {shaped(r, image, shape), filter}, node.attributes),
                  times);
  }

  Joined joined = not_joined(r, node);
  joined.image = image;
  joined.image_shape = shape;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 1) continue;
    Window& w = joined.attributes.windows[i];
    const Box box{times[i], w.lhs_dilation};
    join(joined, i, box);
    w.pad_low += (box.count - 1) * box.step;
    w.pad_high += (box.count - 1) * box.step;
    w.lhs_dilation *= box.count;
  }
  return saves(r, node, joined) ? make(r, node, joined) : NodeId{};
}

// A convolution and the sums of its result over windows of these sizes that tile it.
Joined joined_with_sums(const Rewriter& r, const Node& convolution, const Lengths& sizes) {
  Joined joined = not_joined(r, convolution);
  joined.result_shape = divided(joined.result_shape, sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 1) continue;
    Window& w = joined.attributes.windows[i];
    join(joined, i, {sizes[i], w.stride});
    w.stride *= sizes[i];
  }
  return joined;
}

// Whether a broadcast has one value in each window.
bool is_even(const Rewriter& r, const Node& broadcast, const Lengths& sizes) {
  const Shape& from = r.shape(broadcast.operands[0]);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto axis = static_cast<std::size_t>(broadcast.attributes.axes[i]);
    if (axis >= 2 && sizes[axis - 2] > 1 && from[i] > 1) return false;
  }
  return true;
}

// Whether the sums over windows of a value can be had without the value.
bool has_sums(const Rewriter& r, NodeId id, const Lengths& sizes) {
  const Node& node = r[id];
  if (is_inner(r, id, Op::add))
    return has_sums(r, node.operands[0], sizes) && has_sums(r, node.operands[1], sizes);
  if (is_inner(r, id, Op::convolution))
    return is_pointwise(r, node, sizes) || saves(r, node, joined_with_sums(r, node, sizes));
  return node.op == Op::broadcast_in_dim && !r.opaque(id) && is_even(r, node, sizes);
}

// [N, C, n k, ..] -> [N, C, n, ..]
NodeId window_sums(Rewriter& r, NodeId id, const Lengths& sizes) {
  const Type type = r[id].type;
  Shape split(type.shape.begin(), type.shape.begin() + 2);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    split.insert(split.end(), {type.shape[i + 2] / sizes[i], sizes[i]});
  return r.make(Op::reduce_sum, {shaped(r, id, split)}, {.axes = inner_axes(sizes)});
}

// The same without the value; it has_sums.
NodeId direct_sums(Rewriter& r, NodeId id, const Lengths& sizes) {
  const Node node = r[id];
  if (node.op == Op::add) {
    const NodeId left = direct_sums(r, node.operands[0], sizes),
                 right = direct_sums(r, node.operands[1], sizes);
    r.set_origin(node.origin);
    return r.make(Op::add, {left, right});
  }
  r.set_origin(node.origin);
  if (node.op == Op::convolution) {
    if (!is_pointwise(r, node, sizes)) return make(r, node, joined_with_sums(r, node, sizes));
    const NodeId image = window_sums(r, node.operands[0], sizes);
    return r.make(Op::convolution, {image, node.operands[1]}, node.attributes);
  }
  const double times = std::accumulate(sizes.begin(), sizes.end(), 1.0, std::multiplies{});
  const NodeId one = node.operands[0];
  const NodeId scaled = r.make(Op::multiply, {one, r.constant(times, r[one].type)});
  return r.make(Op::broadcast_in_dim, {scaled}, node.attributes,
                {node.type.dtype, divided(node.type.shape, sizes)});
}

NodeId sums_of_convolution(Rewriter& r, const Node& node) {
  const NodeId split = node.operands[0];
  if (!is_inner(r, split, Op::reshape)) return {};
  const NodeId whole = r[split].operands[0];
  const Lengths sizes = inner_lengths(r.shape(whole), r.shape(split));
  if (sizes.empty() || node.attributes.axes != inner_axes(sizes) || !has_sums(r, whole, sizes))
    return {};
  return direct_sums(r, whole, sizes);
}

}  // namespace

std::span<const StructuralRule> resampling_rules() {
  static constexpr StructuralRule table[] = {
      // 3x3 behind up-sampling by 2: 4 of 16 taps meet an element, in place of 9.
      {"convolution_of_repeated", Op::convolution, convolution_of_repeated,
       "graph f(%x: f32[2,3,4,5], %w: f32[4,3,3,3]) {\n"
       "  %b = broadcast_in_dim %x {axes=[0, 1, 2, 4]} : f32[2,3,4,2,5,2]\n"
       "  %u = reshape %b : f32[2,3,8,10]\n"
       "  %y = convolution %u, %w {windows=[{pad_low=1, pad_high=1}, {pad_low=1, pad_high=1}]}\n"
       "  return %y\n"
       "}\n"},
      // 3x3 before pooling by 2: 16 multiplications an element of the result, in place of 36.
      {"sums_of_convolution", Op::reduce_sum, sums_of_convolution,
       "graph f(%x: f32[2,3,8,6], %w: f32[4,3,3,3], %b: f32[4]) {\n"
       "  %y = convolution %x, %w {windows=[{pad_low=1, pad_high=1}, {pad_low=1, pad_high=1}]}\n"
       "  %c = broadcast_in_dim %b {axes=[1]} : f32[2,4,8,6]\n"
       "  %h = add %y, %c\n"
       "  %s = reshape %h : f32[2,4,4,2,3,2]\n"
       "  %p = reduce_sum %s {axes=[3, 5]}\n"
       "  return %p\n"
       "}\n"},
  };
  return table;
}

}  // namespace ganc
