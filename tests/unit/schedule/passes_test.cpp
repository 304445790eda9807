#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/graph/builder.h"
#include "compiler/schedule/fuse.h"
#include "compiler/schedule/layout.h"
#include "compiler/schedule/prepare.h"
#include "compiler/schedule/roots.h"

// Each pass alone: what it promises in its header.

using namespace ganc;
using namespace ganc::planning;

namespace {

const Type matrix = {DType::f32, {64, 128}};

Variable weight(std::string name, Shape shape) {
  return {.name = std::move(name),
          .kind = VariableKind::weight,
          .type = {DType::f32, std::move(shape)}};
}

ProgramDraft grouped(const Graph& graph, std::span<const Variable> variables = {},
                     bool fuse = true) {
  std::vector<ProgramDraft> programs;
  programs.push_back(prepare(graph, variables, fuse));
  assign_layouts(programs, variables, fuse);
  choose_roots(programs[0], fuse);
  form_groups(programs[0], fuse);
  return std::move(programs[0]);
}

int roots(const ProgramDraft& program) {
  return static_cast<int>(std::ranges::count(program.root, true));
}

NodeId named(const Graph& graph, Op op) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == op) return {static_cast<std::uint32_t>(i)};
  FAIL("no such node");
  return {};
}

}  // namespace

TEST_CASE("prepare drops what no output needs") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", matrix);
  b.exponential(x);
  b.output("out", b.negate(x));
  CHECK(prepare(graph, {}, true).graph.nodes.size() == 2);
}

TEST_CASE(
    "a conditional update is its new value under a guard, with the predicate's negation at hand") {
  Graph graph;
  Builder b(graph);
  const Variable w = weight("w", {4});
  const NodeId old = b.input("variable/w", w.type);
  const NodeId step = b.input("step", {DType::f64, {}});
  const NodeId now = b.compare(Comparison::less, step, b.like(step, 3));
  b.output("variable/w", b.select(now, b.exponential(old), old));
  const ProgramDraft p = prepare(graph, {&w, 1}, true);
  REQUIRE(p.targets.size() == 1);
  CHECK(p.graph[p.targets[0].node].op == Op::stop);
  const auto& set = p.guard_sets[p.guards[p.targets[0].node.index]];
  REQUIRE(set.size() == 1);
  CHECK(p.graph[set[0]].op == Op::compare);
  CHECK(p.graph.nodes[set[0].index + 1].op == Op::logical_not);
  // What only the new value reads is guarded too; the predicate is not.
  CHECK(p.guards[named(p.graph, Op::exponential).index] == p.guards[p.targets[0].node.index]);
  CHECK(p.guards[set[0].index] == 0);
  CHECK(prepare(graph, {&w, 1}, false).guard_sets.size() == 1);
}

TEST_CASE(
    "a chain of elementwise operations and views has one root, a contraction's operand one more") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", matrix);
  const NodeId y = b.unary(Op::tanh, b.transpose(b.add(x, x), {1, 0}));
  b.output("out", y);
  CHECK(roots(grouped(graph)) == 1);
  b.output("product", b.dot_general(y, x, {}, {}, {1}, {0}));
  CHECK(roots(grouped(graph)) == 2);
  CHECK(roots(grouped(graph, {}, false)) == 4);
}

TEST_CASE("what is cheap is computed by each reader, what is costly once") {
  for (const Op op : {Op::negate, Op::tanh}) {
    Graph graph;
    Builder b(graph);
    const NodeId x = b.input("data/x", matrix), y = b.unary(op, x);
    b.output("sum", b.reduce_sum(y, {0}));
    b.output("other", b.reduce_sum(b.transpose(y, {1, 0}), {0}));
    CHECK(roots(grouped(graph)) == (op == Op::tanh ? 3 : 2));
  }
}

TEST_CASE("a function of numbers alone is computed once, not by every unit of a kernel") {
  const auto computed_alone = [](Op op) {
    Graph graph;
    Builder b(graph);
    const NodeId step = b.input("step", {DType::f64, {}}),
                 rate = b.convert(b.negate(b.unary(op, step)), DType::f32),
                 x = b.input("data/x", matrix);
    b.output("out", b.multiply(x, b.broadcast_scalar(rate, matrix.shape)));
    return roots(grouped(graph)) == 2;
  };
  CHECK(computed_alone(Op::exponential));
  CHECK_FALSE(computed_alone(Op::negate));
  CHECK_FALSE(computed_alone(Op::sqrt));  // less than a call
}

