#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/graph/builder.h"
#include "compiler/schedule/contraction.h"
#include "compiler/schedule/print.h"
#include "compiler/schedule/schedule.h"

// Whole plans: memory, equal kernels, size.

using namespace ganc;

namespace {

const Type square = {DType::f32, {64, 64}};

Plan plan_of(const Graph& graph, std::span<const Variable> variables = {},
             const ScheduleOptions& options = {}) {
  const Graph* graphs[] = {&graph};
  return schedule(variables, graphs, options);
}

}  // namespace

TEST_CASE("a long chain of products needs the memory of a few") {
  Graph graph;
  Builder b(graph);
  const NodeId w = b.input("data/w", square);
  NodeId x = b.input("data/x", square);
  for (int i = 0; i < 20; ++i) x = b.unary(Op::tanh, b.dot_general(x, w, {}, {}, {1}, {0}));
  b.output("out", x);
  const Plan plan = plan_of(graph);
  CHECK(plan.programs[0].calls.size() == 20);
  CHECK(plan.arena_bytes <= 4 * 64 * 64 * 4);
}

TEST_CASE("equal computations are one kernel") {
  Graph graph;
  Builder b(graph);
  const NodeId w = b.input("data/w", square);
  NodeId x = b.input("data/x", square);
  for (int i = 0; i < 6; ++i) {
    x = b.unary(Op::tanh, b.dot_general(x, w, {}, {}, {1}, {0}));
    const NodeId mean = b.reduce_sum(x, {0});
    x = b.subtract(x, b.broadcast_in_dim(mean, {64, 64}, {1}));
  }
  b.output("out", x);
  const Plan plan = plan_of(graph);
  CHECK(plan.programs[0].calls.size() == 18);
  // The last of the differences is written beside its operand or in its place, as the others are.
  CHECK(plan.kernels.size() <= 4);
}

TEST_CASE("an elementwise update happens in the variable's place") {
  Graph graph;
  Builder b(graph);
  const Variable v{.name = "w", .kind = VariableKind::weight, .type = square};
  const NodeId w = b.input("variable/w", square);
  b.output("variable/w", b.subtract(w, b.input("data/g", square)));
  const Plan plan = plan_of(graph, {&v, 1});
  REQUIRE(plan.programs[0].calls.size() == 1);
  const Call& call = plan.programs[0].calls[0];
  const kernel::Kernel& kernel = plan.kernels[call.kernel];
  REQUIRE(kernel.buffers.size() == 2);
  const auto both =
      std::ranges::find_if(kernel.buffers, [](const auto& x) { return x.read && x.written; });
  REQUIRE(both != kernel.buffers.end());
  CHECK(call.offsets[static_cast<std::size_t>(both - kernel.buffers.begin())] ==
        plan.variables[0].placement.offset);
}

TEST_CASE("a variable has one place in all programs, in one layout") {
  const Variable v{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {8, 3, 4, 4}}};
  Graph init, use;
  Builder a(init), b(use);
  a.output("variable/w", a.constant(1, v.type));
  const NodeId x = b.input("data/x", {DType::f32, {32, 3, 6, 6}});
  b.output("out", b.convolution(x, b.input("variable/w", v.type), {{}, {}}));
  const Graph* graphs[] = {&init, &use};
  const Plan plan = schedule({&v, 1}, graphs, {});
  CHECK(plan.variables[0].placement.strides == std::vector<std::int64_t>{1, 8, 96, 24});
  CHECK(plan.programs[0].calls[0].offsets ==
        std::vector<std::int64_t>{plan.variables[0].placement.offset});
  CHECK(print_memory(plan).find("f32[8,3,4,4] strides [1,8,96,24]") != std::string::npos);
}

TEST_CASE("an output that is an input is there before the first call") {
  Graph graph;
  Builder b(graph);
  b.output("out", b.input("data/x", square));
  const Plan plan = plan_of(graph);
  CHECK(plan.programs[0].calls.empty());
  CHECK(plan.programs[0].results[0].after == -1);
}

TEST_CASE("positions of a transposed convolution meet without the zeros between") {
  planning::SpatialAxis axis;
  axis.window = {.stride = 1, .pad_low = 2, .pad_high = 2, .lhs_dilation = 2};
  axis.outputs = 8;
  axis.lhs_extent = 4;
  axis.rhs_extent = 4;
  const auto rows = planning::meeting_positions(axis);
  using Row = std::vector<std::pair<std::int32_t, std::int32_t>>;
  CHECK(rows[0] == Row{{0, 2}});
  CHECK(rows[1] == Row{{0, 1}, {1, 3}});
  CHECK(rows[7] == Row{{3, 1}});
}

