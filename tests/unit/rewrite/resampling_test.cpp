#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/autodiff/differentiate.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "tests/unit/graph_golden.h"
#include "tests/unit/random_value.h"

namespace ganc {
namespace {

using test::Random;

struct Layer {
  Shape image, filter;  // the image at its own resolution
  std::vector<Window> windows;
  std::vector<std::int64_t> repeats;  // of the elements along each spatial axis
  std::vector<std::int64_t> sums;     // of the result along each
  std::int64_t groups = 1;
  bool bias = false;
};

// Axis i + 2 becomes two, the second of length by[i].
Shape split(const Shape& shape, const std::vector<std::int64_t>& by, bool divide) {
  Shape result(shape.begin(), shape.begin() + 2);
  for (std::size_t i = 0; i < by.size(); ++i)
    result.insert(result.end(), {divide ? shape[i + 2] / by[i] : shape[i + 2], by[i]});
  return result;
}

NodeId repeated(Builder& b, NodeId x, const std::vector<std::int64_t>& times) {
  Shape whole = b.shape(x);
  std::vector<std::int64_t> axes = {0, 1};
  for (std::size_t i = 0; i < times.size(); ++i) {
    whole[i + 2] *= times[i];
    axes.push_back(static_cast<std::int64_t>(2 * i + 2));
  }
  return b.reshape(b.broadcast_in_dim(x, split(b.shape(x), times, false), axes), whole);
}

NodeId window_sums(Builder& b, NodeId x, const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    axes.push_back(static_cast<std::int64_t>(2 * i + 3));
  return b.reduce_sum(b.reshape(x, split(b.shape(x), sizes, true)), axes);
}

// Outputs: the layer under a tanh, and what `with_gradients` adds. Sums are none where they do not
// tile the result.
Graph graph_of(const Layer& layer) {
  Graph graph;
  graph.name = "layer";
  Builder b(graph);
  const NodeId x = b.input("x", {DType::f64, layer.image});
  const NodeId w = b.input("w", {DType::f64, layer.filter});
  NodeId y = b.convolution(repeated(b, x, layer.repeats), w, layer.windows, layer.groups);
  std::vector<NodeId> inputs = {x, w};
  if (layer.bias) {
    inputs.push_back(b.input("b", {DType::f64, {layer.filter[0]}}));
    y = b.add(y, b.broadcast_in_dim(inputs.back(), b.shape(y), {1}));
  }
  bool tiles = true;
  for (std::size_t i = 0; i < layer.sums.size(); ++i)
    tiles = tiles && b.shape(y)[i + 2] % layer.sums[i] == 0;
  if (tiles) y = window_sums(b, y, layer.sums);
  y = b.unary(Op::tanh, y);
  b.output("y", y);

  // The gradients, and those of the sum of their squares.
  NodeId squares;
  for (const NodeId input : inputs) {
    const NodeId gradient = b.grad(y, input);
    b.output("by_" + b[input].attributes.name, gradient);
    const NodeId square =
        b.reshape(b.multiply(gradient, gradient), {element_count(b.shape(gradient))});
    const NodeId sum = b.reduce_sum(square, {0});
    squares = squares ? b.add(squares, sum) : sum;
  }
  for (const NodeId input : inputs)
    b.output("twice_by_" + b[input].attributes.name, b.grad(squares, input));
  return graph;
}

// Multiplications of the convolutions that y is made of.
std::int64_t multiplications(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size());
  needed[graph.outputs[0].node.index] = true;
  std::int64_t total = 0;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!needed[i]) continue;
    const Node& node = graph.nodes[i];
    for (const NodeId operand : node.operands) needed[operand.index] = true;
    if (node.op != Op::convolution) continue;
    const Shape &image = graph[node.operands[0]].type.shape,
                &filter = graph[node.operands[1]].type.shape;
    std::int64_t taps = node.type.shape[0] * node.type.shape[1] * filter[1];
    for (std::size_t axis = 2; axis < image.size(); ++axis) {
      const Window& w = node.attributes.windows[axis - 2];
      std::int64_t met = 0;
      for (std::int64_t p = 0; p < node.type.shape[axis]; ++p)
        for (std::int64_t k = 0; k < filter[axis]; ++k)
          for (std::int64_t n = 0; n < image[axis]; ++n)
            met += p * w.stride + k * w.rhs_dilation - w.pad_low == n * w.lhs_dilation ? 1 : 0;
      taps *= met;
    }
    total += taps;
  }
  return total;
}

void check_equal(const Graph& before, const Graph& after, Random& random) {
  INFO(print(before) << print(after));
  REQUIRE(verify(after) == std::vector<std::string>{});
  std::map<std::string, Value> inputs;
  for (const Node& node : before.nodes)
    if (node.op == Op::input)
      inputs[node.attributes.name] = test::random_value(random, node.type, -0.5, 0.5);
  const auto left = interpret(differentiate(before), inputs),
             right = interpret(differentiate(after), inputs);
  REQUIRE(left.size() == right.size());
  for (const auto& [name, value] : left) {
    INFO(name);
    REQUIRE(right.at(name).type == value.type);
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < value.data.size(); ++i) {
      difference += std::pow(right.at(name).data[i] - value.data[i], 2);
      norm += std::pow(value.data[i], 2);
    }
    CHECK(std::sqrt(difference) <= 1e-10 * std::sqrt(norm));
  }
}

