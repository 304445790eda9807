#pragma once

#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc {

struct Case {
  kernel::Kernel kernel;
  double flop;
  bool wide = true;  // 64 channels or more on both sides
};

// Single contractions in the layouts that the scheduler gives them: batch innermost, weights as
// scalars.
std::vector<Case> contraction_cases();

}  // namespace ganc
