#pragma once

#include <cstddef>

#include "runtime/pool.h"

namespace ganc::runtime {

// What this machine can do with all threads, measured in some tenths of a second.
struct MachineLimits {
  double flops = 0;  // fused multiply-adds of f32 in registers, counted as two, a second
  // Bytes a second, read and written: of 256 KiB a thread, of 8 MiB and of 256 MiB.
  double near = 0, middle = 0, far = 0;
  double start = 0;  // seconds of a barrier
};
MachineLimits measure_limits(Pool& pool, bool avx512);

// Bytes read and written a second, of so many in all that are copied over and over.
double measure_copies(Pool& pool, std::size_t bytes);

}  // namespace ganc::runtime
