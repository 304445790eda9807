#include "tests/bench/kernels/shapes.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/schedule/cost.h"
#include "compiler/schedule/schedule.h"
#include "runtime/verbs/machine_limits.h"
#include "tests/bench/kernels/random_arena.h"
#include "tests/bench/kernels/thread_time.h"
#include "tests/jit/jit.h"
#include "tests/layers/layer_shape.h"

namespace ganc {
namespace {

using test::LayerShape;

constexpr test::LayerRange range{.least_products = 5e6, .most_products = 5e8, .most_elements = 3e7};
constexpr test::LayerProduct layer_products[] = {test::LayerProduct::forward,
                                                 test::LayerProduct::data_gradient,
                                                 test::LayerProduct::weight_gradient};
constexpr std::size_t shown = 10;

// The three products of a layer as programs over one arena, compiled.
struct Prepared {
  Plan plan;
  std::vector<GancKernel> functions;
};

Prepared prepare(Jit& jit, const LayerShape& shape, bool fewer, Isa isa) {
  std::vector<Graph> graphs;
  std::vector<const Graph*> pointers;
  for (const test::LayerProduct product : layer_products)
    graphs.push_back(product_graph(shape, product));
  for (const Graph& graph : graphs) pointers.push_back(&graph);
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = test::weight_type(shape)};
  Prepared prepared;
  prepared.plan = schedule({&w, 1}, pointers,
                           {.products = std::vector(std::size(layer_products),
                                                    fewer ? Products::fewer : Products::exact)});
  prepared.functions = jit.add(prepared.plan.kernels, {.isa = isa});
  return prepared;
}

// Seconds of a program, the least of several times.
double least_seconds(const Prepared& prepared, const ProgramPlan& program, char* arena,
                     char* scratch) {
  double least = 1e9, all = 0;
  for (int i = 0; i < 4 || (i < 40 && all < 0.04); ++i) {
    const double begin = thread_seconds();
    for (const Call& call : program.calls)
      prepared.functions[call.kernel](arena, call.offsets.data(), 0,
                                      prepared.plan.kernels[call.kernel].units, scratch);
    const double seconds = thread_seconds() - begin;
    least = std::min(least, seconds);
    all += seconds;
  }
  return least;
}

struct Timing {
  LayerShape shape;
  test::LayerProduct product;
  bool fewer;
  double seconds;
};

// Those with fewer products where that changes a kernel.
void time_layer(const LayerShape& shape, Isa isa, std::vector<Timing>& timings) {
  Jit jit;
  const Prepared exact = prepare(jit, shape, false, isa), fast = prepare(jit, shape, true, isa);
  std::int64_t scratch_bytes = 0;
  for (const Prepared* p : {&exact, &fast})
    for (const kernel::Kernel& k : p->plan.kernels)
      scratch_bytes = std::max(scratch_bytes, kernel::scratch_places(k).back());
  RandomArena arena(std::max(exact.plan.arena_bytes, fast.plan.arena_bytes)),
      scratch(scratch_bytes);
  const auto keys = [](const Prepared& p, std::size_t program) {
    std::vector<std::string> found;
    for (const Call& call : p.plan.programs[program].calls)
      found.push_back(structural_key(p.plan.kernels[call.kernel]));
    return found;
  };
  for (std::size_t i = 0; i < std::size(layer_products); ++i)
    for (const bool fewer : {false, true}) {
      if (fewer && keys(exact, i) == keys(fast, i)) continue;
      const Prepared& p = fewer ? fast : exact;
      timings.push_back({shape, layer_products[i], fewer,
                         least_seconds(p, p.plan.programs[i], arena.begin(), scratch.begin())});
    }
}

// The least of several times of a call alone.
double least_seconds(const Prepared& prepared, const Call& call, char* arena, char* scratch) {
  ProgramPlan alone;
  alone.calls = {call};
  return least_seconds(prepared, alone, arena, scratch);
}

// The least time by the direct way: the products of taps that meet, and operands and result moved
// once, from where they are when they are used over and over.
Prediction least_time(const Timing& timing, const CpuClass& machine) {
  const double products = test::products(timing.shape),
               bytes = 4 * test::moved_elements(
                               timing.shape, timing.product == test::LayerProduct::data_gradient);
  Call call{.kernel = 0, .flop = 2 * products, .operations = products};
  (bytes < near_bytes     ? call.traffic.near
   : bytes < middle_bytes ? call.traffic.middle
                          : call.traffic.far) = bytes;
  return predict(call, 1, machine, 1);
}

}  // namespace

