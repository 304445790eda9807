#pragma once

#include <functional>
#include <vector>

#include "compiler/codegen/codegen.h"
#include "compiler/schedule/schedule.h"
#include "tests/bench/kernels/random_arena.h"
#include "tests/jit/jit.h"
#include "tests/layers/layer_shape.h"

namespace ganc {

constexpr test::LayerProduct layer_products[] = {test::LayerProduct::forward,
                                                 test::LayerProduct::data_gradient,
                                                 test::LayerProduct::weight_gradient};

// One product of a layer as the scheduler plans it, on one core.
struct LayerTiming {
  test::LayerShape shape;
  test::LayerProduct product;
  bool fewer;                   // minimal filtering, where that changes a kernel
  std::vector<double> seconds;  // of processor time
};

// A layer's three products as programs over one arena of random numbers, compiled; those with fewer
// products too, where that changes a kernel.
class LayerPrograms {
 public:
  LayerPrograms(const test::LayerShape& shape, Isa isa);
  // Runs program `i` of `timings` once.
  void run(std::size_t i);
  // With the least of several times of each of its calls alone.
  void for_each_call(std::size_t i,
                     const std::function<void(double seconds, const kernel::Kernel&)>& body);
  std::vector<LayerTiming> timings;

 private:
  struct Prepared {
    Plan plan;
    std::vector<GancKernel> functions;
  };
  Prepared prepare(const test::LayerShape& shape, bool fewer, Isa isa);
  void run(const Prepared& prepared, const Call& call);

  Jit jit_;
  Prepared exact_, fast_;
  RandomArena arena_, scratch_;
};

// The kernels of a layer, and the time of each call.
void show_layer(Isa isa, const test::LayerShape& shape);

}  // namespace ganc
