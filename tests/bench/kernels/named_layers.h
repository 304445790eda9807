#pragma once

#include "compiler/codegen/codegen.h"

namespace ganc {

// Times layers that GANs are made of, on one core: forward and both gradients, exact and with fewer
// products, in turns with the limit. Prints what they reach of it, counted by the direct way.
// Returns how many exact ones of 64 channels or more stay below `percent`.
int measure_named_layers(Isa isa, double (*fma_limit)(), double percent);

}  // namespace ganc