TEST_CASE("a graph of 100,000 nodes is scheduled") {
  Graph graph;
  Builder b(graph);
  NodeId x = b.input("data/x", {DType::f32, {16, 16}});
  const NodeId w = b.input("data/w", {DType::f32, {16, 16}});
  while (graph.nodes.size() < 100000) {
    x = b.dot_general(x, w, {}, {}, {1}, {0});
    x = b.maximum(x, b.multiply(x, b.like(x, 0.2)));
    const NodeId sum = b.reduce_sum(x, {0});
    x = b.subtract(x, b.broadcast_in_dim(b.multiply(sum, b.like(sum, 0.1)), {16, 16}, {1}));
  }
  b.output("out", x);
  const Plan plan = plan_of(graph);
  CHECK(plan.kernels.size() < 10);
  CHECK(plan.arena_bytes < 16384);
}

TEST_CASE("rows of positions meet the same taps, each further on by the same") {
  for (std::int64_t stride = 1; stride <= 3; ++stride)
    for (std::int64_t dilation = 1; dilation <= 3; ++dilation)
      for (std::int64_t extent = 1; extent <= 7; ++extent)
        for (std::int64_t taps = 1; taps <= 5; ++taps) {
          planning::SpatialAxis axis;
          axis.window = {.stride = stride, .pad_low = 2, .pad_high = 3, .lhs_dilation = dilation};
          axis.lhs_extent = extent;
          axis.rhs_extent = taps;
          const std::int64_t padded = (extent - 1) * dilation + 1 + 5;
          if (padded < taps) continue;
          axis.outputs = (padded - taps) / stride + 1;
          const auto pairs = planning::meeting_positions(axis);
          std::vector<int> seen(pairs.size());
          for (const planning::RowRange& range : planning::row_ranges(axis))
            for (std::int64_t i = 0; i < range.count; ++i) {
              const auto position = static_cast<std::size_t>(range.first + i * range.step);
              ++seen[position];
              if (range.alone) continue;
              auto moved = pairs[static_cast<std::size_t>(range.first)];
              for (auto& [x, k] : moved) x += static_cast<std::int32_t>(i * range.lhs_step);
              CHECK(moved == pairs[position]);
            }
          CHECK(std::ranges::all_of(seen, [](int n) { return n == 1; }));
        }
}

// The steps of the longest sum through the scalar operand, in elements.
static std::int64_t scalar_step(std::int64_t size, std::int64_t samples = 32) {
  Graph graph;
  Builder b(graph);
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {64, 64, 3, 3}}};
  const NodeId x = b.input("data/x", {DType::f32, {samples, 64, size, size}});
  const Window window{.pad_low = 1, .pad_high = 1};
  b.output("out", b.convolution(x, b.input("variable/w", w.type), {window, window}));
  const Plan plan = plan_of(graph, {&w, 1});
  std::int64_t step = 0;
  for (const kernel::Kernel& kernel : plan.kernels)
    for (const kernel::Statement& outer : kernel.body)
      if (const auto* loop = std::get_if<kernel::Loop>(&outer.node))
        for (const kernel::Statement& inner : loop->body)
          if (const auto* c = std::get_if<kernel::Contraction>(&inner.node))
            step = c->axes.back().a_stride;
  return step;
}

TEST_CASE("filters are copied into panels of a tile's rows where each is used often enough") {
  CHECK(scalar_step(2) == 64);  // 128 uses: read as they lie
  CHECK(scalar_step(8) == 14);
  CHECK(scalar_step(8, 16) == 1);  // one vector a row: tiles have other rows
}

// Whether the tiles of a depthwise layer walk along its rows last.
static bool rows_are_outer(std::int64_t samples) {
  Graph graph;
  Builder b(graph);
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {64, 1, 3, 3}}};
  const NodeId x = b.input("data/x", {DType::f32, {samples, 64, 8, 8}});
  const Window window{.pad_low = 1, .pad_high = 1};
  b.output("out", b.convolution(x, b.input("variable/w", w.type), {window, window}, 64));
  const Plan plan = plan_of(graph, {&w, 1});
  return print_kernels(plan, plan.programs[0]).find("m outer") != std::string::npos;
}

TEST_CASE("rows that read vectors of their own come one after the other") {
  CHECK(rows_are_outer(64));       // channels, each with its samples behind it
  CHECK_FALSE(rows_are_outer(1));  // positions, which share their filters
}

