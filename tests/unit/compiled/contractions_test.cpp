#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <functional>
#include <iostream>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/builder.h"
#include "compiler/graph/print.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "tests/unit/compiled/plan_run.h"

// Dense layers and convolutions of random shapes as they stand in a program: batched data, a
// weight, bias and activation, both gradients and the step of the weight.

using namespace ganc;
using namespace ganc::test;

namespace {

struct Layer {
  Graph graph;
  std::vector<Variable> variables;
};

enum class Activation { none, leaky, smooth };

// Loss, gradients and the new weight behind y = layer(x, w).
void finish(Builder& b, NodeId x, NodeId w, NodeId y, Activation activation) {
  const Shape& shape = b.shape(y);
  const std::int64_t channels = shape[1];
  const NodeId bias = b.input("variable/bias", {b.dtype(y), {channels}});
  y = b.add(y, b.broadcast_in_dim(bias, shape, {1}));
  if (activation == Activation::leaky) y = b.maximum(y, b.multiply(y, b.like(y, 0.2)));
  if (activation == Activation::smooth) y = b.unary(Op::tanh, b.multiply(y, b.like(y, 0.1)));
  const NodeId c = b.input("data/c", b.type(y));
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  const NodeId loss = b.reduce_sum(b.multiply(y, c), axes);
  const NodeId dw = b.grad(loss, w), dx = b.grad(loss, x), dbias = b.grad(loss, bias);
  b.output("out/y", y);
  b.output("loss/D", loss);
  b.output("out/dx", dx);
  b.output("grad/D/w", dw);
  b.output("variable/w", b.subtract(w, b.multiply(dw, b.like(dw, 0.01))));
  b.output("variable/bias", b.subtract(bias, b.multiply(dbias, b.like(dbias, 0.01))));
}

Layer finished(Graph graph, const Type& w, const Type& bias) {
  Layer layer{rewrite(differentiate(graph)), {}};
  layer.variables.push_back({.name = "w", .kind = VariableKind::weight, .type = w});
  layer.variables.push_back({.name = "bias", .kind = VariableKind::weight, .type = bias});
  return layer;
}

Layer random_dense(Random& random, DType real) {
  const std::int64_t batches[] = {1, 3, 16, 20, 32, 64};
  const std::int64_t n = batches[random.integer(0, 5)], inputs = random.integer(1, 70),
                     outputs = random.integer(1, 70);
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {real, {n, inputs}}),
               w = b.input("variable/w", {real, {inputs, outputs}});
  finish(b, x, w, b.dot_general(x, w, {}, {}, {1}, {0}),
         random.chance(0.5) ? Activation::leaky : Activation::none);
  return finished(graph, {real, {inputs, outputs}}, {real, {outputs}});
}

// A convolution; or the one whose data gradient it is: weights [I, O, k..] transposed and reversed.
Layer random_convolution(Random& random, DType real) {
  while (true) {
    const std::int64_t batches[] = {1, 2, 16, 18, 32};
    const std::int64_t groups = random.chance(0.2) ? 2 : 1;
    const std::int64_t n = batches[random.integer(0, 4)];
    const std::int64_t in = groups * random.integer(1, 9), out = groups * random.integer(1, 9);
    const bool transposed = groups == 1 && random.chance(0.3);
    const auto spatial = static_cast<std::size_t>(random.integer(1, 2));
    Shape x_shape = {n, in}, w_shape = {out, in / groups};
    std::vector<Window> windows;
    for (std::size_t i = 0; i < spatial; ++i) {
      x_shape.push_back(random.integer(1, 8));
      w_shape.push_back(random.integer(1, 5));
      windows.push_back({.stride = random.integer(1, 3),
                         .pad_low = random.integer(0, 2),
                         .pad_high = random.integer(0, 2),
                         .lhs_dilation = random.integer(1, random.chance(0.5) ? 2 : 1),
                         .rhs_dilation = random.integer(1, random.chance(0.3) ? 2 : 1)});
      const std::int64_t dilated = (x_shape.back() - 1) * windows.back().lhs_dilation + 1 +
                                   windows.back().pad_low + windows.back().pad_high;
      if ((w_shape.back() - 1) * windows.back().rhs_dilation + 1 > dilated) w_shape.back() = 0;
    }
    if (element_count(w_shape) == 0) continue;
    Graph graph;
    Builder b(graph);
    if (transposed) std::swap(w_shape[0], w_shape[1]);
    const NodeId x = b.input("data/x", {real, x_shape}), w = b.input("variable/w", {real, w_shape});
    NodeId kernel = w;
    if (transposed) {
      kernel = b.transpose(w, spatial == 1 ? std::vector<std::int64_t>{1, 0, 2}
                                           : std::vector<std::int64_t>{1, 0, 2, 3});
      kernel = b.reverse(
          kernel, spatial == 1 ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{2, 3});
    }
    finish(b, x, w, b.convolution(x, kernel, windows, groups),
           random.chance(0.5) ? Activation::leaky : Activation::none);
    return finished(graph, {real, w_shape}, {real, {out}});
  }
}

