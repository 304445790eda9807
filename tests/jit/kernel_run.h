#pragma once

#include <string>

#include "tests/jit/jit.h"
#include "tests/jit/kernel_reference.h"

namespace ganc {

// Runs a compiled kernel on `contents`; every buffer has pages of its own, with pages before and
// after that must not be touched. Units are run in `pieces` calls, the last first.
void run_compiled(const kernel::Kernel& kernel, GancKernel function, Contents& contents,
                  int pieces = 1);

// Random contents: reals within [-2, 2], integers within [0, 8), predicates.
Contents random_contents(const kernel::Kernel& kernel, std::uint32_t seed);

// Runs kernels by the reference and compiled for every instruction set that this machine runs,
// optimized and not.
class KernelComparison {
 public:
  void add(kernel::Kernel kernel, Contents before);
  // What differs by more than `tolerance` (relative to the larger of 1 and the number); empty:
  // nothing.
  std::string differences(Jit& jit, double tolerance = 1e-5) const;

 private:
  std::vector<kernel::Kernel> kernels_;
  std::vector<Contents> before_;
};
std::string differences(Jit& jit, const kernel::Kernel& kernel, const Contents& before,
                        double tolerance = 1e-5);

}  // namespace ganc
