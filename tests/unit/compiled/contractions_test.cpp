#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <functional>
#include <iostream>
#include <span>

#include "compiler/interpret/interpret.h"
#include "tests/unit/compiled/layer_run.h"

// Dense layers and convolutions of random shapes as they stand in a program: batched data, a
// weight, bias and activation, both gradients and the step of the weight.

using namespace ganc;
using namespace ganc::test;

namespace {

Activation leaky_or_none(Random& random) {
  return random.chance(0.5) ? Activation::leaky : Activation::none;
}

LayerShape random_dense(Random& random) {
  const std::int64_t batches[] = {1, 3, 16, 20, 32, 64};
  const std::int64_t n = batches[random.integer(0, 5)], inputs = random.integer(1, 70);
  return {.batch = n, .in = inputs, .out = random.integer(1, 70)};
}

// A convolution; or the one whose data gradient it is.
LayerShape random_convolution(Random& random) {
  while (true) {
    const std::int64_t batches[] = {1, 2, 16, 18, 32};
    const std::int64_t groups = random.chance(0.2) ? 2 : 1;
    LayerShape shape{.groups = groups};
    shape.batch = batches[random.integer(0, 4)];
    shape.in = groups * random.integer(1, 9);
    shape.out = groups * random.integer(1, 9);
    shape.transposed = groups == 1 && random.chance(0.3);
    const auto spatial = static_cast<std::size_t>(random.integer(1, 2));
    for (std::size_t i = 0; i < spatial; ++i) {
      LayerShape::Axis axis{random.integer(1, 8), random.integer(1, 5), {}};
      axis.window = {.stride = random.integer(1, 3),
                     .pad_low = random.integer(0, 2),
                     .pad_high = random.integer(0, 2),
                     .lhs_dilation = random.integer(1, random.chance(0.5) ? 2 : 1),
                     .rhs_dilation = random.integer(1, random.chance(0.3) ? 2 : 1)};
      shape.axes.push_back(axis);
    }
    if (fits(shape)) return shape;
  }
}

void compare(const Values& expected, const Outcome& actual, double tolerance) {
  for (const auto& [name, value] : expected) {
    INFO(name);
    CHECK(difference(value, actual.value(name)) <= tolerance);
  }
}

// A convolution that minimal filtering can do: two taps or more, plain, or with a stride, holes in
// the image or between the taps.
LayerShape random_filter(Random& random) {
  const std::int64_t batches[] = {1, 3, 16, 20, 32, 48};
  LayerShape shape;
  shape.batch = batches[random.integer(0, 5)];
  shape.in = 8 * random.integer(2, 5);
  shape.out = 8 * random.integer(2, 5);
  const auto spatial = static_cast<std::size_t>(random.integer(1, 2));
  const int kind = static_cast<int>(random.integer(0, 3));  // plain, stride, transposed, dilated
  shape.transposed = kind == 2;
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t step = kind == 0 ? 1 : random.integer(2, spatial == 1 ? 4 : 3),
                       of_step = kind == 1 || kind == 2 ? step : 1,
                       taps = of_step + random.integer(1, spatial == 1 ? 7 : 3) * of_step -
                              random.integer(0, of_step - 1),
                       pad = random.integer(0, taps / 2), reach = kind == 3 ? step * taps : taps;
    const std::int64_t size = kind == 2 ? random.integer(2, 7) : reach + random.integer(0, 6);
    const Window window{.stride = kind == 1 ? step : 1,
                        .pad_low = kind == 2 ? taps - 1 - pad : pad,
                        .pad_high = kind == 2 ? taps - 1 - pad + random.integer(0, step - 1) : pad,
                        .lhs_dilation = kind == 2 ? step : 1,
                        .rhs_dilation = kind == 3 ? step : 1};
    shape.axes.push_back({size, taps, window});
  }
  return shape;
}

// How many kernels have memory of their own: those of minimal filtering.
int kernels_with_local_memory(const Plan& plan) {
  return static_cast<int>(std::ranges::count_if(plan.kernels, [](const kernel::Kernel& k) {
    return std::ranges::any_of(k.buffers, [](const kernel::Buffer& b) { return b.local; });
  }));
}

