#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/parse_text.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "compiler/rewrite/rules.h"
#include "tests/unit/random_value.h"

namespace ganc {
namespace {

using test::Random;

Graph parsed(std::string_view text) {
  const auto graph = parse_graph(text);
  INFO(text);
  if (!graph) FAIL(graph.error().line << ": " << graph.error().message);
  REQUIRE(verify(*graph) == std::vector<std::string>{});
  return *graph;
}

// The left side of a pattern rule as a graph over inputs a, b, ..; numbers and `k` are constants,
// `c` repeats a number.
class SampleGraph {
 public:
  SampleGraph(const PatternRule& rule, std::size_t slots)
      : inputs_(slots), builder_(graph_), parsed_(parse_rule(rule.match, rule.replace)) {
    graph_.name = std::string(rule.name);
    const NodeId root = build(parsed_.match);
    builder_.output("out", root);
  }
  const Graph& graph() const { return graph_; }

 private:
  NodeId build(const Pattern& pattern) {
    const Type type{DType::f64, {3, 2}};
    switch (pattern.kind) {
      case Pattern::Kind::number:
        return builder_.constant(pattern.number, type);
      case Pattern::Kind::variable: {
        NodeId& input = inputs_[pattern.slot];
        if (input) return input;
        const std::string name = "v" + std::to_string(pattern.slot);
        if (pattern.name == 'k') {
          input = builder_.constant(0.75 + 0.5 * static_cast<double>(pattern.slot), type);
        } else if (pattern.name == 'c') {
          input = builder_.broadcast_scalar(builder_.input(name, {DType::f64, {}}), type.shape);
        } else {
          input = builder_.input(name, type);
        }
        return input;
      }
      case Pattern::Kind::op:
        break;
    }
    std::vector<NodeId> operands;
    for (const Pattern& operand : pattern.operands) operands.push_back(build(operand));
    return builder_.add_node(pattern.op, operands);
  }

