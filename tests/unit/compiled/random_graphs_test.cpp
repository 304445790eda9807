#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <iostream>

#include "compiler/autodiff/differentiate.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "tests/unit/compiled/plan_run.h"
#include "tests/unit/random_graph.h"

// Random graphs and their derivatives: interpreter against schedule, kernels and machine code.
// GANC_FUZZ_COUNT graphs from seed GANC_FUZZ_SEED on.

using namespace ganc;
using namespace ganc::test;

namespace {

// The interpreter does not round to f32, kernels do.
double tolerance_of(const Graph& graph) {
  for (const Node& node : graph.nodes)
    if (node.type.dtype == DType::f32) return 1e-5;
  return 1e-9;
}

struct Case {
  Graph graph;
  Values inputs, expected;
  // How far each value moves where all that leads to it is rounded to f32: some graphs magnify
  // that.
  std::map<std::string, double> sensitivity;
};

Case random_case(std::uint64_t seed, const RandomGraphOptions& options) {
  Random random(seed);
  const RandomGraph random_graph(random, options);
  Case c{rewrite(differentiate(random_graph.graph())), random_graph.inputs(), {}, {}};
  c.expected = interpret(c.graph, c.inputs);
  if (options.real != DType::f32) return c;
  const Values rounded = interpret(c.graph, c.inputs, Rounding::to_type);
  for (const auto& [name, value] : c.expected)
    c.sensitivity[name] = difference(value, rounded.at(name));
  return c;
}

void compare(const Case& c, const Values& actual, const std::string& what, double tolerance) {
  for (const auto& [name, value] : c.expected) {
    INFO(what << ": " << name);
    const auto moves = c.sensitivity.find(name);
    const double magnified = moves == c.sensitivity.end() ? 0 : 8 * moves->second;
    CHECK(difference(value, actual.at(name)) <= tolerance + magnified);
  }
}

void check_same_bits(const Values& a, const Values& b, const std::string& what) {
  for (const auto& [name, value] : a) {
    INFO(what << ": " << name);
    CHECK(difference(value, b.at(name)) == 0);
  }
}

std::uint64_t first_seed() {
  return static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
}

// By the interpreter, for each way to compile, whole and in parts.
void check_machine_code(std::uint64_t seed, const Case& c, DType real) {
  const Graph* graphs[] = {&c.graph};
  for (const bool fuse : {true, false}) {
    const Plan plan = schedule({}, graphs, {.fuse = fuse});
    for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
      if (!runs_here(isa)) continue;
      INFO(fmt::format("seed {}, {}, {}", seed, fuse ? "fused" : "-O0", name(isa)));
      Jit jit;
      PlanRun run(plan, compiled(jit, plan, {.isa = isa, .optimize = fuse}));
      const Values whole = run.run(0, c.inputs);
      compare(c, whole, "machine code", real == DType::f32 ? 1e-4 : tolerance_of(c.graph));
      Random split(seed);
      for (int times = 0; times < 2; ++times)
        check_same_bits(whole, run.run(0, c.inputs, &split), "split");
    }
  }
}

}  // namespace

TEST_CASE("random graphs: kernels, run by their reference, compute what the interpreter computes") {
  const auto count = static_cast<std::uint64_t>(repeats("GANC_FUZZ_COUNT", 300));
  std::cout << fmt::format("random graphs from seed {}\n", first_seed());
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const Case c = random_case(seed, {.real = DType::f64});
    const Graph* graphs[] = {&c.graph};
    for (const bool fuse : {true, false}) {
      INFO(fmt::format("seed {}, {}", seed, fuse ? "fused" : "-O0"));
      const Plan plan = schedule({}, graphs, {.fuse = fuse});
      REQUIRE(problems(plan) == "");
      compare(c, PlanRun(plan, by_reference()).run(0, c.inputs), "reference",
              tolerance_of(c.graph));
    }
  }
}

TEST_CASE("random graphs: machine code computes what the interpreter computes, in any split") {
  const auto count = static_cast<std::uint64_t>(repeats("GANC_FUZZ_COUNT", 30));
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const DType real = seed % 2 == 0 ? DType::f32 : DType::f64;
    check_machine_code(seed, random_case(seed, {.real = real}), real);
  }
}

// Large enough for vectors, many units and sums in two stages.
TEST_CASE("random graphs of larger tensors") {
  const auto count = static_cast<std::uint64_t>(std::max(1, repeats("GANC_FUZZ_COUNT", 300) / 30));
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const RandomGraphOptions options{
        .steps = 10, .largest_axis = 30, .most_elements = 100000, .real = DType::f64};
    check_machine_code(seed, random_case(seed, options), DType::f64);
  }
}