// Of the register tiles that a plan may be made for.
std::int64_t register_rows(Random& random) {
  return rows_of_register_tile(random.chance(0.5) ? Isa::x86_64_v3 : Isa::x86_64_v4);
}

void check_layer(const LayerProgram& layer, Random& random, bool machine_code) {
  const DType real = layer.variables[0].type.dtype;
  const Values inputs = random_inputs(random, layer.graph);
  const Values expected = interpret(layer.graph, inputs);
  const Graph* graphs[] = {&layer.graph};
  for (const bool fuse : {true, false}) {
    INFO((fuse ? "fused" : "-O0"));
    const Plan plan =
        schedule(layer.variables, graphs, {.fuse = fuse, .register_rows = register_rows(random)});
    REQUIRE(problems(plan) == "");
    compare(expected, run(layer, plan, by_reference(), inputs, nullptr),
            real == DType::f64 ? 1e-11 : 1e-5);
    if (!machine_code || !fuse) continue;
    for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
      if (!runs_here(isa)) continue;
      INFO(name(isa));
      Jit jit;
      const auto execute = compiled(jit, plan, {.isa = isa});
      const Outcome whole = run(layer, plan, execute, inputs, nullptr);
      compare(expected, whole, real == DType::f64 ? 1e-11 : 1e-5);
      const Outcome parts = run(layer, plan, execute, inputs, &random);
      for (const auto& [name, value] : whole.variables)
        CHECK(difference(value, parts.variables.at(name)) == 0);
    }
  }
}

// Rows and lanes of the last contraction of a product.
std::pair<std::int64_t, std::int64_t> last_tile(LayerProduct product, const LayerShape& shape) {
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = weight_type(shape)};
  // With the layer itself, which says how the weight lies.
  const Graph layer = product_graph(shape, LayerProduct::forward),
              graph = product_graph(shape, product);
  const Graph* graphs[] = {&layer, &graph};
  const Plan plan = schedule({&w, 1}, graphs, {});
  std::pair<std::int64_t, std::int64_t> tile;
  const std::function<void(const kernel::Block&)> walk = [&](const kernel::Block& block) {
    for (const kernel::Statement& s : block) {
      if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) walk(loop->body);
      if (const auto* c = std::get_if<kernel::Contraction>(&s.node))
        tile = {c->m_limit, c->v_limit};
    }
  };
  for (const Call& call : plan.programs[1].calls) walk(plan.kernels[call.kernel].body);
  return tile;
}

}  // namespace

TEST_CASE("layers of random shapes: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 4;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("layers from seed {}\n", first);
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const DType real = seed % 3 == 0 ? DType::f32 : DType::f64;
    const LayerShape shape = seed % 4 == 0 ? random_dense(random) : random_convolution(random);
    check_layer(layer_program(shape, leaky_or_none(random), real), random, seed % 15 == 0);
  }
}

// A plan of a layer, its products not exact, against what the interpreter makes of it, on those
// CPUs of `isas` that this is one of; and that the order in which units run changes no bit.
void check_plan(const LayerProgram& layer, const Plan& plan, const Values& inputs, double tolerance,
                std::span<const Isa> isas, Random& random, bool by_loops) {
  REQUIRE(problems(plan) == "");
  const Values expected = interpret(layer.graph, inputs);
  const auto compare_all = [&](const Outcome& actual) {
    for (const auto& [name, value] : expected) {
      INFO(name);
      CHECK(relative_error(value, actual.value(name)) < tolerance);
    }
  };
  if (by_loops) compare_all(run(layer, plan, by_reference(), inputs, nullptr));
  for (const Isa isa : isas) {
    if (!runs_here(isa)) continue;
    INFO(name(isa));
    Jit jit;
    const auto execute = compiled(jit, plan, {.isa = isa});
    const Outcome whole = run(layer, plan, execute, inputs, nullptr);
    compare_all(whole);
    const Outcome parts = run(layer, plan, execute, inputs, &random);
    for (const auto& [name, value] : whole.variables)
      CHECK(difference(value, parts.variables.at(name)) == 0);
  }
}

