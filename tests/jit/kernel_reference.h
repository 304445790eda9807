#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc {

// The contents of a kernel's buffers, every dtype in doubles.
using Contents = std::vector<std::vector<double>>;

// Runs units [0, units) of a kernel statement by statement, in double precision, stored numbers
// rounded to the buffer's dtype. Aborts at an access outside a buffer. The oracle of the code
// generator's tests.
void run_reference(const kernel::Kernel& kernel, Contents& contents);

// `x` as a buffer of this dtype holds it.
double rounded_to(DType dtype, double x);

}  // namespace ganc
