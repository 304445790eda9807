#pragma once

#include <cstdint>
#include <span>

namespace ganc::runtime {

// A handwritten digit in white on black, as MNIST has them: centred, about 20 of 28 pixels high.
// Which way of writing, slant, proportions, warp, pen and place are a function of seed and sample;
// so are the bits, on every machine.
//   digit    0 to 9
//   size     width and height, 8 to 256
//   pixels   [size, size], rows from the top, overwritten
void draw_digit(int digit, std::int64_t size, std::uint64_t seed, std::uint64_t sample,
                std::span<std::uint8_t> pixels);

}  // namespace ganc::runtime
