#include "tests/bench/kernels/named_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tests/bench/kernels/layer_programs.h"

namespace ganc {
namespace {

using test::LayerShape;

constexpr int rounds = 15;
constexpr std::int64_t wide = 64;  // channels on both sides

LayerShape dense(std::int64_t batch, std::int64_t in, std::int64_t out) {
  return {.batch = batch, .in = in, .out = out};
}

std::vector<LayerShape> named_layers() {
  return {dense(64, 784, 512),
          dense(128, 400, 784),
          square_layer(64, 64, 64, 16, 3, 1),
          square_layer(64, 128, 256, 16, 3, 1),
          square_layer(1, 256, 256, 32, 3, 1),
          square_layer(64, 64, 128, 32, 4, 2),
          square_layer(64, 128, 256, 16, 4, 2),
          square_layer(64, 256, 128, 8, 4, 2, true),
          square_layer(64, 3, 64, 32, 4, 2),
          square_layer(64, 64, 3, 32, 4, 2, true)};
}

double median(std::vector<double> x) {
  std::ranges::nth_element(x, x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2));
  return x[x.size() / 2];
}

}  // namespace

test::LayerShape square_layer(std::int64_t batch, std::int64_t in, std::int64_t out,
                              std::int64_t size, std::int64_t taps, std::int64_t stride,
                              bool transposed) {
  Window window;
  (transposed ? window.lhs_dilation : window.stride) = stride;
  const std::int64_t pad = (taps - 1) / 2;
  window.pad_low = window.pad_high = transposed ? taps - 1 - pad : pad;
  return {.batch = batch,
          .in = in,
          .out = out,
          .transposed = transposed,
          .axes = {{size, taps, window}, {size, taps, window}}};
}

int measure_named_layers(Isa isa, double (*fma_limit)(), double percent) {
  if (!runs_here(isa)) {
    fmt::print("{}: not on this machine\n", name(isa));
    return 0;
  }
  std::vector<std::unique_ptr<LayerPrograms>> layers;
  for (const LayerShape& shape : named_layers())
    layers.push_back(std::make_unique<LayerPrograms>(shape, isa));
  std::vector<double> limits;
  for (int round = 0; round < rounds; ++round)
    for (const auto& layer : layers) {
      limits.push_back(fma_limit());
      for (std::size_t i = 0; i < layer->timings.size(); ++i) layer->run(i);
    }
  const double most = median(limits);
  fmt::print("{}: multiply-add limit {:.1f} GFLOP/s a core\n", name(isa), most);
  int below = 0;
  for (const auto& layer : layers)
    for (const LayerTiming& t : layer->timings) {
      const double reached = 2e-9 * test::products(t.shape) / median(t.seconds),
                   share = 100 * reached / most;
      const bool fails = !t.fewer && std::min(t.shape.in, t.shape.out) >= wide && share < percent;
      below += fails;
      fmt::print("  {:<44} {:<15} {} {:7.1f} GFLOP/s {:5.1f} %{}\n", describe(t.shape),
                 name(t.product), t.fewer ? "fast " : "exact", reached, share,
                 fails ? fmt::format(", below {} %", percent) : "");
    }
  return below;
}

}  // namespace ganc
