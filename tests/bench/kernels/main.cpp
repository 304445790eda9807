// Share of this machine's multiply-add limit, measured in the same run, that single layers reach on
// one core. Random numbers, processor time.
//   bench_kernels [PERCENT]               fails where one of 64 or more channels reaches less
//   bench_kernels shapes [COUNT] [SEED]   layers of drawn shapes beside the least time of each
//   bench_kernels shape NUMBER [SEED]     the kernels of one of them, and the time of each call
//   bench_kernels layer BATCH IN OUT SIZE TAPS STRIDE [GROUPS]   the same of a layer of square
//   images
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "tests/bench/kernels/fma_limit.h"
#include "tests/bench/kernels/layer_programs.h"
#include "tests/bench/kernels/named_layers.h"
#include "tests/bench/kernels/shapes.h"

int main(int argc, char** argv) {
  using namespace ganc;
  if (argc > 1 && std::string_view(argv[1]) == "shapes") {
    const int count = argc > 2 ? std::atoi(argv[2]) : 60;
    const auto seed = static_cast<std::uint64_t>(argc > 3 ? std::atoll(argv[3]) : 1);
    measure_shapes(Isa::x86_64_v4, fma_limit_512, count, seed);
    measure_shapes(Isa::x86_64_v3, fma_limit_256, count, seed);
    return 0;
  }
  const Isa best = runs_here(Isa::x86_64_v4) ? Isa::x86_64_v4 : Isa::x86_64_v3;
  if (argc > 2 && std::string_view(argv[1]) == "shape") {
    const auto seed = static_cast<std::uint64_t>(argc > 3 ? std::atoll(argv[3]) : 1);
    show_shape(best, std::atoi(argv[2]), seed);
    return 0;
  }
  if (argc > 1 && std::string_view(argv[1]) == "layer") {
    if (argc < 8) {
      fmt::print(stderr, "bench_kernels layer BATCH IN OUT SIZE TAPS STRIDE [GROUPS]\n");
      return 2;
    }
    std::array<std::int64_t, 6> n;
    for (std::size_t i = 0; i < n.size(); ++i) n[i] = std::atoll(argv[2 + i]);
    test::LayerShape shape = square_layer(n[0], n[1], n[2], n[3], n[4], n[5]);
    if (argc > 8) shape.groups = std::atoll(argv[8]);
    show_layer(best, shape);
    return 0;
  }
  const double percent = argc > 1 ? std::atof(argv[1]) : 0;
  const int below = measure_named_layers(Isa::x86_64_v4, fma_limit_512, percent) +
                    measure_named_layers(Isa::x86_64_v3, fma_limit_256, percent);
  return below == 0 ? 0 : 1;
}