// The rows of the gradient of a filter of 4x4 taps with stride 2, and the terms of a part of its
// sums.
static std::pair<std::int64_t, std::int64_t> gradient_rows(std::int64_t channels,
                                                           std::int64_t samples) {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.transpose(b.input("data/x", {DType::f32, {samples, channels, 32, 32}}),
                               {1, 0, 2, 3}),
               dy = b.transpose(b.input("data/dy", {DType::f32, {samples, 64, 16, 16}}),
                                {1, 0, 2, 3});
  const Window window{.pad_low = 1, .pad_high = 1, .rhs_dilation = 2};
  b.output("out", b.convolution(x, dy, {window, window}));
  const Plan plan = plan_of(graph);
  std::int64_t rows = 0, terms = 0;
  const auto look = [&](auto& self, const kernel::Kernel& kernel,
                        const kernel::Block& block) -> void {
    for (const kernel::Statement& s : block) {
      if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) self(self, kernel, loop->body);
      const auto* c = std::get_if<kernel::Contraction>(&s.node);
      if (!c) continue;
      std::int64_t n = 1;
      for (const kernel::ReduceAxis& axis : c->axes) n *= axis.extent;
      for (const kernel::TapAxis& axis : c->taps) {
        std::size_t most = 0;
        for (const auto& row : kernel.tables[axis.table].rows) most = std::max(most, row.size());
        n *= static_cast<std::int64_t>(most);
      }
      rows = c->m_limit, terms = n;
    }
  };
  for (const kernel::Kernel& kernel : plan.kernels) look(look, kernel, kernel.body);
  return {rows, terms};
}

TEST_CASE("taps of a gradient's last axis are rows together with few channels") {
  CHECK(gradient_rows(3, 64) == std::pair<std::int64_t, std::int64_t>(12, 512));
  CHECK(gradient_rows(1, 64) == std::pair<std::int64_t, std::int64_t>(4, 512));
  CHECK(gradient_rows(4, 64).first == 4);  // rows of 1 KiB lie apart
}

// The rows of a unit of a dense layer's product for 64 samples.
static std::int64_t rows_of_dense(std::int64_t outputs) {
  Graph graph;
  Builder b(graph);
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {512, outputs}}};
  b.output("out", b.dot_general(b.input("data/x", {DType::f32, {64, 512}}),
                                b.input("variable/w", w.type), {}, {}, {1}, {0}));
  std::int64_t rows = 0;
  for (const kernel::Kernel& k : plan_of(graph, {&w, 1}).kernels)
    for (const kernel::Statement& outer : k.body)
      if (const auto* loop = std::get_if<kernel::Loop>(&outer.node))
        for (const kernel::Statement& inner : loop->body)
          if (const auto* c = std::get_if<kernel::Contraction>(&inner.node)) rows = c->m_limit;
  return rows;
}

TEST_CASE("units of a dense layer fill register tiles and are as many for each of two threads") {
  CHECK(rows_of_dense(784) == 28);  // 28 units of two tiles
  CHECK(rows_of_dense(512) == 13);  // 40 units, in place of 32 of 16 rows, which are tiles of 8
  CHECK(rows_of_dense(64) == 8);    // too few units for one more not to matter
}

// Whether the gradient of a 3x3 layer's filters is made of fewer products.
static bool gradient_of_fewer_products(std::int64_t samples, std::int64_t size) {
  Graph graph;
  Builder b(graph);
  const std::int64_t channels = 64;
  const Type type{DType::f32, {samples, channels, size, size}};
  const NodeId x = b.transpose(b.input("data/x", type), {1, 0, 2, 3}),
               dy = b.transpose(b.input("data/dy", type), {1, 0, 2, 3});
  const Window window{.pad_low = 1, .pad_high = 1};
  b.output("out", b.convolution(x, dy, {window, window}));
  const Plan plan = plan_of(graph, {}, {.products = {Products::fewer}});
  return std::ranges::any_of(plan.kernels, [](const kernel::Kernel& k) {
    return std::ranges::any_of(k.buffers,
                               [](const kernel::Buffer& buffer) { return buffer.local; });
  });
}

TEST_CASE("the gradient of filters sums over samples, or over tiles where there are few") {
  CHECK(gradient_of_fewer_products(32, 16));
  CHECK(gradient_of_fewer_products(1, 32));
  CHECK_FALSE(gradient_of_fewer_products(1, 4));  // one tile: the transforms cost more
}
