#pragma once

#include <cstdint>
#include <random>
#include <stdexcept>

#include "runtime/arena.h"

namespace ganc {

// Memory as a trainer has it, full of random numbers: huge pages where there is much, for their
// lack halves the speed of the outer caches.
class RandomArena {
 public:
  explicit RandomArena(std::int64_t bytes) : arena_(create(bytes)) {
    constexpr std::int64_t period = 1 << 18;
    std::mt19937 random(5);
    auto* numbers = reinterpret_cast<float*>(arena_.data());
    for (std::int64_t i = 0; i < bytes / 4; ++i)
      numbers[i] =
          i < period ? std::uniform_real_distribution(-1.0f, 1.0f)(random) : numbers[i - period];
  }
  char* begin() { return arena_.data(); }

 private:
  static runtime::Arena create(std::int64_t bytes) {
    auto arena = runtime::Arena::create(bytes, 0, 1);
    if (!arena) throw std::runtime_error(arena.error().message);
    return std::move(*arena);
  }
  runtime::Arena arena_;
};

}  // namespace ganc
