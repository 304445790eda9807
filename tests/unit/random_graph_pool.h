#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/graph/builder.h"
#include "tests/unit/random_value.h"

namespace ganc::test {

struct RandomGraphOptions {
  int steps = 16;  // ops or small groups of ops
  int grads = 1;   // grad nodes; later steps go on with their results, so orders nest
  std::int64_t largest_axis = 6;  // one axis in eight has up to 5 times as many
  std::int64_t most_elements = 600;
  bool empty_axes = true;  // sometimes an axis of length 0
  bool stops = true;       // false: derivatives are those of finite differences
  DType real = DType::f32;
};

// What random graphs are made from: real nodes with what is known of their values. random_graph.h
// adds the ops.
class RandomGraphPool {
 public:
  RandomGraphPool(Random& random, RandomGraphOptions options)
      : random_(random), options_(options), b_(graph_) {
    graph_.name = "random";
    for (int i = 0; i < 2; ++i) new_input(random_shape());
  }

  const Graph& graph() const { return graph_; }

  // A value for every input, exact in f32. The ranges keep the graph tame.
  std::map<std::string, Value> inputs() const {
    std::map<std::string, Value> values;
    for (const Node& node : graph_.nodes) {
      if (node.op != Op::input) continue;
      const bool words = node.type.dtype == DType::u32, indices = node.type.dtype == DType::i32;
      const double low = words ? 0 : indices ? -1 : -2;
      const double high = words ? 4294967295.0 : indices ? 6 : 2;
      Value value = random_value(random_, node.type, low, high);
      for (double& x : value.data) {
        if (is_real(node.type.dtype)) x = static_cast<float>(x);
      }
      values[node.attributes.name] = std::move(value);
    }
    return values;
  }

 protected:
  // What is known of a real node: its elements are within [low, high]; exact: any precision has the
  // same.
  struct Range {
    double low, high;
    bool exact = false;
  };

  std::int64_t random_axis() {
    if (options_.empty_axes && random_.chance(0.01)) return 0;
    return random_.integer(1, options_.largest_axis * (random_.chance(0.125) ? 5 : 1));
  }
  Shape random_shape(std::int64_t least_rank = 0) {
    while (true) {
      Shape shape(static_cast<std::size_t>(
          random_.integer(least_rank, std::max<std::int64_t>(least_rank, 4))));
      for (std::int64_t& size : shape) size = random_axis();
      if (element_count(shape) <= options_.most_elements) return shape;
    }
  }
  NodeId new_input(Shape shape) {
    return keep(b_.input(fmt::format("x{}", inputs_++), {options_.real, std::move(shape)}),
                {-2, 2, true});
  }
  NodeId indices(Shape shape) {
    return b_.input(fmt::format("i{}", inputs_++), {DType::i32, std::move(shape)});
  }
  NodeId pick() {
    return pool_[static_cast<std::size_t>(
        random_.integer(0, static_cast<std::int64_t>(pool_.size()) - 1))];
  }
  NodeId pick_exact() {
    for (int i = 0; i < 20; ++i) {
      if (const NodeId x = pick(); range_.at(x).exact) return x;
    }
    return new_input(random_shape());
  }
  NodeId pick_rank(std::size_t least) {
    for (int i = 0; i < 20; ++i) {
      if (const NodeId x = pick(); b_.shape(x).size() >= least) return x;
    }
    return new_input(random_shape(static_cast<std::int64_t>(least)));
  }
  NodeId of_shape(const Shape& shape) {
    for (int i = 0; i < 12; ++i) {
      const NodeId x = pick();
      if (b_.shape(x) == shape) return x;
      if (element_count(b_.shape(x)) == element_count(shape))
        return keep(b_.reshape(x, shape), range_.at(x));
      if (b_.shape(x).empty()) return keep(b_.broadcast_scalar(x, shape), range_.at(x));
    }
    return new_input(shape);
  }

  // Adds x to the pool; what is out of bounds is brought back first.
  NodeId keep(NodeId x, Range range) {
    if (!(range.high <= 50) || !(range.low >= -50)) {
      x = random_.chance(0.5) ? b_.unary(Op::tanh, scaled(x, 0.1))
                              : scaled(x, 2 / std::max(-range.low, range.high));
      range = {-2, 2};
    }
    if (!range_.contains(x)) {
      range_[x] = range;
      pool_.push_back(x);
    }
    return x;
  }
  NodeId scaled(NodeId x, double factor) { return b_.multiply(x, b_.like(x, factor)); }
  // Something at least 0.25 made of x.
  std::pair<NodeId, Range> positive(NodeId x) {
    const Range r = range_.at(x);
    const double most = std::max(std::fabs(r.low), std::fabs(r.high));
    if (r.low >= 0.25) return {x, r};
    if (random_.chance(0.4))
      return {b_.add(b_.unary(Op::logistic, x), b_.like(x, 0.25)), {0.25, 1.25}};
    if (random_.chance(0.5) && most < 7) {
      return {b_.add(b_.multiply(x, x), b_.like(x, 0.5)), {0.5, most * most + 0.5}};
    }
    return {b_.add(b_.unary(Op::abs, x), b_.like(x, 0.25)), {0.25, most + 0.25}};
  }
  // A subset of the axes, perhaps empty.
  std::vector<std::int64_t> some_axes(const Shape& shape) {
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (random_.chance(0.5)) axes.push_back(static_cast<std::int64_t>(i));
    }
    return axes;
  }
  double magnitude(NodeId x) const {
    return std::max(std::fabs(range_.at(x).low), std::fabs(range_.at(x).high));
  }

  Random& random_;
  RandomGraphOptions options_;
  Graph graph_;
  Builder b_;
  std::vector<NodeId> pool_;  // real nodes that later steps may use
  std::map<NodeId, Range> range_;
  int inputs_ = 0;
};

}  // namespace ganc::test
