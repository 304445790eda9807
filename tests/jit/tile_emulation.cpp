#include "tests/jit/tile_emulation.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace ganc {
namespace {

constexpr int side = 16;

struct Register {
  std::uint32_t words[side][side];  // pairs of bf16, or floats
};
thread_local Register registers[8];

void zero(std::uint8_t tile) {
  registers[tile] = {};
}
void load(std::uint8_t tile, const char* from, std::int64_t row_bytes) {
  for (int row = 0; row < side; ++row)
    std::memcpy(registers[tile].words[row], from + row * row_bytes, sizeof registers[0].words[0]);
}
void store(std::uint8_t tile, char* to, std::int64_t row_bytes) {
  for (int row = 0; row < side; ++row)
    std::memcpy(to + row * row_bytes, registers[tile].words[row], sizeof registers[0].words[0]);
}

// TDPBF16PS of the Intel SDM, but for denormals, which it takes for 0.
void multiply(std::uint8_t sums, std::uint8_t a, std::uint8_t b) {
  const auto low = [](std::uint32_t pair) { return std::bit_cast<float>(pair << 16); };
  const auto high = [](std::uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000); };
  for (int m = 0; m < side; ++m)
    for (int k = 0; k < side; ++k)
      for (int n = 0; n < side; ++n) {
        const std::uint32_t x = registers[a].words[m][k], y = registers[b].words[k][n];
        std::uint32_t& sum = registers[sums].words[m][n];
        sum = std::bit_cast<std::uint32_t>(std::bit_cast<float>(sum) + low(x) * low(y) +
                                           high(x) * high(y));
      }
}

}  // namespace

std::vector<std::pair<const char*, void (*)()>> emulated_tile_operations() {
  const auto address = [](auto* function) { return reinterpret_cast<void (*)()>(function); };
  return {{"ganc_tile_zero", address(zero)},
          {"ganc_tile_load", address(load)},
          {"ganc_tile_store", address(store)},
          {"ganc_tile_multiply", address(multiply)}};
}

}  // namespace ganc
