#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <iostream>

#include "compiler/autodiff/differentiate.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "tests/unit/compiled/plan_run.h"
#include "tests/unit/random_graph.h"

using namespace ganc;
using namespace ganc::test;

namespace {

void check(std::uint64_t seed, const Graph& graph, const Values& inputs, const Values& expected, bool fuse,
           double tolerance) {
  INFO(fmt::format("seed {}, {}", seed, fuse ? "fused" : "-O0"));
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({}, graphs, {.fuse = fuse});
  REQUIRE(problems(plan) == "");
  const auto compare = [&](const Values& actual, const std::string& what) {
    for (const auto& [name, value] : expected) {
      INFO(what << ": " << name);
      CHECK(difference(value, actual.at(name)) <= tolerance);
    }
  };
  compare(PlanRun(plan, by_reference()).run(0, inputs), "kernels by their reference");
}

}  // namespace

TEST_CASE("random graphs: the kernels, by their reference, compute what the interpreter computes") {
  const int count = repeats("GANC_FUZZ_COUNT", 200);
  const std::uint64_t first = repeats("GANC_FUZZ_SEED", 1);
  std::cout << "random graphs from seed " << first << "\n";
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    Random random(seed);
    const RandomGraph random_graph(random, {.real = DType::f64});
    const Values inputs = random_graph.inputs();
    const Graph graph = rewrite(differentiate(random_graph.graph()));
    const Values expected = interpret(graph, inputs);
    for (const bool fuse : {true, false}) check(seed, graph, inputs, expected, fuse, 1e-9);
  }
}
