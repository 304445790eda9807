#include <bit>

#include "runtime/data/loader.h"
#include "runtime/data/philox.h"

namespace ganc::runtime {

// A Feistel network permutes [0, 2^2h), the smallest such range that holds `count`; what falls
// outside of [0, count) goes through it again until it falls inside, so that [0, count) is permuted
// too. Less than four times on average.
std::int64_t shuffled_index(std::int64_t i, std::int64_t count, std::uint64_t seed,
                            std::uint64_t pass) {
  constexpr std::uint32_t rounds = 8;
  const auto n = static_cast<std::uint64_t>(count);
  const int half = (std::bit_width(n - 1) + 1) / 2;
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << half) - 1);
  auto value = static_cast<std::uint64_t>(i);
  if (n < 2) return 0;
  do {
    auto left = static_cast<std::uint32_t>(value >> half);
    auto right = static_cast<std::uint32_t>(value & mask);
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::uint32_t stream = static_cast<std::uint32_t>(Stream::order) + 16 * round;
      const PhiloxBlock block = philox(
          {right, stream, static_cast<std::uint32_t>(pass), static_cast<std::uint32_t>(pass >> 32)},
          seed);
      const std::uint32_t mixed = left ^ (block[0] & mask);
      left = right;
      right = mixed;
    }
    value = std::uint64_t{left} << half | right;
  } while (value >= n);
  return static_cast<std::int64_t>(value);
}

}  // namespace ganc::runtime
