#include "tests/bench/kernels/layer_programs.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/kernels/thread_time.h"

namespace ganc {
namespace {

std::vector<std::string> keys(const Plan& plan, std::size_t program) {
  std::vector<std::string> found;
  for (const Call& call : plan.programs[program].calls)
    found.push_back(structural_key(plan.kernels[call.kernel]));
  return found;
}

std::int64_t scratch_bytes(const Plan& plan) {
  std::int64_t most = 0;
  for (const kernel::Kernel& k : plan.kernels)
    most = std::max(most, kernel::scratch_places(k).back());
  return most;
}

}  // namespace

LayerPrograms::Prepared LayerPrograms::prepare(const test::LayerShape& shape, bool fewer, Isa isa) {
  std::vector<Graph> graphs;
  std::vector<const Graph*> pointers;
  for (const test::LayerProduct product : layer_products)
    graphs.push_back(product_graph(shape, product));
  for (const Graph& graph : graphs) pointers.push_back(&graph);
  const Variable w{.name = "w", .kind = VariableKind::weight, .type = test::weight_type(shape)};
  Prepared prepared;
  prepared.plan = schedule({&w, 1}, pointers,
                           {.products = std::vector(std::size(layer_products),
                                                    fewer ? Products::fewer : Products::exact),
                            .register_rows = rows_of_register_tile(isa)});
  prepared.functions = jit_.add(prepared.plan.kernels, {.isa = isa});
  return prepared;
}

LayerPrograms::LayerPrograms(const test::LayerShape& shape, Isa isa)
    : exact_(prepare(shape, false, isa)),
      fast_(prepare(shape, true, isa)),
      arena_(std::max(exact_.plan.arena_bytes, fast_.plan.arena_bytes)),
      scratch_(std::max(scratch_bytes(exact_.plan), scratch_bytes(fast_.plan))) {
  for (std::size_t i = 0; i < std::size(layer_products); ++i) {
    timings.push_back({shape, layer_products[i], false, {}});
    if (keys(exact_.plan, i) != keys(fast_.plan, i))
      timings.push_back({shape, layer_products[i], true, {}});
  }
}

void LayerPrograms::run(const Prepared& prepared, const Call& call) {
  prepared.functions[call.kernel](arena_.begin(), call.offsets.data(), 0,
                                  prepared.plan.kernels[call.kernel].units, scratch_.begin());
}

void LayerPrograms::run(std::size_t i) {
  LayerTiming& timing = timings[i];
  const Prepared& prepared = timing.fewer ? fast_ : exact_;
  const double begin = thread_seconds();
  for (const Call& call : prepared.plan.programs[static_cast<std::size_t>(timing.product)].calls)
    run(prepared, call);
  timing.seconds.push_back(thread_seconds() - begin);
}

void LayerPrograms::for_each_call(
    std::size_t i, const std::function<void(double seconds, const kernel::Kernel&)>& body) {
  constexpr int times = 10;
  const Prepared& prepared = timings[i].fewer ? fast_ : exact_;
  for (const Call& call :
       prepared.plan.programs[static_cast<std::size_t>(timings[i].product)].calls) {
    double least = 1e9;
    for (int n = 0; n < times; ++n) {
      const double begin = thread_seconds();
      run(prepared, call);
      least = std::min(least, thread_seconds() - begin);
    }
    body(least, prepared.plan.kernels[call.kernel]);
  }
}

void show_layer(Isa isa, const test::LayerShape& shape) {
  if (!runs_here(isa)) return fmt::print("{}: not on this machine\n", name(isa));
  LayerPrograms layer(shape, isa);
  for (std::size_t i = 0; i < layer.timings.size(); ++i) {
    fmt::print("{} {} {}: {}\n", name(isa), layer.timings[i].fewer ? "fast" : "exact",
               name(layer.timings[i].product), describe(shape));
    layer.for_each_call(i, [](double seconds, const kernel::Kernel& kernel) {
      fmt::print("{:8.3f} ms {}", 1e3 * seconds, print(kernel));
    });
  }
}

}  // namespace ganc
