#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace ganc {

// Memory for the buffers of kernels, aligned to a cache line, full of random numbers.
class RandomArena {
 public:
  explicit RandomArena(std::int64_t bytes) : memory_(static_cast<std::size_t>(bytes / 4 + 32)) {
    constexpr std::size_t period = 1 << 18;
    std::mt19937 random(5);
    for (std::size_t i = 0; i < memory_.size(); ++i)
      memory_[i] =
          i < period ? std::uniform_real_distribution(-1.0f, 1.0f)(random) : memory_[i - period];
  }
  char* begin() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return reinterpret_cast<char*>((address + 63) / 64 * 64);
  }

 private:
  std::vector<float> memory_;
};

}  // namespace ganc
