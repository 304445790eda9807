#pragma once

#include <span>
#include <string_view>

#include "compiler/schedule/plan.h"

namespace ganc {

// What each call of a plan does: flop, operations and traffic, from its kernel and its places.
//   needs    kernels and calls with offsets
//   ensures  flop, operations and traffic of every call are set; a program is taken to run again
//   and
//            again, so that its first call finds what its last ones left in the caches
void count_costs(Plan& plan);

// How long ago memory was touched, in bytes of traffic, for it to be near or in the middle: what an
// L2 cache and an L3 cache of usual size still hold.
inline constexpr double near_bytes = 1 << 20, middle_bytes = 16 << 20;

// The limits of one core of a class of CPUs. Measured: docs/cost.md says how.
struct CpuClass {
  std::string_view name, features;
  double flops;           // f32 multiply-adds in registers, counted as two, a second
  double l2, l3, memory;  // bytes a second, read or written
  double start;           // seconds that a call takes beyond its work: the barrier before it
};
std::span<const CpuClass> cpu_classes();

enum class Bound { multiply_add, l2, l3, memory, start };
std::string_view name(Bound bound);

struct Prediction {
  double seconds;
  Bound bound;  // what makes it so long
};
// The least time for a call: no kernel is faster, a good one is near. Cores do not hinder each
// other, but for memory, which is no faster for more than two.
Prediction predict(const Call& call, std::int64_t units, const CpuClass& cpu, unsigned threads);

}  // namespace ganc
