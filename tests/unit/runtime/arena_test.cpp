#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>

#include "runtime/arena.h"

using namespace ganc::runtime;

TEST_CASE("a large arena begins at a huge page, a small one takes what it needs") {
  constexpr std::int64_t huge_page = 2 << 20;
  auto large = Arena::create(3 * huge_page + 5, 100, 2);
  REQUIRE(large);
  CHECK(reinterpret_cast<std::uintptr_t>(large->data()) % huge_page == 0);
  CHECK(large->mapped_bytes() < 3 * huge_page + (32 << 10));
  // All of it can be written, and it was zero.
  CHECK(large->data()[3 * huge_page + 4] == 0);
  std::memset(large->data(), 1, 3 * huge_page + 5);
  CHECK(large->scratch(1)[99] == 0);
  large->scratch(1)[99] = 1;
  auto small = Arena::create(1000, 0, 1);
  REQUIRE(small);
  CHECK(small->mapped_bytes() <= 8192);
}

TEST_CASE("numbers leave the arena in parts that make the whole") {
  auto arena = Arena::create(1 << 16, 0, 1);
  REQUIRE(arena);
  // Leading axes of one, and an order of its own in memory.
  const Binding binding{"b", DType::f32, {1, 6, 5, 4}, {0, 1, 24, 6}, 64, 480};
  std::vector<float> values(120);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  place(arena->data(), binding, values.data());
  for (const std::size_t most : {4UL, 30UL, 100UL, 480UL, 10'000UL}) {
    std::vector<char> bytes;
    std::size_t largest = 0;
    gather_parts(arena->data(), binding, most, [&](const char* part, std::size_t count) {
      bytes.insert(bytes.end(), part, part + count);
      largest = std::max(largest, count);
    });
    REQUIRE(bytes.size() == 480);
    CHECK(std::memcmp(bytes.data(), values.data(), 480) == 0);
    CHECK(largest <= most);
  }
}
