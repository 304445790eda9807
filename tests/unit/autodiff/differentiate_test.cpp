#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/builder.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/interpret/interpret.h"

namespace ganc {
namespace {

using Numbers = std::vector<double>;
const Type scalar = {DType::f64, {}};

// The outputs of the differentiated graph where input "x" (and "y") have these numbers.
std::map<std::string, Value> values(const Graph& graph, double x, double y = 0) {
  const Graph derived = differentiate(graph);
  CHECK(verify(derived).empty());
  for (const Node& node : derived.nodes) CHECK(node.op != Op::grad);
  return interpret(derived, {{"x", {scalar, {x}}}, {"y", {scalar, {y}}}});
}

double number(const Graph& graph, double x, double y = 0) {
  return values(graph, x, y).at("d").data.at(0);
}

TEST_CASE("outputs keep their names and order") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), y = b.exponential(x);
  b.output("d", b.grad(y, x));
  b.output("y", y);
  b.output("x", x);
  const Graph derived = differentiate(graph);
  REQUIRE(derived.outputs.size() == 3);
  CHECK(derived.outputs[0].name == "d");
  CHECK(derived.outputs[1].name == "y");
  CHECK(derived.outputs[2].name == "x");
}

TEST_CASE("what y does not reach has zeros, of the type of x") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), y = b.input("y", {DType::f32, {2, 3}});
  b.output("d", b.grad(b.exponential(x), y));
  b.output("by a later node", b.grad(x, b.exponential(x)));
  b.output("through stop", b.grad(b.stop(x), x));
  const auto results = interpret(differentiate(graph), {{"x", {scalar, {1}}}});
  CHECK(results.at("d").type == Type{DType::f32, {2, 3}});
  CHECK(results.at("d").data == Numbers(6, 0.0));
  CHECK(results.at("by a later node").data == Numbers{0});
  CHECK(results.at("through stop").data == Numbers{0});
}

TEST_CASE("y by itself is ones, and a y of any shape stands for its sum") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), many = b.broadcast_scalar(x, {2, 3});
  b.output("itself", b.grad(many, many));
  b.output("sum", b.grad(many, x));
  const auto results = values(graph, 5);
  CHECK(results.at("itself").data == Numbers(6, 1.0));
  CHECK(results.at("sum").data == Numbers{6});
}

TEST_CASE("the derivative by a node counts the uses of that node alone") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), square = b.multiply(x, x);
  const NodeId y = b.multiply(square, x);  // by square: x, by x: 3 x^2
  b.output("by square", b.grad(y, square));
  b.output("d", b.grad(y, x));
  const auto results = values(graph, 2);
  CHECK(results.at("by square").data == Numbers{2});
  CHECK(results.at("d").data == Numbers{12});
}

// The derivative of x^2 / 2 is x: were its node one with w, the later derivative by w would count
// it too.
TEST_CASE("a derivative is never taken for a node of the program that equals it") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), t = b.unary(Op::tanh, x);
  const NodeId g = b.grad(t, x);  // 1 - t t
  const NodeId w = b.subtract(b.like(t, 1), b.multiply(t, t));
  b.output("d", b.grad(b.multiply(w, g), w));
  b.output("w", w);
  const auto results = values(graph, 0.3);
  CHECK(results.at("d").data[0] == Approx(results.at("w").data[0]));
}

TEST_CASE("grads of grads: the derivatives of x^4") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), x2 = b.multiply(x, x);
  NodeId y = b.multiply(x2, x2);
  const double expected[] = {4 * 27, 12 * 9, 24 * 3, 24, 0};
  for (int order = 0; order < 5; ++order) {
    y = b.grad(y, x);
    b.output(std::to_string(order), y);
  }
  const auto results = values(graph, 3);
  for (int order = 0; order < 5; ++order) {
    CHECK(results.at(std::to_string(order)).data[0] == Approx(expected[order]).margin(1e-12));
  }
}