Values random_inputs(Random& random, const Graph& graph) {
  Values values;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::input) continue;
    Value v = random_value(random, node.type);
    for (double& x : v.data) x = static_cast<float>(x);
    values[node.attributes.name] = std::move(v);
  }
  return values;
}

struct Outcome {
  Values results, variables;
};
Outcome run(const Layer& layer, const Plan& plan, const PlanRun::Execute& execute,
            const Values& inputs, Random* split) {
  PlanRun run(plan, execute);
  for (const Variable& v : layer.variables)
    if (inputs.contains("variable/" + v.name))
      run.set_variable(v.name, inputs.at("variable/" + v.name));
  Outcome outcome{run.run(0, inputs, split), {}};
  for (const Variable& v : layer.variables)
    outcome.variables["variable/" + v.name] = run.variable(v.name);
  return outcome;
}

void compare(const Values& expected, const Outcome& actual, double tolerance) {
  for (const auto& [name, value] : expected) {
    INFO(name);
    const Values& from = name.starts_with("variable/") ? actual.variables : actual.results;
    CHECK(difference(value, from.at(name)) <= tolerance);
  }
}

// A convolution that minimal filtering can do: 2 to 4 taps, or 3 to 4 with stride 2 or holes.
Layer random_filter(Random& random) {
  const std::int64_t batches[] = {1, 3, 16, 20, 32, 48};
  const std::int64_t n = batches[random.integer(0, 5)], in = 8 * random.integer(2, 5),
                     out = 8 * random.integer(2, 5);
  const auto spatial = static_cast<std::size_t>(random.integer(1, 2));
  const int kind = static_cast<int>(random.integer(0, 2));  // plain, stride 2, transposed
  Shape x_shape = {n, in}, w_shape = {out, in};
  std::vector<Window> windows;
  const std::int64_t taps = kind == 0 ? random.integer(2, 4) : random.integer(3, 4);
  for (std::size_t i = 0; i < spatial; ++i) {
    x_shape.push_back(kind == 1 ? 2 * random.integer(2, 6)
                                : random.integer(std::max<std::int64_t>(3, taps), 9));
    w_shape.push_back(taps);
    const std::int64_t pad = random.integer(0, 1);
    windows.push_back({.stride = kind == 1 ? 2 : 1,
                       .pad_low = kind == 2 ? taps - 1 - pad : pad,
                       .pad_high = kind == 2 ? taps - 1 - pad + taps % 2 : pad,
                       .lhs_dilation = kind == 2 ? 2 : 1});
  }
  Graph graph;
  Builder b(graph);
  if (kind == 2) std::swap(w_shape[0], w_shape[1]);
  const NodeId x = b.input("data/x", {DType::f32, x_shape}),
               w = b.input("variable/w", {DType::f32, w_shape});
  NodeId kernel = w;
  if (kind == 2) {
    kernel = b.transpose(w, spatial == 1 ? std::vector<std::int64_t>{1, 0, 2}
                                         : std::vector<std::int64_t>{1, 0, 2, 3});
    kernel = b.reverse(
        kernel, spatial == 1 ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{2, 3});
  }
  // Without a kink: where a sum is nearly zero, rounding decides on which side it lies.
  finish(b, x, w, b.convolution(x, kernel, windows, 1),
         random.chance(0.5) ? Activation::smooth : Activation::none);
  return finished(graph, {DType::f32, w_shape}, {DType::f32, {out}});
}

// Euclidean norms: of the difference, over that of `expected`.
double relative_error(const Value& expected, const Value& actual) {
  if (expected.type != actual.type) return std::numeric_limits<double>::infinity();
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    const double d = actual.data[i] - expected.data[i];
    difference += d * d;
    size += expected.data[i] * expected.data[i];
  }
  return std::sqrt(difference / size);
}

// How many kernels have memory of their own: those of minimal filtering.
int kernels_with_local_memory(const Plan& plan) {
  return static_cast<int>(std::ranges::count_if(plan.kernels, [](const kernel::Kernel& k) {
    return std::ranges::any_of(k.buffers, [](const kernel::Buffer& b) { return b.local; });
  }));
}

void check_layer(const Layer& layer, Random& random, bool machine_code) {
  const DType real = layer.variables[0].type.dtype;
  const Values inputs = random_inputs(random, layer.graph);
  const Values expected = interpret(layer.graph, inputs);
  const Graph* graphs[] = {&layer.graph};
  for (const bool fuse : {true, false}) {
    INFO((fuse ? "fused" : "-O0"));
    const Plan plan = schedule(layer.variables, graphs, {.fuse = fuse});
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

}  // namespace

TEST_CASE("layers of random shapes: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 4;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("layers from seed {}\n", first);
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const DType real = seed % 3 == 0 ? DType::f32 : DType::f64;
    const Layer layer =
        seed % 4 == 0 ? random_dense(random, real) : random_convolution(random, real);
    check_layer(layer, random, seed % 15 == 0);
  }
}