// Multiplications before and after, having checked values and gradients of two orders.
std::pair<std::int64_t, std::int64_t> merged(const Layer& layer) {
  Random random(3);
  const Graph before = graph_of(layer);
  const Graph after = merge_resampling(before);
  check_equal(before, after, random);
  return {multiplications(before), multiplications(after)};
}

const Window same = {.pad_low = 1, .pad_high = 1};

// Of N and both numbers of channels, which are left out below.
constexpr std::int64_t n = 4, c = 2, channels = n * c * c;

}  // namespace

TEST_CASE("resampling is merged as in the goldens") {
  test::check_goldens("rewrite", "merge_resampling", merge_resampling);
}

TEST_CASE("up-sampling before and pooling behind a 3x3 convolution need the taps of a 2x2 one") {
  const Layer up = {{n, c, 4, 4}, {c, c, 3, 3}, {same, same}, {2, 2}, {1, 1}};
  CHECK(merged(up) == std::pair(channels * 22 * 22, channels * 14 * 14));
  const Layer pool = {{n, c, 8, 8}, {c, c, 3, 3}, {same, same}, {1, 1}, {2, 2}, 1, true};
  CHECK(merged(pool) == std::pair(channels * 22 * 22, channels * 14 * 14));
}

TEST_CASE("filters of one tap change place with resampling") {
  const Layer up = {{n, c, 3}, {c, c, 1}, {{}}, {4}, {1}};
  CHECK(merged(up) == std::pair(channels * 12, channels * 3));
  const Layer pool = {{n, c, 4, 6}, {c, c, 1, 1}, {{}, {}}, {1, 1}, {2, 3}, 1, true};
  CHECK(merged(pool) == std::pair(channels * 24, channels * 4));
  // With padding they do not, and as a longer filter they save nothing.
  const Layer padded = {{n, c, 4}, {c, c, 1}, {same}, {2}, {1}};
  CHECK(merged(padded) == std::pair(channels * 8, channels * 8));
}

TEST_CASE("resampling is merged along the axes that have it") {
  const Layer up = {{n, c, 4, 5}, {c, c, 3, 3}, {same, same}, {1, 3}, {1, 1}};
  CHECK(merged(up) == std::pair(channels * 10 * 43, channels * 10 * 23));
  const Layer volume = {{n, c, 2, 2, 2}, {c, c, 3, 3, 3}, {same, same, same}, {2, 2, 2}, {1, 1, 1}};
  CHECK(merged(volume) == std::pair(channels * 1000, channels * 216));
  const Layer groups = {{n, 4, 6}, {4, 1, 5}, {{.pad_low = 2, .pad_high = 2}}, {2}, {1}, 4};
  CHECK(merged(groups) == std::pair(n * 4 * 54l, n * 4 * 32l));
}

TEST_CASE("a filter whose sums cost more than they save stays") {
  const Layer once = {{1, c, 1, 1}, {c, c, 3, 3}, {same, same}, {2, 2}, {1, 1}};
  CHECK(merged(once) == std::pair(c * c * 16l, c * c * 16l));
}

TEST_CASE("a convolution with the sums of its result keeps its origin") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", {DType::f32, {n, c, 8}}), w = b.input("w", {DType::f32, {c, c, 3}});
  b.set_origin({{}, "D.conv"});
  const NodeId y = b.convolution(x, w, {same});
  b.set_origin({{}, "D.pool"});
  b.output("y", window_sums(b, y, {2}));
  const Graph after = merge_resampling(graph);
  const Node& merged = after[after.outputs[0].node];
  REQUIRE(merged.op == Op::convolution);
  CHECK(after.origins[merged.origin].path == "D.conv");
}

TEST_CASE("no layer has other values or gradients, nor more multiplications") {
  Random random(11);
  int fewer = 0;
  const int count = test::repeats("GANC_FUZZ_COUNT", 300);
  for (int i = 0; i < count; ++i) {
    Layer layer{.groups = random.integer(1, 2), .bias = random.chance(0.5)};
    layer.image = {random.integer(1, 3), layer.groups * random.integer(1, 2)};
    layer.filter = {layer.groups * random.integer(1, 2), layer.image[1] / layer.groups};
    const std::int64_t axes = random.integer(1, 2);
    for (std::int64_t axis = 0; axis < axes; ++axis) {
      layer.image.push_back(random.integer(3, 6));
      layer.filter.push_back(random.integer(1, 4));
      layer.windows.push_back({random.integer(1, 2), random.integer(-1, 2), random.integer(-1, 2),
                               random.integer(1, 2), random.integer(1, 2)});
      layer.repeats.push_back(random.integer(1, 3));
      layer.sums.push_back(random.integer(1, 3));
    }
    const auto [before, after] = merged(layer);
    CHECK(after <= before);
    fewer += after < before ? 1 : 0;
  }
  CHECK(fewer * 5 > count);
}

}  // namespace ganc
