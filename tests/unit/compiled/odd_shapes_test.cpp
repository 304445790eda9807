#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <iostream>

#include "compiler/interpret/interpret.h"
#include "tests/unit/compiled/layer_run.h"

// Layers of any shape that a model may have, GANC_FUZZ_COUNT / 5 of them from seed GANC_FUZZ_SEED
// on: few and many samples, channels, positions and taps in all combinations, as large as the
// interpreter computes them in a moment.

using namespace ganc;
using namespace ganc::test;

namespace {

constexpr LayerRange range{.least_products = 1, .most_products = 3e6, .most_elements = 3e5};

// What rounding to f32 may add up to, relative L2, in the longest sums of a layer.
double rounding(const LayerShape& shape, const Values& expected) {
  double longest = 0;
  for (const char* result : {"out/y", "out/dx", "grad/D/w"})
    longest =
        std::max(longest, products(shape) / static_cast<double>(expected.at(result).data.size()));
  return 0x1p-23 * (8 + std::sqrt(longest));
}

// Of sums of products of numbers within [-2, 2]; where there are few, terms of both signs may leave
// next to nothing.
double usual_norm(const LayerShape& shape, const std::string& name) {
  return name.starts_with("variable/") ? 0 : 4.0 / 3.0 * std::sqrt(products(shape));
}

void check(const LayerShape& shape, const LayerProgram& layer, bool fewer, double tolerance,
           const Values& inputs, const Values& expected, Random& random) {
  const Graph* graphs[] = {&layer.graph};
  const Plan plan =
      schedule(layer.variables, graphs, {.products = {fewer ? Products::fewer : Products::exact}});
  REQUIRE(problems(plan) == "");
  for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
    if (!runs_here(isa)) continue;
    Jit jit;
    const auto execute = compiled(jit, plan, {.isa = isa});
    const Outcome whole = run(layer, plan, execute, inputs, nullptr),
                  parts = run(layer, plan, execute, inputs, &random);
    for (const auto& [name, value] : expected) {
      INFO(fmt::format("{} of {}, {}, {}", name, describe(shape), ganc::name(isa),
                       fewer ? "fast" : "exact"));
      if (name != "loss/D")
        CHECK(relative_error(value, whole.value(name), usual_norm(shape, name)) <= tolerance);
      CHECK(difference(whole.value(name), parts.value(name)) == 0);
    }
  }
}

}  // namespace

TEST_CASE("layers of odd shapes: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 5;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("odd shapes from seed {}\n", first);
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const LayerShape shape = random_layer_shape(random, range);
    // Without an activation, which would magnify errors where it is steep.
    const LayerProgram layer = layer_program(shape, Activation::none);
    const Values inputs = random_inputs(random, layer.graph);
    const Values expected = interpret(layer.graph, inputs);
    const double exact = rounding(shape, expected);
    check(shape, layer, false, exact, inputs, expected, random);
    check(shape, layer, true, std::max(1e-5, exact), inputs, expected, random);
  }
}
