#pragma once

#include "compiler/codegen/codegen.h"

namespace ganc {

// Times layers of drawn shapes, 10 MFLOP to 1 GFLOP, on one core: forward and both gradients,
// exact and with fewer products. Prints the share that each reaches of its own least time, by the
// limits of this machine as measured in the same run, then the worst ten.
void measure_shapes(Isa isa, double (*fma_limit)(), int count, std::uint64_t seed);

// The kernels of one of these layers, counted from 0, and the time of each call.
void show_shape(Isa isa, int number, std::uint64_t seed);

}  // namespace ganc