TEST_CASE("what is large is written out twice even if it takes a division") {
  const auto count = [](std::int64_t rows, Op op) {
    Graph graph;
    Builder b(graph);
    const Type type{DType::f32, {rows, 512}};
    const NodeId x = b.input("data/x", type), y = b.input("data/y", type);
    const NodeId shared = op == Op::divide ? b.divide(x, y) : b.unary(op, b.add(x, y));
    b.output("a", b.negate(b.reduce_sum(shared, {0})));
    b.output("b", b.negate(b.reduce_sum(shared, {1})));
    return roots(grouped(graph));
  };
  CHECK(count(512, Op::divide) == count(511, Op::divide) - 1);
  CHECK(count(512, Op::tanh) == count(511, Op::tanh));
}

TEST_CASE("an optimizer's values of one weight are one group") {
  Graph graph;
  Builder b(graph);
  const std::vector<Variable> variables = {weight("w", {64, 128}), weight("m", {64, 128})};
  const NodeId w = b.input("variable/w", matrix), m = b.input("variable/m", matrix);
  const NodeId g = b.input("data/g", matrix);
  const NodeId fresh = b.add(b.multiply(m, b.like(m, 0.9)), g);
  b.output("variable/m", fresh);
  b.output("variable/w", b.subtract(w, fresh));
  const ProgramDraft p = grouped(graph, variables);
  REQUIRE(p.groups.size() == 1);
  CHECK(p.groups[0].roots.size() == 2);
}

TEST_CASE("a new weight joins its gradient, though the step's number stands behind that") {
  Graph graph;
  Builder b(graph);
  const std::vector<Variable> variables = {
      weight("w", {64, 128}), {.name = "t", .kind = VariableKind::slot, .type = {DType::f64, {}}}};
  const NodeId g = b.dot_general(b.input("data/x", matrix),
                                 b.input("data/y", {DType::f32, {128, 128}}), {}, {}, {1}, {0});
  const NodeId t = b.input("variable/t", variables[1].type), next = b.add(t, b.like(t, 1));
  b.output("variable/t", next);
  const NodeId rate = b.convert(b.divide(b.like(t, 1), next), DType::f32);
  b.output("variable/w", b.subtract(b.input("variable/w", matrix),
                                    b.multiply(g, b.broadcast_scalar(rate, matrix.shape))));
  const ProgramDraft p = grouped(graph, variables);
  REQUIRE(p.groups.size() == 2);
  CHECK(p.groups[0].kind == GroupKind::elementwise);
  CHECK(p.groups[1].roots.size() == 2);
}

TEST_CASE("bias and activation join the contraction, whose sum is then not stored") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {64, 32}}),
               w = b.input("data/w", {DType::f32, {32, 16}});
  const NodeId bias = b.input("data/b", {DType::f32, {16}});
  const NodeId sum = b.dot_general(x, w, {}, {}, {1}, {0});
  const NodeId y = b.add(sum, b.broadcast_in_dim(bias, {64, 16}, {1}));
  b.output("out", b.maximum(y, b.like(y, 0)));
  const ProgramDraft p = grouped(graph);
  REQUIRE(p.groups.size() == 1);
  CHECK(p.groups[0].kind == GroupKind::contraction);
  CHECK_FALSE(p.stored[named(p.graph, Op::dot_general).index]);
}

TEST_CASE(
    "reductions of one tensor along the same axes are one group, and what is made of them joins") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", matrix);
  const NodeId sum = b.reduce_sum(x, {0}), squares = b.reduce_sum(b.multiply(x, x), {0});
  b.output("out", b.divide(sum, squares));
  const ProgramDraft p = grouped(graph);
  REQUIRE(p.groups.size() == 1);
  CHECK(p.groups[0].roots.size() == 3);
  CHECK(std::ranges::count(p.stored, true) == 1);
}

TEST_CASE("a draw is alone") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", matrix);
  const NodeId z = b.draw(b.negate(x), "draw/D/z");
  b.output("a", b.add(z, x));
  const ProgramDraft p = grouped(graph);
  REQUIRE(p.groups.size() == 2);
  CHECK(p.groups[0].draw == 0);
  CHECK(p.groups[0].roots.size() == 1);
}

