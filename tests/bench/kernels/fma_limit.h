#pragma once

namespace ganc {

// Multiply-adds a second of one core, in GFLOP/s (a multiply-add is 2), from registers alone, on
// random numbers (constants are 10 to 20 % too fast where clocks follow power). 0 where the machine
// lacks the instructions.
double fma_limit_256();
double fma_limit_512();

}  // namespace ganc
