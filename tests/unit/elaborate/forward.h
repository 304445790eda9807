#pragma once

#include <functional>
#include <random>

#include "tests/unit/elaborate/elaborated.h"

namespace ganc::testing {

using Numbers = std::vector<double>;

// Numbers that are neither round nor equal to one another.
inline Numbers numbers(std::size_t count, double low = -2, double high = 2, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> distribution(low, high);
  Numbers values(count);
  for (double& v : values) v = distribution(engine);
  return values;
}

// The forward pass of the net `F` of a program, over a batch of `batch`.
struct Forward {
  explicit Forward(const std::string& text, std::int64_t batch = 2)
      : program(text, {.set = {}, .batch = batch, .real = DType::f64}) {
    INFO(program.messages());
    REQUIRE_FALSE(program.diagnostics.has_error());
    for (const Program& p : program.model.forwards) {
      if (p.name == "F") graph = &p.graph;
    }
    REQUIRE(graph);
  }

  const Type& input(const std::string& name) const {
    for (const Node& node : graph->nodes) {
      if (node.op == Op::input && node.attributes.name == name) return node.type;
    }
    FAIL("no input " << name);
    std::abort();
  }
  bool has_input(const std::string& name) const {
    for (const Node& node : graph->nodes) {
      if (node.op == Op::input && node.attributes.name == name) return true;
    }
    return false;
  }
  Forward& set(const std::string& name, Numbers data) {
    values[name] = value_of(input(name), std::move(data));
    return *this;
  }
  Numbers run(const std::string& output = "out") const {
    const Values results = run_graph(program.model, *graph, values);
    INFO("output " << output);
    REQUIRE(results.contains(output));
    return results.at(output).data;
  }

  Elaborated program;
  const Graph* graph = nullptr;
  Values values;
};

inline void check_close(const Numbers& got, const Numbers& expected, double tolerance = 1e-10) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK(std::abs(got[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
  }
}

}  // namespace ganc::testing