void measure_shapes(Isa isa, double (*fma_limit)(), int count, std::uint64_t seed) {
  if (!runs_here(isa)) return fmt::print("{}: not on this machine\n", name(isa));
  runtime::Pool pool(1);
  const runtime::MachineLimits limits = runtime::measure_limits(pool, isa != Isa::x86_64_v3);
  CpuClass machine{"", "", 0, limits.near, limits.middle, limits.far, 0};
  std::vector<Timing> timings;
  std::vector<double> rounds;
  test::Random random(seed);
  for (int i = 0; i < count; ++i) {
    rounds.push_back(1e9 * fma_limit());
    time_layer(test::random_layer_shape(random, range), isa, timings);
  }
  std::ranges::nth_element(rounds, rounds.begin() + count / 2);
  machine.flops = rounds[static_cast<std::size_t>(count / 2)];
  fmt::print(
      "{}: {:.1f} GFLOP/s, L2 {:.1f}, L3 {:.1f}, memory {:.1f} GB/s a core; shapes of seed {}\n",
      name(isa), machine.flops / 1e9, machine.l2 / 1e9, machine.l3 / 1e9, machine.memory / 1e9,
      seed);
  std::vector<std::pair<double, std::string>> lines;
  for (const Timing& t : timings) {
    const Prediction least = least_time(t, machine);
    const double share = least.seconds / t.seconds;
    lines.emplace_back(
        share,
        fmt::format("{:5.1f} % {:8.2f} ms {:6.1f} GFLOP/s  {:<12} {} {}: {}", 100 * share,
                    1e3 * t.seconds, 2e-9 * test::products(t.shape) / t.seconds, name(least.bound),
                    t.fewer ? "fast " : "exact", name(t.product), describe(t.shape)));
    fmt::print("  {}\n", lines.back().second);
  }
  std::ranges::sort(lines);
  fmt::print("{}: the worst {} of {}\n", name(isa), std::min(shown, lines.size()), lines.size());
  for (std::size_t i = 0; i < std::min(shown, lines.size()); ++i)
    fmt::print("  {}\n", lines[i].second);
}

void show_shape(Isa isa, int number, std::uint64_t seed) {
  if (!runs_here(isa)) return fmt::print("{}: not on this machine\n", name(isa));
  test::Random random(seed);
  LayerShape shape;
  for (int i = 0; i <= number; ++i) shape = test::random_layer_shape(random, range);
  for (const bool fewer : {false, true}) {
    Jit jit;
    const Prepared p = prepare(jit, shape, fewer, isa);
    std::int64_t scratch_bytes = 0;
    for (const kernel::Kernel& k : p.plan.kernels)
      scratch_bytes = std::max(scratch_bytes, kernel::scratch_places(k).back());
    RandomArena arena(p.plan.arena_bytes), scratch(scratch_bytes);
    for (std::size_t i = 0; i < std::size(layer_products); ++i) {
      fmt::print("{} {} {}: {}\n", name(isa), fewer ? "fast" : "exact", name(layer_products[i]),
                 describe(shape));
      for (const Call& call : p.plan.programs[i].calls)
        fmt::print("{:8.3f} ms {}", 1e3 * least_seconds(p, call, arena.begin(), scratch.begin()),
                   print(p.plan.kernels[call.kernel]));
    }
  }
}

}  // namespace ganc
