#include <catch2/catch.hpp>

#include "compiler/graph/builder.h"
#include "compiler/schedule/cost.h"
#include "compiler/schedule/schedule.h"

// Work and bytes of each kind of kernel beside counts by hand.

using namespace ganc;

namespace {

struct Sums {
  double flop = 0, bytes = 0;
};
Sums sums_of(const Graph& graph, bool fuse = true) {
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({}, graphs, {.fuse = fuse});
  Sums sums;
  for (const Call& call : plan.programs[0].calls) {
    sums.flop += call.flop;
    sums.bytes += call.traffic.all();
  }
  return sums;
}

Type f32(Shape shape) {
  return {DType::f32, std::move(shape)};
}

Call call_of(double operations, Traffic traffic) {
  Call call{};
  call.operations = operations;
  call.traffic = traffic;
  return call;
}

}  // namespace

TEST_CASE("a dense layer is two operations a weight and sample") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 100})), w = b.input("data/w", f32({100, 512}));
  b.output("out", b.dot_general(x, w, {}, {}, {1}, {0}));
  const Sums sums = sums_of(graph);
  CHECK(sums.flop == 2.0 * 64 * 100 * 512);
  CHECK(sums.bytes >= 4.0 * (64 * 100 + 100 * 512 + 64 * 512));
}

TEST_CASE("a convolution counts the taps that meet the image") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 16, 8, 8})),
               w = b.input("data/w", f32({32, 16, 4, 4}));
  const Window window{.stride = 2, .pad_low = 1, .pad_high = 1};
  b.output("out", b.convolution(x, w, {window, window}));
  // An axis: 4 outputs of 4 taps, of which the first and the last meet 3.
  CHECK(sums_of(graph).flop == 2.0 * 64 * 32 * 16 * (14 * 14));
}

TEST_CASE("a transposed convolution counts no taps between the pixels") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 16, 4, 4})),
               w = b.input("data/w", f32({32, 16, 4, 4}));
  const Window window{.pad_low = 2, .pad_high = 2, .lhs_dilation = 2};
  b.output("out", b.convolution(x, w, {window, window}));
  // An axis: every pixel meets every tap where that falls on one of the 8 outputs: 14 of 16.
  CHECK(sums_of(graph).flop == 2.0 * 64 * 32 * 16 * (14 * 14));
}

TEST_CASE("elementwise work and its bytes are counted once an element") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 1000})), y = b.input("data/y", f32({64, 1000}));
  b.output("out", b.unary(Op::tanh, b.add(b.multiply(x, y), x)));
  const Sums sums = sums_of(graph);
  CHECK(sums.flop == Approx(3.0 * 64000));
  CHECK(sums.bytes == Approx(3.0 * 4 * 64000));
}

TEST_CASE("what is the same for all elements of a row is computed once a row") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 1000})), s = b.input("data/s", f32({64}));
  b.output("out", b.multiply(x, b.broadcast_in_dim(b.unary(Op::exponential, s), {64, 1000}, {0})));
  CHECK(sums_of(graph).flop <= 64000 + 64 * 1000.0);
  CHECK(sums_of(graph).flop >= 64000 + 64.0);
}

TEST_CASE("of values chosen by where they are, the one that is taken is counted") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({60, 8, 16}));
  const NodeId y = b.multiply(x, x);
  const NodeId before = b.reverse(b.slice(y, {1, 0, 0}, {4, 8, 16}), {0}),
               after = b.reverse(b.slice(y, {56, 0, 0}, {59, 8, 16}), {0});
  b.output("out", b.concatenate({before, y, after}, 0));
  CHECK(sums_of(graph).flop == Approx(66 * 8 * 16));
}

TEST_CASE("a reduction is an addition an element") {
  Graph graph;
  Builder b(graph);
  b.output("out", b.reduce_sum(b.input("data/x", f32({64, 50})), {0}));
  const Sums sums = sums_of(graph);
  CHECK(sums.flop == 64.0 * 50);
  CHECK(sums.bytes == 4.0 * (64 * 50 + 50));
}

TEST_CASE("a part of a tensor is read as far as it is used") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({64, 50}));
  b.output("out", b.negate(b.slice(x, {8, 0}, {16, 50}, {1, 1})));
  CHECK(sums_of(graph).bytes == 4.0 * 2 * 8 * 50);
}

TEST_CASE("a scatter adds each update, a draw of bits is no work on real numbers") {
  Graph graph;
  Builder b(graph);
  const NodeId updates = b.input("data/u", f32({40, 8}));
  const NodeId indices = b.input("data/i", {DType::i32, {40}});
  b.output("out", b.scatter_add(updates, indices, 0, 0, 10));
  const Sums sums = sums_of(graph);
  CHECK(sums.flop == 40.0 * 8);
  // Updates, indices, and the result: cleared, read and written.
  CHECK(sums.bytes == 4.0 * (40 * 8 + 40 + 2 * 10 * 8));

  Graph random;
  Builder r(random);
  r.output("out", r.random_bits(r.input("seed", {DType::u32, {2}}),
                                r.input("random_step", {DType::u32, {}}), 3, {256}));
  CHECK(sums_of(random).flop == 0);
  CHECK(sums_of(random).bytes == 4.0 * (256 + 2 + 1));
}

TEST_CASE("the bound is what takes longest, or the start of a small call") {
  const CpuClass cpu{"X", "", 100e9, 50e9, 20e9, 10e9, 1e-6};
  CHECK(predict(call_of(1e9, {}), 1, cpu, 2).bound == Bound::multiply_add);
  CHECK(predict(call_of(1e9, {}), 1, cpu, 2).seconds == Approx(0.02 + 1e-6));
  CHECK(predict(call_of(1e9, {}), 8, cpu, 2).seconds == Approx(0.01 + 1e-6));
  CHECK(predict(call_of(0, {1e9, 0, 0}), 8, cpu, 2).bound == Bound::l2);
  CHECK(predict(call_of(0, {0, 1e9, 0}), 8, cpu, 2).bound == Bound::l3);
  CHECK(predict(call_of(0, {0, 0, 1e9}), 8, cpu, 2).bound == Bound::memory);
  // Memory is no faster for more than two cores.
  CHECK(predict(call_of(0, {0, 0, 1e9}), 8, cpu, 8).seconds == Approx(0.05 + 1e-6));
  CHECK(predict(call_of(10, {100, 0, 0}), 8, cpu, 2).bound == Bound::start);
}

TEST_CASE(
    "what was just written is near, what was read an iteration ago is as far as that is long") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", f32({1024, 16384}));  // 64 MiB
  const NodeId small = b.reduce_sum(x, {1});
  b.output("out", b.unary(Op::tanh, b.reduce_sum(small, {0})));
  const Graph* graphs[] = {&graph};
  const Plan plan = schedule({}, graphs, {});
  const auto& calls = plan.programs[0].calls;
  REQUIRE(calls.size() >= 2);
  CHECK(calls.front().traffic.far > 63 << 20);
  CHECK(calls.back().traffic.far <= 4 + 64);  // the result, of the last iteration, and a gap
  CHECK(calls.back().traffic.near > 0);
}
