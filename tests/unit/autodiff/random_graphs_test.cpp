#include <catch2/catch.hpp>

#include <fmt/format.h>
#include <array>
#include <numeric>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/parse_text.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/interpret/interpret.h"
#include "tests/unit/random_graph.h"

namespace ganc::test {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

TEST_CASE("random graphs are right, differentiate into right graphs and have finite values") {
  const int count = repeats("GANC_RANDOM_GRAPHS", 150);
  std::array<bool, op_count> met = {};
  for (int seed = 1; seed <= count; ++seed) {
    INFO("seed " << seed);
    Random random(static_cast<std::uint64_t>(seed));
    const RandomGraph made(random, {.steps = 24, .grads = 2});
    REQUIRE(joined(verify(made.graph())) == "");
    for (const Node& node : made.graph().nodes) met[static_cast<std::size_t>(node.op)] = true;
    const std::string text = print(made.graph());
    const auto read = parse_graph(text);
    REQUIRE(read.has_value());
    CHECK(print(*read) == text);

    const Graph graph = differentiate(made.graph());
    REQUIRE(joined(verify(graph)) == "");
    bool finite = true;
    double most = 0;
    for (const auto& [name, value] : interpret(graph, made.inputs())) {
      for (double x : value.data) {
        finite = finite && std::isfinite(x);
        if (name.starts_with("out/")) most = std::max(most, std::fabs(x));
      }
    }
    CHECK(finite);
    CHECK(most <= 100);
  }
  for (const OpDefinition* definition : all_ops()) {
    INFO(definition->name);
    if (count >= 100) CHECK(met[static_cast<std::size_t>(definition->op)]);
  }
}

// The sum of all outputs, and its derivatives by all real inputs.
Graph with_gradients(const RandomGraph& made, std::vector<std::string>& inputs) {
  Graph graph = made.graph();
  Builder b(graph);
  NodeId total = b.constant(0.0, {DType::f64, {}});
  for (const Output& output : made.graph().outputs) {
    std::vector<std::int64_t> axes(b.shape(output.node).size());
    std::iota(axes.begin(), axes.end(), 0);
    total = b.add(total, b.convert(b.reduce_sum(output.node, axes), DType::f64));
  }
  graph.outputs = {{"total", total}};
  const std::size_t count = graph.nodes.size();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (graph.nodes[i].op != Op::input || !is_real(graph.nodes[i].type.dtype)) continue;
    inputs.push_back(graph.nodes[i].attributes.name);
    b.output("d " + inputs.back(), b.grad(total, NodeId{i}));
  }
  return differentiate(graph);
}

// Along a random direction: sum of derivative times direction is the slope of the total. Where a
// graph happens to stand next to a kink the difference quotients of two steps differ; such a graph
// says nothing.
TEST_CASE("derivatives of whole random graphs, grads among them, are their finite differences") {
  const int count = repeats("GANC_RANDOM_GRAPHS", 150);
  int told = 0;
  for (int seed = 1; seed <= count; ++seed) {
    Random random(static_cast<std::uint64_t>(seed) + 1000000);
    const RandomGraph made(random, {.steps = 14, .stops = false, .real = DType::f64});
    std::vector<std::string> inputs;
    const Graph graph = with_gradients(made, inputs);
    REQUIRE(joined(verify(graph)) == "");
    auto values = made.inputs(), direction = values;
    const auto results = interpret(graph, values);
    double slope = 0;
    for (const std::string& name : inputs) {
      for (std::size_t i = 0; i < values[name].data.size(); ++i) {
        direction[name].data[i] = random.uniform(-1, 1);
        slope += direction[name].data[i] * results.at("d " + name).data[i];
      }
    }
    const auto quotient = [&](double eps) {
      double totals[2];
      for (int side : {0, 1}) {
        auto moved = values;
        for (const std::string& name : inputs) {
          for (std::size_t i = 0; i < moved[name].data.size(); ++i) {
            moved[name].data[i] += (side == 0 ? eps : -eps) * direction[name].data[i];
          }
        }
        totals[side] = interpret(graph, moved).at("total").data[0];
      }
      return (totals[0] - totals[1]) / (2 * eps);
    };
    const double wide = quotient(1e-5), narrow = quotient(2e-6);
    if (std::fabs(wide - narrow) > 1e-4 * (1 + std::fabs(narrow))) continue;
    ++told;
    INFO("seed " << seed);
    CHECK(slope == Approx(narrow).epsilon(1e-3).margin(1e-4));
  }
  CHECK(told > count * 8 / 10);
}

}  // namespace
}  // namespace ganc::test
