#pragma once

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

// Roughly the instructions that one vector of a value takes.
unsigned work_of(const Value& value);

// What all units of a kernel do together.
struct Work {
  // Additions, multiplications and functions of real numbers, each 1, a multiply-add of a
  // contraction 2. Taps that meet nothing count nothing; of masked products all count.
  double flop = 0;
  // Instructions for one lane of f32: a multiply-add of a contraction is one, a function work_of().
  double operations = 0;
  // Of each buffer that is memory of the arena: read and written once, and no more of it than the
  // loops touch.
  std::vector<double> read, written;
};
Work count_work(const Kernel& kernel);

}  // namespace ganc::kernel
