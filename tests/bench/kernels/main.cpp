// Share of this machine's multiply-add limit, measured in the same run, that single contractions
// reach on one core. Random numbers, processor time, medians of interleaved rounds.
//   bench_kernels [PERCENT]               fails where one of 64 or more channels reaches less
//   bench_kernels shapes [COUNT] [SEED]   layers of drawn shapes beside the least time of each
//   bench_kernels shape NUMBER [SEED]     the kernels of one of them, and the time of each call
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "tests/bench/kernels/cases.h"
#include "tests/bench/kernels/fma_limit.h"
#include "tests/bench/kernels/random_arena.h"
#include "tests/bench/kernels/shapes.h"
#include "tests/bench/kernels/thread_time.h"
#include "tests/jit/jit.h"

namespace ganc {
namespace {

double median(std::vector<double> x) {
  std::ranges::nth_element(x, x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2));
  return x[x.size() / 2];
}

// A case, compiled, with its memory.
struct Prepared {
  const Case* from;
  GancKernel function;
  std::vector<std::int64_t> offsets;
  RandomArena arena;
  double compile_milliseconds;
  std::vector<double> gigaflops = {};

  double run() {
    const double begin = thread_seconds();
    function(arena.begin(), offsets.data(), 0, from->kernel.units, nullptr);
    return from->flop / (thread_seconds() - begin) / 1e9;
  }
};

Prepared prepare(Jit& jit, const Case& from, Isa isa) {
  const double begin = thread_seconds();
  const GancKernel function = jit.add(from.kernel, {.isa = isa});
  const double milliseconds = (thread_seconds() - begin) * 1e3;
  std::int64_t bytes = 0;
  std::vector<std::int64_t> offsets;
  for (const kernel::Buffer& buffer : from.kernel.buffers) {
    offsets.push_back(bytes);
    bytes += (buffer.elements * 4 + 63) / 64 * 64;
  }
  return {&from, function, std::move(offsets), RandomArena(bytes), milliseconds};
}

// How many cases stay below `percent` of the limit.
int measure(Isa isa, double (*limit)(), double percent) {
  if (!runs_here(isa)) {
    fmt::print("{}: not on this machine\n", name(isa));
    return 0;
  }
  Jit jit;
  const std::vector<Case> cases = contraction_cases();
  std::vector<Prepared> prepared;
  for (const Case& c : cases) prepared.push_back(prepare(jit, c, isa));
  std::vector<double> limits;
  for (int round = 0; round < 15; ++round) {
    limits.push_back(limit());
    for (Prepared& p : prepared) p.gigaflops.push_back(p.run());
  }
  const double most = median(limits);
  fmt::print("{}: multiply-add limit {:.1f} GFLOP/s a core\n", name(isa), most);
  int below = 0;
  for (const Prepared& p : prepared) {
    const double reached = median(p.gigaflops), share = 100 * reached / most;
    const bool fails = p.from->wide && share < percent;
    below += fails;
    fmt::print("  {:<44} {:7.1f} GFLOP/s {:5.1f} %{}   compiled in {:.1f} ms\n",
               p.from->kernel.name, reached, share,
               fails ? fmt::format(", below {} %", percent) : "", p.compile_milliseconds);
  }
  return below;
}

}  // namespace
}  // namespace ganc

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "shapes") {
    const int count = argc > 2 ? std::atoi(argv[2]) : 60;
    const auto seed = static_cast<std::uint64_t>(argc > 3 ? std::atoll(argv[3]) : 1);
    ganc::measure_shapes(ganc::Isa::x86_64_v4, ganc::fma_limit_512, count, seed);
    ganc::measure_shapes(ganc::Isa::x86_64_v3, ganc::fma_limit_256, count, seed);
    return 0;
  }
  if (argc > 2 && std::string_view(argv[1]) == "shape") {
    const auto seed = static_cast<std::uint64_t>(argc > 3 ? std::atoll(argv[3]) : 1);
    ganc::show_shape(ganc::Isa::x86_64_v4, std::atoi(argv[2]), seed);
    return 0;
  }
  const double percent = argc > 1 ? std::atof(argv[1]) : 0;
  const int below = ganc::measure(ganc::Isa::x86_64_v4, ganc::fma_limit_512, percent) +
                    ganc::measure(ganc::Isa::x86_64_v3, ganc::fma_limit_256, percent);
  return below == 0 ? 0 : 1;
}
