#pragma once

#include "compiler/driver/compile.h"

namespace ganc {

// The most memory that a process takes which trains, writing its pictures and checkpoints, without
// its data set: what it shows as VmHWM.
struct Peak {
  std::int64_t arena = 0;   // what starting, training and drawing the outputs use of it
  std::int64_t beside = 0;  // code, stacks, the description, batches read ahead, pictures
  std::int64_t thread = 0;  // more for each thread
  std::int64_t bytes(unsigned threads) const { return arena + beside + thread * threads; }
};
//   needs    a compilation up to Stage::plan
Peak peak_of(const Compilation& compilation, const Plan& plan, bool f64);

// What `check` and `emit memory` report for.
inline constexpr unsigned shown_threads = 2;

}  // namespace ganc