// A layer with fewer multiplications. How many kernels have memory of their own.
int check_fewer(const LayerShape& shape, Random& random, bool by_loops) {
  // Without a kink: where a sum is nearly zero, rounding decides on which side it lies.
  const bool smooth = random.chance(0.5);
  const LayerProgram layer = layer_program(shape, smooth ? Activation::smooth : Activation::none);
  const Values inputs = random_inputs(random, layer.graph);
  const Graph* graphs[] = {&layer.graph};
  const Plan plan = schedule(
      layer.variables, graphs,
      {.products = {Products::fewer}, .least_gain = 0, .register_rows = register_rows(random)});
  INFO(describe(shape));
  constexpr Isa isas[] = {Isa::x86_64_v3, Isa::x86_64_v4};
  // The slope of an activation magnifies the error of the product before it.
  check_plan(layer, plan, inputs, smooth ? 3e-5 : 1e-5, isas, random, by_loops);
  return kernels_with_local_memory(plan);
}

TEST_CASE("convolutions with fewer multiplications: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 10;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("filters from seed {}\n", first);
  int found = 0;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const LayerShape shape = random_filter(random);
    found += check_fewer(shape, random, seed % 5 == 0);
  }
  CHECK(found > count);  // more than one of the three convolutions of a layer
}

// How many calls each of the three products of a layer is.
std::vector<std::size_t> calls_with_fewer(const LayerShape& shape) {
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = weight_type(shape)};
  std::vector<Graph> graphs;
  for (const LayerProduct product :
       {LayerProduct::forward, LayerProduct::data_gradient, LayerProduct::weight_gradient})
    graphs.push_back(product_graph(shape, product));
  const Graph* pointers[] = {&graphs[0], &graphs[1], &graphs[2]};
  const Plan plan =
      schedule({&w, 1}, pointers, {.products = std::vector(3, Products::fewer), .least_gain = 0});
  std::vector<std::size_t> calls;
  for (const ProgramPlan& program : plan.programs) calls.push_back(program.calls.size());
  return calls;
}

TEST_CASE("fewer multiplications of few samples") {
  const Window window{.pad_low = 1, .pad_high = 1};
  // A unit has rows of tiles, the last one fewer of them.
  const LayerShape tall{
      .batch = 1, .in = 32, .out = 48, .axes = {{20, 3, window}, {33, 3, window}}};
  // Filters are transformed in the kernel that multiplies them. Of the gradient of large weights
  // the points of both operands are made first; what comes out is transposed.
  const LayerShape wide{
      .batch = 1, .in = 192, .out = 192, .axes = {{12, 3, window}, {12, 3, window}}};
  CHECK(calls_with_fewer(wide) == std::vector<std::size_t>{1, 1, 4});
  // More tiles than one sum has: of two axes, with a stride, in pieces; of several samples.
  const Window half{.stride = 2, .pad_low = 2, .pad_high = 2};
  const LayerShape strided{
      .batch = 1, .in = 192, .out = 192, .axes = {{18, 5, half}, {30, 5, half}}};
  const LayerShape three{
      .batch = 3, .in = 192, .out = 192, .axes = {{7, 3, window}, {9, 3, window}}};
  Random random(1);
  for (const LayerShape& shape : {tall, wide, strided, three})
    CHECK(check_fewer(shape, random, false) >= 2);
}

TEST_CASE(
    "fewer multiplications of an image of one row of tiles, the last block of them not full") {
  const Window window{.pad_low = 1, .pad_high = 1};
  Random random(1);
  CHECK(check_fewer({.batch = 1, .in = 16, .out = 16, .axes = {{4, 3, window}, {516, 3, window}}},
                    random, false) == 3);
}