  Graph graph_;
  std::vector<NodeId> inputs_;
  Builder builder_;
  ParsedRule parsed_;
};

// Values of all outputs before and after agree, and so do the derivatives by every real input.
void check_same(const Graph& before, const Graph& after, Random& random, double low, double high) {
  REQUIRE(verify(after) == std::vector<std::string>{});
  std::map<std::string, Value> inputs;
  for (const Node& node : before.nodes) {
    if (node.op == Op::input) {
      inputs[node.attributes.name] = test::random_value(random, node.type, low, high);
    }
  }
  const auto left = interpret(before, inputs), right = interpret(after, inputs);
  REQUIRE(left.size() == right.size());
  for (const auto& [name, value] : left) {
    INFO(print(before) << print(after));
    REQUIRE(right.at(name).type == value.type);
    for (std::size_t i = 0; i < value.data.size(); ++i) {
      CHECK(right.at(name).data[i] == Approx(value.data[i]).epsilon(1e-9).margin(1e-12));
    }
  }
}

// The graph with the derivative of its first output by each real input as further outputs.
Graph with_gradients(Graph graph) {
  Builder builder(graph);
  const NodeId y = graph.outputs[0].node;
  const std::size_t count = graph.nodes.size();
  for (std::uint32_t i = 0; i < count; ++i) {
    const Node node = graph.nodes[i];
    if (node.op != Op::input || !is_real(node.type.dtype)) continue;
    builder.output("grad/" + node.attributes.name, builder.grad(y, NodeId{i}));
  }
  return graph;
}

Graph run_rule(const Graph& graph, const PatternRule* pattern, const StructuralRule* structural,
               bool& fired) {
  Rewriter::Rules rules{.fold = true};
  if (pattern != nullptr) rules.patterns.push_back(pattern);
  if (structural != nullptr) rules.structural.push_back(structural);
  Rewriter rewriter(graph, rules);
  Graph result = rewriter.run();
  const std::string_view name = pattern != nullptr ? pattern->name : structural->name;
  fired = rewriter.fired().contains(name);
  return result;
}

void check_pattern_rules(std::span<const PatternRule> rules) {
  Random random(7);
  std::set<std::string_view> names;
  for (const PatternRule& rule : rules) {
    INFO(rule.name);
    CHECK(names.insert(rule.name).second);
    const ParsedRule parsed = parse_rule(rule.match, rule.replace);
    const SampleGraph sample(rule, parsed.slots);
    bool fired = false;
    const Graph after = run_rule(sample.graph(), &rule, nullptr, fired);
    CHECK(fired);
    check_same(sample.graph(), after, random, 0.2, 2);
    check_same(differentiate(with_gradients(sample.graph())), differentiate(with_gradients(after)),
               random, 0.2, 2);
  }
}

}  // namespace

TEST_CASE("every stability rule fires and keeps value and gradient") {
  check_pattern_rules(stability_rules());
}

TEST_CASE("every algebra rule fires and keeps value and gradient") {
  check_pattern_rules(algebra_rules());
}

TEST_CASE("every structural rule has a sample in which it fires and keeps value and gradient") {
  Random random(8);
  for (const auto rules : {structural_rules(), stability_movement_rules(), resampling_rules()}) {
    for (const StructuralRule& rule : rules) {
      INFO(rule.name);
      if (rule.sample.empty()) {  // one rule for all ops of an arity: tested below
        const std::string_view name = rule.name;
        CHECK((name == "unary_of_broadcast" || name == "binary_of_broadcasts"));
        continue;
      }
      const Graph sample = parsed(rule.sample);
      bool fired = false;
      const Graph after = run_rule(sample, nullptr, &rule, fired);
      CHECK(fired);
      check_same(sample, after, random, 0.2, 2);
      check_same(differentiate(with_gradients(sample)), differentiate(with_gradients(after)),
                 random, 0.2, 2);
    }
  }
}

TEST_CASE("elementwise ops of broadcasts are computed before they are repeated") {
  const Graph graph = parsed(
      "graph f(%x: f64[3], %y: f64[3]) {\n"
      "  %a = broadcast_in_dim %x {axes=[1]} : f64[4,3]\n"
      "  %b = broadcast_in_dim %y {axes=[1]} : f64[4,3]\n"
      "  %c = multiply %a, %b\n  %d = tanh %c\n  return %d\n}\n");
  const Graph after = rewrite(graph);
  for (const Node& node : after.nodes) {
    if (node.op == Op::tanh || node.op == Op::multiply) CHECK(node.type.shape == Shape{3});
  }
  Random random(9);
  check_same(graph, after, random, -2, 2);
}

TEST_CASE("a rule does not fire where its condition fails") {
  // c must be uniform: a factor that differs by element stays inside the sum.
  const Graph graph = parsed(
      "graph f(%x: f64[3], %y: f64[3]) {\n  %a = multiply %x, %y\n"
      "  %b = reduce_sum %a {axes=[0]}\n  return %b\n}\n");
  const Graph after = rewrite(graph);
  CHECK(after.nodes.size() == graph.nodes.size());
}

TEST_CASE("batch norm and its gradients read each large tensor in few sums") {
  const Graph graph = parsed(
      "graph f(%x: f32[16,3,8,8], %g: f32[3], %b: f32[3], %w: f32[16,3,8,8]) {\n"
      "  %s = reduce_sum %x {axes=[0, 2, 3]}\n"
      "  %n = constant {values=[0.0009765625]} : f32[3]\n"
      "  %m = multiply %s, %n\n"
      "  %mb = broadcast_in_dim %m {axes=[1]} : f32[16,3,8,8]\n"
      "  %d = subtract %x, %mb\n"
      "  %q = multiply %d, %d\n"
      "  %v = reduce_sum %q {axes=[0, 2, 3]}\n"
      "  %vn = multiply %v, %n\n"
      "  %e = constant {values=[1e-05]} : f32[3]\n"
      "  %ve = add %vn, %e\n"
      "  %r = sqrt %ve\n"
      "  %rb = broadcast_in_dim %r {axes=[1]} : f32[16,3,8,8]\n"
      "  %h = divide %d, %rb\n"
      "  %gb = broadcast_in_dim %g {axes=[1]} : f32[16,3,8,8]\n"
      "  %hg = multiply %h, %gb\n"
      "  %bb = broadcast_in_dim %b {axes=[1]} : f32[16,3,8,8]\n"
      "  %y = add %hg, %bb\n"
      "  %t = tanh %y\n"
      "  %z = multiply %t, %w\n"
      "  %l = reduce_sum %z {axes=[0, 1, 2, 3]}\n"
      "  return %l\n}\n");
  const Graph gradients = differentiate(with_gradients(graph)), after = rewrite(gradients);
  std::size_t sums = 0;
  for (const Node& node : after.nodes)
    if (node.op == Op::reduce_sum && element_count(after[node.operands[0]].type.shape) > 3) ++sums;
  // The loss; x and x in f64 and its squares; the derivative by y, and times x - mean.
  CHECK(sums == 6);
  Random random(10);
  check_same(gradients, after, random, -2, 2);
}

TEST_CASE("a sum of two is not taken apart where the sums are not there") {
  const Graph graph = parsed(
      "graph f(%x: f64[3], %y: f64[3]) {\n  %a = subtract %x, %y\n"
      "  %b = reduce_sum %a {axes=[0]}\n  return %b\n}\n");
  CHECK(rewrite(graph).nodes.size() == graph.nodes.size());
}

TEST_CASE("a mean of other numbers, or along other axes, does not centre a sum") {
  for (const std::string_view rows : {"%y", "%x"})
    for (const std::string_view scale : {"0.25", "0.5"}) {
      if (rows == "%x" && scale == "0.25") continue;  // the mean itself
      const Graph graph =
          parsed("graph f(%x: f64[3,4], %y: f64[3,4]) {\n  %s = reduce_sum " + std::string(rows) +
                 " {axes=[1]}\n  %q = constant {values=[" + std::string(scale) +
                 "]} : f64[3]\n  %m = multiply %s, %q\n"
                 "  %b = broadcast_in_dim %m {axes=[0]} : f64[3,4]\n  %d = subtract %x, %b\n"
                 "  %r = reduce_sum %d {axes=[1]}\n  %c = reduce_sum %d {axes=[0]}\n"
                 "  %e = multiply %d, %d\n  %f = reduce_sum %e {axes=[0]}\n"
                 "  return %r, %c, %f\n}\n");
      Random random(11);
      check_same(graph, rewrite(graph), random, -2, 2);
    }
}

TEST_CASE("losses as written stay finite in value and derivative far out") {
  // In the interpreter numbers are doubles: 800 is as far out for them as 90 is for f32.
  const char* losses[] = {
      "%s = logistic %x\n  %l = log %s\n",
      "%m = negate %x\n  %e = exponential %m\n  %o = constant {values=[1]} : f64[5]\n  %p = add "
      "%o, %e\n"
      "  %s = divide %o, %p\n  %l = log %s\n",
      "%s = logistic %x\n  %o = constant {values=[1]} : f64[5]\n  %d = subtract %o, %s\n  %l = log "
      "%d\n",
      "%e = exponential %x\n  %o = constant {values=[1]} : f64[5]\n  %p = add %e, %o\n  %l = log "
      "%p\n",
      "%m = reduce_max %x {axes=[0]}\n  %n = broadcast_in_dim %m : f64[5]\n  %t = stop %n\n"
      "  %d = subtract %x, %t\n  %e = exponential %d\n  %q = reduce_sum %e {axes=[0]}\n"
      "  %r = reshape %q : f64[1]\n  %b = broadcast_in_dim %r {axes=[0]} : f64[5]\n  %s = divide "
      "%e, %b\n"
      "  %l = log %s\n",
  };
  for (const char* body : losses) {
    const Graph graph =
        parsed(std::string("graph f(%x: f64[5]) {\n  ") + body + "  return %l\n}\n");
    INFO(print(graph));
    const Graph first = differentiate(with_gradients(stabilize(graph)));
    const Value far{{DType::f64, {5}}, {-800, -1, 0, 1, 800}};
    for (const auto& [name, value] : interpret(rewrite(first), {{"x", far}})) {
      INFO(name);
      CHECK(std::ranges::all_of(value.data, [](double v) { return std::isfinite(v); }));
    }
  }
}

TEST_CASE("the norm has value and derivatives 0 at 0") {
  const Graph graph = parsed(
      "graph f(%x: f64[3]) {\n  %s = multiply %x, %x\n  %q = reduce_sum %s {axes=[0]}\n"
      "  %n = sqrt %q\n  return %n\n}\n");
  Graph gradients = with_gradients(graph);
  Builder b(gradients);
  const NodeId slope = b.reduce_sum(gradients.outputs[1].node, {0});
  b.output("second", b.grad(slope, NodeId{0}));
  const auto result = interpret(rewrite(differentiate(stabilize(gradients))),
                                {{"x", Value{{DType::f64, {3}}, {0, 0, 0}}}});
  for (const auto& [name, value] : result) {
    for (const double v : value.data) CHECK(v == 0.0);
  }
}

TEST_CASE("what a gradient is taken by survives stabilize") {
  const Graph graph = parsed(
      "graph f(%x: f64[3]) {\n  %e = exponential %x\n  %o = constant {values=[1]} : f64[3]\n"
      "  %p = add %o, %e\n  %l = log %p\n  %g = grad %l, %e\n  return %l, %g\n}\n");
  const Graph stable = stabilize(graph);
  const auto result =
      interpret(differentiate(stable), {{"x", Value{{DType::f64, {3}}, {0, 1, 2}}}});
  // d log(1 + e) / de = 1 / (1 + e)
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(result.at("1").data[i] == Approx(1 / (1 + std::exp(static_cast<double>(i)))));
  }
}

TEST_CASE("draws and outputs keep their names") {
  const Graph graph = parsed(
      "graph f(%x: f64[3]) {\n  %d = draw %x {name=\"draw/z\"}\n  %o = constant {values=[1]} : "
      "f64[3]\n"
      "  %m = multiply %d, %o\n  %u = add %x, %x\n  return \"loss/D\": %m, \"again\": %m\n}\n");
  const Graph after = rewrite(graph);
  REQUIRE(after.outputs.size() == 2);
  CHECK(after.outputs[0].name == "loss/D");
  CHECK(after.nodes.size() == 2);  // the input and the draw: the sum that nobody reads is gone
}

}  // namespace ganc
