#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "compiler/graph/builder.h"
#include "compiler/interpret/interpret.h"
#include "compiler/rewrite/rewrite.h"
#include "tests/unit/compiled/plan_run.h"

// Reductions of large tensors by the interpreter, by the kernel IR's reference and as machine code.

using namespace ganc;
using namespace ganc::test;

namespace {

bool has_local_memory(const Plan& plan) {
  return std::ranges::any_of(plan.kernels, [](const kernel::Kernel& k) {
    return std::ranges::any_of(k.buffers, [](const kernel::Buffer& b) { return b.local; });
  });
}

// Whatever number of threads, the results are the same to the bit.
void check(const Plan& plan, const Values& inputs, const Values& expected, double tolerance) {
  REQUIRE(problems(plan) == "");
  Jit jit;
  Random split(3);
  for (const auto& execute : {by_reference(), compiled(jit, plan, {.isa = best_isa()})}) {
    const Values whole = PlanRun(plan, execute).run(0, inputs);
    for (const auto& [name, value] : expected) {
      INFO(name);
      CHECK(difference(value, whole.at(name)) <= tolerance);
    }
  }
  const auto execute = compiled(jit, plan, {.isa = best_isa()});
  const Values whole = PlanRun(plan, execute).run(0, inputs),
               parts = PlanRun(plan, execute).run(0, inputs, &split);
  for (const auto& [name, value] : whole) CHECK(difference(value, parts.at(name)) == 0);
}

// x as batch norm sees it where samples lie innermost: [position, channel, sample].
Graph moments(const Shape& shape) {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", {DType::f32, shape});
  const double n = static_cast<double>(shape[0] * shape[2]);
  const NodeId sum = b.reduce_sum(x, {0, 2});
  const NodeId mean = b.multiply(sum, b.like(sum, 1 / n));
  const NodeId centred = b.subtract(x, b.broadcast_in_dim(mean, shape, {1}));
  const NodeId squares = b.reduce_sum(b.multiply(centred, centred), {0, 2});
  b.output("mean", mean);
  b.output("variance", b.multiply(squares, b.like(squares, 1 / n)));
  b.output("most", b.reduce_max(x, {1, 2}));
  return graph;
}

}  // namespace

TEST_CASE("short runs of neighbours are reduced side by side") {
  // Many channels, with a rest; few, so that units are parts of the positions; runs with a rest;
  // few channels and few positions.
  for (const Shape& shape : {Shape{20, 330, 48}, Shape{301, 24, 64}, Shape{90, 70, 51},
                             Shape{3, 5, 900}, Shape{700, 2, 200}}) {
    INFO(shape[0] << " " << shape[1] << " " << shape[2]);
    const Graph graph = rewrite(moments(shape));
    const Graph* graphs[] = {&graph};
    const Plan plan = schedule({}, graphs, {});
    const bool large = shape[0] * shape[1] * shape[2] * 4 >= 1 << 20;
    CHECK(has_local_memory(plan) == large);
    Random random(5);
    const Values inputs = {{"x", random_value(random, graph.nodes[0].type)}};
    check(plan, inputs, interpret(moments(shape), inputs), 1e-6);
  }
}

TEST_CASE("reductions of neighbours side by side are shared out to many units") {
  for (const Shape& shape : {Shape{32, 1024, 16}, Shape{4096, 16, 16}, Shape{1200, 6, 64}}) {
    INFO(shape[0] << " " << shape[1] << " " << shape[2]);
    const Graph graph = rewrite(moments(shape));
    const Graph* graphs[] = {&graph};
    const Plan plan = schedule({}, graphs, {});
    REQUIRE(has_local_memory(plan));
    for (const kernel::Kernel& k : plan.kernels)
      if (std::ranges::any_of(k.buffers, [](const kernel::Buffer& b) { return b.local; }))
        CHECK(k.units >= 16);
  }
}

TEST_CASE("a variance in one pass is right where the mean is large") {
  for (const double mean : {0.0, 100.0, 10000.0}) {
    INFO(mean);
    const Graph before = moments({40, 130, 64}), graph = rewrite(before);
    const Graph* graphs[] = {&graph};
    const Plan plan = schedule({}, graphs, {});
    Random random(6);
    Value x = random_value(random, graph.nodes[0].type, mean - 2, mean + 2);
    for (double& v : x.data) v = static_cast<float>(v);  // what a kernel reads
    const Values inputs = {{"x", x}};
    check(plan, inputs, interpret(before, inputs), 1e-6);
  }
}

TEST_CASE("a variance in one pass is 0, not less, of equal numbers") {
  const Graph graph = rewrite(moments({40, 130, 64}));
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({}, graphs, {});
  Jit jit;
  for (const double number : {0.1, 1e6, 3e18}) {
    INFO(number);
    const Value x{graph.nodes[0].type,
                  std::vector<double>(40 * 130 * 64, static_cast<float>(number))};
    const Values result =
        PlanRun(plan, compiled(jit, plan, {.isa = best_isa()})).run(0, {{"x", x}});
    for (const double v : result.at("variance").data) {
      CHECK(v >= 0);
      CHECK(v <= 1e-12 * number * number);
    }
  }
}