// A layer whose products may be of pairs: many channels, or samples for the gradient of weights.
LayerShape random_large_layer(Random& random) {
  if (random.chance(0.5)) return random_filter(random);
  const std::int64_t n = random.integer(16, 70), inputs = random.integer(16, 90);
  return {.batch = n, .in = inputs, .out = random.integer(16, 90)};
}

int kernels_of_pairs(const Plan& plan) {
  return static_cast<int>(std::ranges::count_if(plan.kernels, [](const kernel::Kernel& k) {
    return uses_pairs(k) && !k.buffers.empty() && k.buffers[0].dtype == DType::u32;
  }));
}

TEST_CASE("products of pairs of bf16: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 10;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("layers of pairs from seed {}\n", first);
  const auto [products, tiles] = GENERATE(table<Products, bool>({{Products::bf16_vectors, false},
                                                                 {Products::bf16_tiles, true},
                                                                 {Products::split_tiles, true}}));
  int found = 0;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}, {}", seed, static_cast<int>(products)));
    Random random(seed);
    const LayerShape shape = random_large_layer(random);
    const bool smooth = random.chance(0.5);
    const LayerProgram layer = layer_program(shape, smooth ? Activation::smooth : Activation::none);
    Values inputs = random_inputs(random, layer.graph);
    // Numbers that bf16 holds: where nothing nonlinear stands between the products, they are exact.
    if (products != Products::split_tiles)
      for (auto& [name, value] : inputs)
        for (double& x : value.data) x = std::round(x * 8) / 8;
    // 1e-5 a product in two parts; gradients through an activation stand behind two.
    const double tolerance = products == Products::split_tiles ? (smooth ? 2e-5 : 1e-5)
                             : smooth                          ? 1e-2
                                                               : 1e-6;
    const Graph* graphs[] = {&layer.graph};
    const Plan plan = schedule(layer.variables, graphs, {.products = {products}, .least_gain = 0});
    found += kernels_of_pairs(plan);
    INFO(describe(shape));
    std::vector<Isa> isas(std::begin(every_isa), std::end(every_isa));
    std::erase_if(isas, [&](Isa isa) { return tiles != (isa == Isa::amx); });
    check_plan(layer, plan, inputs, tolerance, isas, random, seed % 5 == 0);
  }
  CHECK(found > count);  // more than one of the three products of a layer
}

TEST_CASE("the filters of a group that begin within a panel of the copied operand") {
  Random random(1);
  const Window half{.stride = 2, .pad_low = 1, .pad_high = 1};
  const LayerShape shape{
      .batch = 39, .in = 2, .out = 300, .groups = 2, .axes = {{3, 4, half}, {3, 4, half}}};
  check_layer(layer_program(shape, Activation::none, DType::f64), random, true);
}

TEST_CASE("gradients of few channels: taps as rows, sums in parts of a row") {
  const Window half{.stride = 2, .pad_low = 1, .pad_high = 1}, cut{.pad_low = -1, .pad_high = 2};
  const std::pair<LayerShape, std::int64_t> layers[] = {
      {{.batch = 18, .in = 3, .out = 16, .axes = {{46, 4, half}, {46, 4, half}}}, 12},
      {{.batch = 39, .in = 1, .out = 24, .axes = {{24, 3, cut}, {24, 3, cut}}}, 3},
      {{.batch = 17, .in = 5, .out = 5, .groups = 5, .axes = {{40, 3, half}, {40, 3, half}}}, 1}};
  constexpr Isa isas[] = {Isa::x86_64_v3, Isa::x86_64_v4};
  Random random(1);
  for (const auto& [shape, rows] : layers) {
    INFO(describe(shape));
    CHECK(last_tile(LayerProduct::weight_gradient, shape).first == rows);
    for (const DType real : {DType::f32, DType::f64}) {
      const LayerProgram layer = layer_program(shape, Activation::none, real);
      const Values inputs = random_inputs(random, layer.graph);
      const Graph* graphs[] = {&layer.graph};
      for (const Isa isa : isas) {
        const Plan plan =
            schedule(layer.variables, graphs, {.register_rows = rows_of_register_tile(isa)});
        check_plan(layer, plan, inputs, real == DType::f64 ? 1e-11 : 1e-5, isas, random, false);
      }
    }
  }
}