TEST_CASE("a gradient penalty: a norm of a gradient, differentiated by a weight") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar), w = b.input("y", scalar);
  const NodeId g = b.grad(b.unary(Op::tanh, b.multiply(w, x)), x);  // w (1 - tanh^2(w x))
  const NodeId penalty = b.multiply(b.subtract(g, b.like(g, 1)), b.subtract(g, b.like(g, 1)));
  b.output("d", b.grad(penalty, w));
  const double xv = 0.4, wv = 0.7;
  const auto value = [&](double a) {
    const double t = std::tanh(a * xv), slope = a * (1 - t * t) - 1;
    return slope * slope;
  };
  CHECK(number(graph, xv, wv) ==
        Approx((value(wv + 1e-6) - value(wv - 1e-6)) / 2e-6).epsilon(1e-6));
}

TEST_CASE("all grads of one y come from one walk") {
  const auto size = [](int grads) {
    Graph graph;
    Builder b(graph);
    std::vector<NodeId> weights;
    NodeId y = b.input("x", scalar);
    for (int i = 0; i < 10; ++i) {
      weights.push_back(b.input("w" + std::to_string(i), scalar));
      y = b.unary(Op::tanh, b.multiply(y, weights.back()));
    }
    for (int i = 0; i < grads; ++i) b.output(std::to_string(i), b.grad(y, weights[i]));
    return differentiate(graph).nodes.size();
  };
  CHECK(size(10) == size(1));
}

TEST_CASE("nodes that cannot carry a derivative are not walked through") {
  Graph graph;
  Builder b(graph);
  NodeId before = b.input("x", scalar);
  for (int i = 0; i < 50; ++i) before = b.unary(Op::sine, before);
  const NodeId x = b.exponential(before);
  NodeId beside = b.input("y", scalar);
  for (int i = 0; i < 50; ++i) beside = b.unary(Op::cosine, beside);
  const NodeId y = b.multiply(x, beside);
  b.output("d", b.grad(y, x));
  CHECK(differentiate(graph).nodes.size() <= graph.nodes.size() + 3);
}

TEST_CASE("the nodes of a derivative have the origin of what they are derived from") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar);
  b.set_origin(Origin{{0, 1, 2}, "D.tanh"});
  const NodeId y = b.unary(Op::tanh, x);
  b.set_origin(Origin{{0, 5, 6}, "loss"});
  b.output("d", b.grad(y, x));
  const Graph derived = differentiate(graph);
  CHECK(derived.origins[derived[derived.outputs[0].node].origin].path == "D.tanh");
  CHECK(std::ranges::any_of(derived.nodes, [&](const Node& node) {
    return node.op == Op::constant && derived.origins[node.origin].path == "loss";
  }));
}

double seconds(const Graph& graph) {
  const auto start = std::chrono::steady_clock::now();
  const Graph derived = differentiate(graph);
  CHECK(derived.nodes.size() >= graph.nodes.size());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// No recursion over the depth, no walk that grows with the square: 60,000 nodes, in well under a
// second optimized.
TEST_CASE("a chain of 60,000 nodes is derived at once") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar);
  NodeId y = x;
  for (int i = 0; i < 60000; ++i)
    y = i % 2 == 0 ? b.unary(Op::sine, y) : b.multiply(y, y);  // 2^30000 paths
  b.output("d", b.grad(y, x));
  CHECK(seconds(graph) < 5);
}

TEST_CASE("20,000 grads of one y, and of 20,000 ys, cost what they visit") {
  Graph one, many;
  {
    Builder b(one);
    NodeId y = b.input("x", scalar);
    std::vector<NodeId> targets;
    for (int i = 0; i < 20000; ++i) targets.push_back(y = b.unary(Op::sine, y));
    for (int i = 0; i < 20000; ++i) b.output(std::to_string(i), b.grad(y, targets[i]));
  }
  {
    Builder b(many);
    NodeId y = b.input("x", scalar);
    for (int i = 0; i < 20000; ++i) {
      const NodeId before = y;
      y = b.unary(Op::sine, y);
      b.output(std::to_string(i), b.grad(y, before));
    }
  }
  CHECK(seconds(one) < 5);
  CHECK(seconds(many) < 5);
}

TEST_CASE("a node with 30,000 users adds up all of them") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", scalar);
  NodeId sum = x;
  for (int i = 1; i < 30000; ++i) sum = b.add(sum, b.multiply(x, b.constant(i % 2, scalar)));
  b.output("d", b.grad(sum, x));
  CHECK(number(graph, 1) == 15001);
}

}  // namespace
}  // namespace ganc