TEST_CASE(
    "the weight of a convolution lies [taps][in][out] with all that belongs to it, activations "
    "batch innermost") {
  Graph graph;
  Builder b(graph);
  const std::vector<Variable> variables = {
      weight("w", {32, 3, 4, 4}), weight("slot/m", {32, 3, 4, 4}), weight("deconv", {32, 9, 4, 4}),
      weight("dense", {7, 9})};
  const NodeId x = b.input("data/x", {DType::f32, {64, 3, 8, 8}});
  const NodeId w = b.input("variable/w", variables[0].type),
               m = b.input("variable/slot/m", variables[1].type);
  const NodeId y = b.convolution(x, w, {{}, {}});
  b.output("out", y);
  b.output("variable/slot/m", b.add(m, w));
  const NodeId deconv = b.input("variable/deconv", variables[2].type);
  const NodeId kernel = b.reshape(
      b.reverse(b.transpose(b.reshape(deconv, {1, 32, 9, 4, 4}), {0, 2, 1, 3, 4}), {3, 4}),
      {9, 32, 4, 4});
  b.output("up", b.convolution(y, kernel, {{.lhs_dilation = 2}, {.lhs_dilation = 2}}));
  std::vector<ProgramDraft> programs;
  programs.push_back(prepare(graph, variables, true));
  const auto orders = assign_layouts(programs, variables, true);
  CHECK(orders[0] == AxisOrder{2, 3, 1, 0});
  CHECK(orders[1] == orders[0]);
  CHECK(orders[2] == AxisOrder{2, 3, 0, 1});
  CHECK(orders[3] == AxisOrder{0, 1});
  const ProgramDraft& p = programs[0];
  CHECK(p.layouts[named(p.graph, Op::convolution).index] == AxisOrder{2, 3, 1, 0});
}

TEST_CASE("filters of few results have the channels innermost") {
  Graph graph;
  Builder b(graph);
  const std::vector<Variable> variables = {weight("w", {3, 32, 4, 4})};
  const NodeId x = b.input("data/x", {DType::f32, {64, 32, 8, 8}});
  b.output("out", b.convolution(x, b.input("variable/w", variables[0].type), {{}, {}}));
  std::vector<ProgramDraft> programs;
  programs.push_back(prepare(graph, variables, true));
  CHECK(assign_layouts(programs, variables, true)[0] == AxisOrder{2, 3, 0, 1});
}

TEST_CASE("variables of one shape that meet one number lie each as its own layer wants") {
  Graph graph;
  Builder b(graph);
  const Shape shape = {32, 16, 4, 4};
  const std::vector<Variable> variables = {weight("down", shape), weight("up", shape)};
  const NodeId x = b.input("data/x", {DType::f32, {64, 16, 8, 8}});
  const NodeId down = b.input("variable/down", variables[0].type),
               up = b.input("variable/up", variables[1].type);
  const NodeId y = b.convolution(x, down, {{}, {}});
  b.output("out", b.convolution(y, b.transpose(up, {1, 0, 2, 3}), {{}, {}}));
  const NodeId rate = b.broadcast_in_dim(b.input("rate", {DType::f32, {}}), shape, {});
  b.output("variable/down", b.multiply(down, rate));
  b.output("variable/up", b.multiply(up, rate));
  std::vector<ProgramDraft> programs;
  programs.push_back(prepare(graph, variables, true));
  const auto orders = assign_layouts(programs, variables, true);
  CHECK(orders[0] == AxisOrder{2, 3, 1, 0});
  CHECK(orders[1] == AxisOrder{2, 3, 0, 1});
}

TEST_CASE("with few samples channels are innermost") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {1, 3, 8, 8}});
  b.output("out", b.convolution(x, b.input("data/w", {DType::f32, {4, 3, 3, 3}}), {{}, {}}));
  std::vector<ProgramDraft> programs;
  programs.push_back(prepare(graph, {}, true));
  assign_layouts(programs, {}, true);
  const ProgramDraft& p = programs[0];
  CHECK(p.layouts[named(p.graph, Op::convolution).index] == AxisOrder{0, 2, 3, 1});
}