TEST_CASE("three lanes are rather rows, where those are contiguous") {
  // The gradient of the filters of a layer from 32 channels to 3, of one sample.
  const LayerShape shape{.batch = 1, .in = 32, .out = 3, .axes = {{12, 5, {}}, {12, 5, {}}}};
  CHECK(last_tile(LayerProduct::weight_gradient, shape).second == 32);
}

TEST_CASE("three lanes are rather positions of an image with its border") {
  const Window window{.pad_low = 2, .pad_high = 2};
  LayerShape shape{.batch = 2, .in = 20, .out = 3, .axes = {{9, 5, window}, {30, 5, window}}};
  CHECK(last_tile(LayerProduct::forward, shape).second == 30);
  shape.in = 3, shape.out = 20;
  CHECK(last_tile(LayerProduct::data_gradient, shape).second == 30);
  shape.batch = 16;
  CHECK(last_tile(LayerProduct::data_gradient, shape).second == 16);
  // With a stride, the positions of each of its phases.
  shape = {.batch = 2, .in = 3, .out = 20, .axes = {{9, 5, window}, {30, 5, window}}};
  shape.axes[1].window.stride = 2;
  CHECK(last_tile(LayerProduct::data_gradient, shape).second == 15);
}

TEST_CASE("few samples of large filters: a unit has some of the filters for all positions") {
  const Window window{.pad_low = 1, .pad_high = 1};
  const LayerShape shape{
      .batch = 1, .in = 256, .out = 512, .axes = {{6, 3, window}, {6, 3, window}}};
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = weight_type(shape)};
  const Graph graph = product_graph(shape, LayerProduct::forward);
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({&w, 1}, graphs, {});
  CHECK(plan.kernels[plan.programs[0].calls.back().kernel].units == 512 / 64);
}

TEST_CASE("channels and taps of few filters are rows together") {
  const Window window{.stride = 2, .pad_low = 2, .pad_high = 2};
  const LayerShape shape{
      .batch = 16, .in = 3, .out = 64, .axes = {{16, 5, window}, {16, 5, window}}};
  CHECK(last_tile(LayerProduct::weight_gradient, shape) ==
        std::pair<std::int64_t, std::int64_t>(15, 64));
}

TEST_CASE("what an epilogue reads is not where the parts of a long sum lie") {
  Graph graph;
  Builder b(graph);
  const Variable w{
      .name = "w", .kind = VariableKind::weight, .type = {DType::f32, {256, 256, 3, 3}}};
  const NodeId x = b.input("data/x", {DType::f32, {4, 256, 6, 6}}),
               thin = b.input("data/thin", {DType::f32, {256, 256, 1, 1}});
  const Window around{.pad_low = 1, .pad_high = 1};
  const NodeId skip = b.convolution(x, thin, {{}, {}}),
               sum = b.convolution(x, b.input("variable/w", w.type), {around, around});
  b.output("sum", sum);
  b.output("out", b.add(skip, sum));  // the last reader of skip
  Random random(1);
  const Values inputs = random_inputs(random, graph);
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({&w, 1}, graphs, {});
  PlanRun run(plan, by_reference());
  run.set_variable("w", inputs.at("variable/w"));
  const Values results = run.run(0, inputs);
  for (const auto& [name, value] : interpret(graph, inputs)) {
    INFO(name);
    CHECK(difference(value, results.at(name)) <= 1e-5);
  }
}

TEST_CASE("rows with which both operands move are no rows of tiles") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {17, 32, 16}}),
               y = b.input("data/y", {DType::f32, {17, 32}});
  b.output("out", b.dot_general(x, y, {0}, {0}, {1}, {1}));
  const Graph* graphs[] = {&graph};
  for (const Products products : {Products::bf16_tiles, Products::split_tiles})
    CHECK(problems(schedule({}, graphs, {.products = {products}, .least_gain = 0})) == "");
}
