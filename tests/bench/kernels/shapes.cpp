#include "tests/bench/kernels/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/schedule/cost.h"
#include "runtime/verbs/machine_limits.h"
#include "tests/bench/kernels/layer_programs.h"

namespace ganc {
namespace {

using test::LayerShape;

constexpr test::LayerRange range{.least_products = 5e6, .most_products = 5e8, .most_elements = 3e7};
constexpr std::size_t shown = 10;

// Each several times, for the least.
std::vector<LayerTiming> time_layer(const LayerShape& shape, Isa isa) {
  LayerPrograms layer(shape, isa);
  for (std::size_t i = 0; i < layer.timings.size(); ++i) {
    double all = 0;
    for (int round = 0; round < 4 || (round < 40 && all < 0.04); ++round) {
      layer.run(i);
      all += layer.timings[i].seconds.back();
    }
  }
  return std::move(layer.timings);
}

// What one core moves a second, by how many bytes it uses over and over: how much of a shared cache
// it has is no machine's property.
class Speeds {
 public:
  explicit Speeds(runtime::Pool& pool) : pool_(pool) {}
  // Between powers of two by proportion.
  double of(double bytes) {
    const double at = std::clamp(std::log2(bytes), 18.0, 26.0), low = std::floor(at);
    return measured(low) + (at - low) * (measured(std::ceil(at)) - measured(low));
  }

 private:
  double measured(double power) {
    const auto [known, missing] = speeds_.try_emplace(power);
    if (missing)
      known->second = runtime::measure_copies(pool_, std::size_t{1} << std::lround(power));
    return known->second;
  }

  runtime::Pool& pool_;
  std::map<double, double> speeds_;
};

// The least time by the direct way: the products of taps that meet, and operands and result moved
// once, from where they are when they are used over and over.
Prediction least_time(const LayerTiming& timing, CpuClass machine, Speeds& speeds) {
  const double products = test::products(timing.shape),
               bytes = 4 * test::moved_elements(
                               timing.shape, timing.product == test::LayerProduct::data_gradient);
  Call call{.kernel = 0, .flop = 2 * products, .operations = products};
  const double speed = speeds.of(bytes);
  if (bytes < near_bytes)
    call.traffic.near = bytes, machine.l2 = speed;
  else if (speed > (machine.l3 + machine.memory) / 2)
    call.traffic.middle = bytes, machine.l3 = speed;
  else
    call.traffic.far = bytes, machine.memory = speed;
  return predict(call, 1, machine, 1);
}

}  // namespace

void measure_shapes(Isa isa, double (*fma_limit)(), int count, std::uint64_t seed) {
  if (!runs_here(isa)) return fmt::print("{}: not on this machine\n", name(isa));
  runtime::Pool pool(1);
  const runtime::MachineLimits limits = runtime::measure_limits(pool, isa != Isa::x86_64_v3);
  CpuClass machine{"", "", 0, limits.near, limits.middle, limits.far, 0};
  Speeds speeds(pool);
  std::vector<LayerTiming> timings;
  std::vector<double> rounds;
  test::Random random(seed);
  for (int i = 0; i < count; ++i) {
    rounds.push_back(1e9 * fma_limit());
    for (LayerTiming& timing : time_layer(test::random_layer_shape(random, range), isa))
      timings.push_back(std::move(timing));
  }
  std::ranges::nth_element(rounds, rounds.begin() + count / 2);
  machine.flops = rounds[static_cast<std::size_t>(count / 2)];
  fmt::print(
      "{}: {:.1f} GFLOP/s, L2 {:.1f}, L3 {:.1f}, memory {:.1f} GB/s a core; shapes of seed {}\n",
      name(isa), machine.flops / 1e9, machine.l2 / 1e9, machine.l3 / 1e9, machine.memory / 1e9,
      seed);
  std::vector<std::pair<double, std::string>> lines;
  for (const LayerTiming& t : timings) {
    const Prediction least = least_time(t, machine, speeds);
    const double seconds = std::ranges::min(t.seconds), share = least.seconds / seconds;
    lines.emplace_back(
        share,
        fmt::format("{:5.1f} % {:8.2f} ms {:6.1f} GFLOP/s  {:<12} {} {}: {}", 100 * share,
                    1e3 * seconds, 2e-9 * test::products(t.shape) / seconds, name(least.bound),
                    t.fewer ? "fast " : "exact", name(t.product), describe(t.shape)));
    fmt::print("  {}\n", lines.back().second);
  }
  std::ranges::sort(lines);
  fmt::print("{}: the worst {} of {}\n", name(isa), std::min(shown, lines.size()), lines.size());
  for (std::size_t i = 0; i < std::min(shown, lines.size()); ++i)
    fmt::print("  {}\n", lines[i].second);
}

void show_shape(Isa isa, int number, std::uint64_t seed) {
  test::Random random(seed);
  LayerShape shape;
  for (int i = 0; i <= number; ++i) shape = test::random_layer_shape(random, range);
  show_layer(isa, shape);
}

}  // namespace ganc
