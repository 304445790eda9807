#pragma once

#include "runtime/pool.h"

namespace ganc::runtime {

// What this machine can do, measured in some tens of milliseconds.
struct MachineLimits {
  double flops = 0;             // fused multiply-adds of f32 in registers, counted as two
  double bytes_per_second = 0;  // read and written, between memory and registers
};
MachineLimits measure_limits(Pool& pool, bool avx512);

}  // namespace ganc::runtime
