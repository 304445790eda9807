#pragma once

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "compiler/ops/op.h"

// Values drawn for tests, the same for the same seed on every machine.
namespace ganc::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  std::int64_t integer(std::int64_t low, std::int64_t high) {  // both ends included
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }

 private:
  std::mt19937_64 engine_;
};

inline Value random_value(Random& random, const Type& type, double low = -2, double high = 2) {
  Value value{type, std::vector<double>(static_cast<std::size_t>(element_count(type.shape)))};
  for (double& x : value.data) {
    x = is_real(type.dtype) ? random.uniform(low, high)
                            : static_cast<double>(random.integer(static_cast<std::int64_t>(low),
                                                                 static_cast<std::int64_t>(high)));
  }
  return value;
}

// How often a fuzz-like test repeats: the environment variable's number, if it is set.
inline int repeats(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace ganc::test
