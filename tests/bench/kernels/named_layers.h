#pragma once

#include "compiler/codegen/codegen.h"
#include "tests/layers/layer_shape.h"

namespace ganc {

// Times layers that GANs are made of, on one core: forward and both gradients, exact and with fewer
// products, in turns with the limit. Prints what they reach of it, counted by the direct way.
// Returns how many exact ones of 64 channels or more stay below `percent`.
int measure_named_layers(Isa isa, double (*fma_limit)(), double percent);

// A layer of square images and windows; a transposed one enlarges by its stride.
test::LayerShape square_layer(std::int64_t batch, std::int64_t in, std::int64_t out,
                              std::int64_t size, std::int64_t taps, std::int64_t stride,
                              bool transposed = false);

}  // namespace ganc
