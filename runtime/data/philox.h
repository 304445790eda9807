#pragma once

#include <array>
#include <cstdint>

namespace ganc::runtime {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four random
// words as a function of a counter and a key. Drawn samples, flips and the order of a pass are made
// of it, so that each is a function of its own numbers and of nothing that happened before.
using PhiloxBlock = std::array<std::uint32_t, 4>;

inline PhiloxBlock philox(PhiloxBlock counter, std::uint64_t key) {
  auto low = static_cast<std::uint32_t>(key);
  auto high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ low, static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ high, static_cast<std::uint32_t>(a)};
    low += 0x9E3779B9;
    high += 0xBB67AE85;
  }
  return counter;
}

// What a stream of draws is for; streams of one seed are independent. Below 16: the visit is beside
// it.
enum class Stream : std::uint32_t { order = 1, digit, digit_colour, point, flip };

// A sequence of draws that belongs to one sample (and one visit of it).
class Draws {
 public:
  Draws(std::uint64_t seed, Stream stream, std::uint64_t sample, std::uint32_t visit = 0)
      : seed_(seed),
        counter_{0, static_cast<std::uint32_t>(stream) + 16 * visit,
                 static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32)} {}

  std::uint32_t word() {
    if (used_ == 4) {
      block_ = philox(counter_, seed_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  // In [0, 1), of 32 bits.
  double uniform() { return word() * 0x1p-32; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>(std::uint64_t{word()} * n >> 32);
  }

  // Mean 0, variance 1, within 3.5: the sum of four uniforms. For shapes, where no tail is wanted
  // and the bits should not depend on a mathematics library.
  double bell() { return (uniform() + uniform() + uniform() + uniform() - 2) * 1.7320508075688772; }

 private:
  std::uint64_t seed_;
  PhiloxBlock counter_;
  PhiloxBlock block_{};
  int used_ = 4;
};

// Whether a sample is mirrored at this visit.
inline bool mirrored(std::uint64_t seed, std::int64_t sample, std::uint64_t visit) {
  return Draws(seed, Stream::flip, static_cast<std::uint64_t>(sample),
               static_cast<std::uint32_t>(visit))
             .below(2) == 1;
}

}  // namespace ganc::runtime
