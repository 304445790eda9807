#include "tests/layers/layer_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/autodiff/differentiate.h"
#include "compiler/rewrite/rewrite.h"
#include "compiler/schedule/contraction.h"

namespace ganc::test {
namespace {

std::int64_t outputs(const LayerShape::Axis& axis) {
  const Window& w = axis.window;
  const std::int64_t padded = (axis.size - 1) * w.lhs_dilation + 1 + w.pad_low + w.pad_high;
  const std::int64_t room = padded - (axis.taps - 1) * w.rhs_dilation - 1;
  return room < 0 ? 0 : room / w.stride + 1;
}

// Of an axis: pairs that meet, and input positions in them.
struct Meetings {
  double pairs = 0, inputs = 0;
};
Meetings meetings(const LayerShape::Axis& axis) {
  planning::SpatialAxis spatial;
  spatial.window = axis.window;
  spatial.outputs = outputs(axis);
  spatial.lhs_extent = axis.size;
  spatial.rhs_extent = axis.taps;
  Meetings found;
  std::set<std::int32_t> inputs;
  for (const auto& row : planning::meeting_positions(spatial)) {
    found.pairs += static_cast<double>(row.size());
    for (const auto& [x, tap] : row) inputs.insert(x);
  }
  found.inputs = static_cast<double>(inputs.size());
  return found;
}

double real(std::int64_t x) {
  return static_cast<double>(x);
}

// [in, out / groups, taps..] -> [out, in / groups, taps..], reversed along the taps.
NodeId transposed_kernel(Builder& b, const LayerShape& shape, NodeId w) {
  const std::int64_t g = shape.groups;
  Shape split = {g, shape.in / g, shape.out / g}, joined = {shape.out, shape.in / g};
  std::vector<std::int64_t> order = {0, 2, 1}, spatial;
  for (std::size_t i = 0; i < shape.axes.size(); ++i) {
    split.push_back(shape.axes[i].taps);
    joined.push_back(shape.axes[i].taps);
    order.push_back(static_cast<std::int64_t>(i) + 3);
    spatial.push_back(static_cast<std::int64_t>(i) + 2);
  }
  return b.reverse(b.reshape(b.transpose(b.reshape(w, split), order), joined), spatial);
}

std::int64_t log_uniform(Random& random, std::int64_t low, std::int64_t high) {
  const double x = random.uniform(std::log(real(low)), std::log(real(high + 1)));
  return std::min(high, static_cast<std::int64_t>(std::exp(x)));
}

void draw_channels(Random& random, LayerShape& shape) {
  shape.in = log_uniform(random, 1, 600);
  shape.out = log_uniform(random, 1, 600);
  if (!random.chance(0.2)) return;
  shape.groups = random.chance(0.5) ? shape.in : log_uniform(random, 2, 8);
  const auto channels = [&](std::int64_t wanted) {
    return shape.groups * std::max<std::int64_t>(wanted / shape.groups, 1);
  };
  shape.in = channels(shape.in);
  shape.out = channels(shape.out);
}

LayerShape::Axis random_axis(Random& random, bool transposed) {
  LayerShape::Axis axis{log_uniform(random, 1, 97), log_uniform(random, 1, 7), {}};
  Window& w = axis.window;
  const std::int64_t stride = log_uniform(random, 1, 3);
  if (transposed) {
    w.lhs_dilation = stride;
    w.pad_low = axis.taps - 1 - random.integer(0, (axis.taps - 1) / 2);
    w.pad_high = w.pad_low + random.integer(0, stride - 1);
    return axis;
  }
  w.stride = stride;
  w.rhs_dilation = random.chance(0.2) ? 2 : 1;
  w.pad_low = random.integer(0, (axis.taps - 1) * w.rhs_dilation / 2);
  w.pad_high = w.pad_low + random.integer(0, 1);
  return axis;
}

LayerShape any_layer_shape(Random& random) {
  LayerShape shape;
  shape.batch = log_uniform(random, 1, 130);
  if (random.chance(0.15)) {
    shape.in = log_uniform(random, 1, 600);
    shape.out = log_uniform(random, 1, 600);
    return shape;
  }
  draw_channels(random, shape);
  shape.transposed = random.chance(0.25);
  const auto rank = static_cast<std::size_t>(random.chance(0.25) ? 1 : 2);
  shape.axes.assign(rank, random_axis(random, shape.transposed));
  if (random.chance(0.5)) shape.axes.back() = random_axis(random, shape.transposed);
  return shape;
}

}  // namespace

Type data_type(const LayerShape& shape, DType real) {
  Type type{real, {shape.batch, shape.in}};
  for (const LayerShape::Axis& axis : shape.axes) type.shape.push_back(axis.size);
  return type;
}

Type weight_type(const LayerShape& shape, DType real) {
  if (shape.axes.empty()) return {real, {shape.in, shape.out}};
  const std::int64_t first = shape.transposed ? shape.in : shape.out,
                     second = shape.transposed ? shape.out : shape.in;
  Type type{real, {first, second / shape.groups}};
  for (const LayerShape::Axis& axis : shape.axes) type.shape.push_back(axis.taps);
  return type;
}

NodeId add_layer(Builder& b, const LayerShape& shape, NodeId x, NodeId w) {
  if (shape.axes.empty()) return b.dot_general(x, w, {}, {}, {1}, {0});
  std::vector<Window> windows;
  for (const LayerShape::Axis& axis : shape.axes) windows.push_back(axis.window);
  if (shape.transposed) w = transposed_kernel(b, shape, w);
  return b.convolution(x, w, windows, shape.groups);
}

std::string_view name(LayerProduct product) {
  switch (product) {
    case LayerProduct::forward:
      return "forward";
    case LayerProduct::data_gradient:
      return "data gradient";
    case LayerProduct::weight_gradient:
      return "weight gradient";
  }
  __builtin_unreachable();
}

Graph product_graph(const LayerShape& shape, LayerProduct product) {
  Graph graph;
  graph.name = name(product);
  Builder b(graph);
  const NodeId x = b.input("data/x", data_type(shape)),
               w = b.input("variable/w", weight_type(shape)), y = add_layer(b, shape, x, w);
  if (product == LayerProduct::forward) {
    b.output("out/y", y);
    return rewrite(differentiate(graph));
  }
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < b.shape(y).size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  const NodeId loss = b.reduce_sum(b.multiply(y, b.input("data/dy", b.type(y))), axes);
  if (product == LayerProduct::data_gradient)
    b.output("out/dx", b.grad(loss, x));
  else
    b.output("grad/D/w", b.grad(loss, w));
  return rewrite(differentiate(graph));
}

bool fits(const LayerShape& shape) {
  return std::ranges::all_of(shape.axes,
                             [](const LayerShape::Axis& axis) { return outputs(axis) > 0; });
}

double products(const LayerShape& shape) {
  double count = real(shape.batch) * real(shape.in) * real(shape.out / shape.groups);
  for (const LayerShape::Axis& axis : shape.axes) count *= meetings(axis).pairs;
  return count;
}

double moved_elements(const LayerShape& shape, bool all_of_x) {
  double x = real(shape.batch * shape.in), y = real(shape.batch * shape.out),
         w = real(element_count(weight_type(shape).shape));
  for (const LayerShape::Axis& axis : shape.axes) {
    x *= all_of_x ? real(axis.size) : meetings(axis).inputs;
    y *= real(outputs(axis));
  }
  return x + w + y;
}

std::string describe(const LayerShape& shape) {
  std::string sizes, taps, strides, holes, pads;
  bool strided = false, holed = false;
  for (std::size_t i = 0; i < shape.axes.size(); ++i) {
    const LayerShape::Axis& axis = shape.axes[i];
    const Window& w = axis.window;
    const char* by = i == 0 ? "" : "x";
    const std::int64_t stride = shape.transposed ? w.lhs_dilation : w.stride;
    sizes += fmt::format("{}{}", by, axis.size);
    taps += fmt::format("{}{}", by, axis.taps);
    strides += fmt::format("{}{}", by, stride);
    holes += fmt::format("{}{}", by, w.rhs_dilation);
    pads += fmt::format("{}{}+{}", i == 0 ? "" : ",", w.pad_low, w.pad_high);
    strided |= stride > 1;
    holed |= w.rhs_dilation > 1;
  }
  const std::string channels = fmt::format("{}x {}->{}", shape.batch, shape.in, shape.out);
  if (shape.axes.empty()) return channels + " dense";
  return fmt::format("{} at {} {}{}{}{}{} pad {}", channels, sizes, taps,
                     shape.transposed ? " transposed" : "", strided ? " /" + strides : "",
                     holed ? " holes " + holes : "",
                     shape.groups > 1 ? fmt::format(" groups {}", shape.groups) : "", pads);
}

LayerShape random_layer_shape(Random& random, const LayerRange& range) {
  while (true) {
    LayerShape shape = any_layer_shape(random);
    if (!fits(shape)) continue;
    const double count = products(shape);
    if (count >= range.least_products && count <= range.most_products &&
        moved_elements(shape, true) <= range.most_elements)
      return shape;
  }
}

}  // namespace ganc::test