TEST_CASE("convolutions with fewer multiplications: value, both gradients and the step") {
  const int count = repeats("GANC_FUZZ_COUNT", 300) / 10;
  const auto first = static_cast<std::uint64_t>(repeats("GANC_FUZZ_SEED", 1));
  std::cout << fmt::format("filters from seed {}\n", first);
  int found = 0;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(count); ++seed) {
    INFO(fmt::format("seed {}", seed));
    Random random(seed);
    const Layer layer = random_filter(random);
    const Values inputs = random_inputs(random, layer.graph);
    const Values expected = interpret(layer.graph, inputs);
    const Graph* graphs[] = {&layer.graph};
    const Plan plan =
        schedule(layer.variables, graphs, {.products = {Products::fewer}, .least_gain = 0});
    REQUIRE(problems(plan) == "");
    found += kernels_with_local_memory(plan);
    const auto compare_all = [&](const Outcome& actual) {
      for (const auto& [name, value] : expected) {
        INFO(name << " of " << print(layer.graph));
        const Values& from = name.starts_with("variable/") ? actual.variables : actual.results;
        CHECK(relative_error(value, from.at(name)) < 1e-5);
      }
    };
    if (seed % 5 == 0) compare_all(run(layer, plan, by_reference(), inputs, nullptr));
    for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
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
  CHECK(found > count);  // more than one of the three convolutions of a layer
}

// Layers whose products may be of pairs: many channels, or samples for the gradient of weights.
Layer random_large_layer(Random& random) {
  if (random.chance(0.5)) return random_filter(random);
  const std::int64_t n = random.integer(16, 70), inputs = random.integer(16, 90),
                     outputs = random.integer(16, 90);
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {n, inputs}}),
               w = b.input("variable/w", {DType::f32, {inputs, outputs}});
  finish(b, x, w, b.dot_general(x, w, {}, {}, {1}, {0}),
         random.chance(0.5) ? Activation::smooth : Activation::none);
  return finished(graph, {DType::f32, {inputs, outputs}}, {DType::f32, {outputs}});
}

int kernels_of_pairs(const Plan& plan) {
  return static_cast<int>(std::ranges::count_if(plan.kernels, [](const kernel::Kernel& k) {
    return std::ranges::any_of(k.buffers, [](const kernel::Buffer& b) {
      return b.dtype == DType::u32 && b.read && !b.written;
    });
  }));
}

bool is_smooth(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& n) { return n.op == Op::tanh; });
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
    const Layer layer = random_large_layer(random);
    Values inputs = random_inputs(random, layer.graph);
    // Numbers that bf16 holds: where nothing nonlinear stands between the products, they are exact.
    if (products != Products::split_tiles)
      for (auto& [name, value] : inputs)
        for (double& x : value.data) x = std::round(x * 8) / 8;
    const double tolerance = products == Products::split_tiles ? 1e-5
                             : is_smooth(layer.graph)          ? 1e-2
                                                               : 1e-6;
    const Values expected = interpret(layer.graph, inputs);
    const Graph* graphs[] = {&layer.graph};
    const Plan plan = schedule(layer.variables, graphs, {.products = {products}, .least_gain = 0});
    REQUIRE(problems(plan) == "");
    found += kernels_of_pairs(plan);
    const auto compare_all = [&](const Outcome& actual) {
      for (const auto& [name, value] : expected) {
        INFO(name << " of " << print(layer.graph));
        const Values& from = name.starts_with("variable/") ? actual.variables : actual.results;
        CHECK(relative_error(value, from.at(name)) < tolerance);
      }
    };
    if (seed % 5 == 0) compare_all(run(layer, plan, by_reference(), inputs, nullptr));
    for (const Isa isa : every_isa) {
      if (!runs_here(isa) || tiles != (isa == Isa::amx)) continue;
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
  CHECK(found > count);  // more than one of the three products of a layer
}

TEST_CASE("three lanes are rather rows, where those are contiguous") {
  Graph graph;
  Builder b(graph);
  // The gradient of the filters of a layer from 32 channels to 3, of one sample.
  const Shape at = {1, 32, 12, 12};
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {3, 32, 5, 5}}};
  const NodeId x = b.input("data/x", {DType::f32, at}), filters = b.input("variable/w", w.type);
  const NodeId y = b.convolution(x, filters, {Window{}, Window{}});
  const NodeId loss = b.reduce_sum(b.multiply(y, y), {0, 1, 2, 3});
  b.output("variable/w", b.subtract(filters, b.grad(loss, filters)));
  const Graph gradient = rewrite(differentiate(graph));
  const Graph* graphs[] = {&gradient};
  const Plan plan = schedule({&w, 1}, graphs, {});
  std::vector<std::int64_t> lanes;
  for (const kernel::Kernel& k : plan.kernels) {
    const std::function<void(const kernel::Block&)> walk = [&](const kernel::Block& block) {
      for (const kernel::Statement& s : block) {
        if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) walk(loop->body);
        if (const auto* c = std::get_if<kernel::Contraction>(&s.node)) lanes.push_back(c->v_limit);
      }
    };
    walk(k.body);
  }
  CHECK(lanes == std::vector<std::int64_t>{3, 32});  // the layer, its gradient
}
