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

// Ways in which a contraction may read its operands.
struct Forms {
  bool dot = false, rows_of_both = false, common_lanes = false, parts = false;

  void add(const kernel::Block& block) {
    for (const kernel::Statement& s : block) {
      if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) add(loop->body);
      if (const auto* c = std::get_if<kernel::Contraction>(&s.node)) {
        dot |= c->dot;
        rows_of_both |= !c->dot && c->b_m_stride != 0;
        common_lanes |= !c->dot && c->a_v_stride != 0;
        parts |= bool(c->initial);
      }
    }
  }
};

void check(const LayerShape& shape, const LayerProgram& layer, bool fewer, double tolerance,
           const Values& inputs, const Values& expected, Random& random, Forms& forms) {
  const Graph* graphs[] = {&layer.graph};
  for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
    if (!runs_here(isa)) continue;
    const Plan plan = schedule(layer.variables, graphs,
                               {.products = {fewer ? Products::fewer : Products::exact},
                                .register_rows = rows_of_register_tile(isa)});
    REQUIRE(problems(plan) == "");
    for (const kernel::Kernel& kernel : plan.kernels) forms.add(kernel.body);
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

void check(const LayerShape& shape, Random& random, Forms& forms) {
  // Without an activation, which would magnify errors where it is steep.
  const LayerProgram layer = layer_program(shape, Activation::none);
  const Values inputs = random_inputs(random, layer.graph);
  const Values expected = interpret(layer.graph, inputs);
  const double exact = rounding(shape, expected);
  check(shape, layer, false, exact, inputs, expected, random, forms);
  check(shape, layer, true, std::max(1e-5, exact), inputs, expected, random, forms);
}

template <class Wanted>
LayerShape random_layer_shape(Random& random, const LayerRange& within, const Wanted& wanted) {
  while (true)
    if (const LayerShape shape = random_layer_shape(random, within); wanted(shape)) return shape;
}

}  // namespace

TEST_CASE("layers of odd shapes: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 5;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("odd shapes from seed {}\n", first);
  Forms forms;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    check(random_layer_shape(random, range), random, forms);
  }
}

TEST_CASE("layers of groups, of a channel alone and of few channels") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 10;
  Forms forms;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const std::int64_t kind = random.integer(0, 2);
    const auto wanted = [&](const LayerShape& shape) {
      const bool grouped = shape.groups > 1;
      if (kind == 0) return grouped;
      if (kind == 1) return grouped && shape.in == shape.groups && shape.out == shape.groups;
      return !shape.axes.empty() && std::min(shape.in, shape.out) < 4;
    };
    check(random_layer_shape(random, range, wanted), random, forms);
  }
  CHECK(forms.dot);
  CHECK(forms.rows_of_both);
  CHECK(forms.common_lanes);
}

TEST_CASE("gradients of filters whose sums are done in parts") {
  constexpr LayerRange longer{.least_products = 1e6, .most_products = 1e7, .most_elements = 1e6};
  Forms forms;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    check(random_layer_shape(random, longer,
                             [](const LayerShape& shape) {
                               return !shape.axes.empty() && moved_elements(shape, true) > 4e5;
                             }),
          random, forms);
  }
  CHECK(forms.parts);
}
