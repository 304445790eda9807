#include <catch2/catch.hpp>
#include <random>

#include "compiler/schedule/pack.h"

using namespace ganc::planning;

namespace {

// Two spaces that are needed at once and overlap; none: the packing is right.
bool is_right(const std::vector<Space>& spaces, const Packing& packing) {
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    if (packing.offsets[i] < 0 || packing.offsets[i] + spaces[i].bytes > packing.bytes)
      return false;
    for (std::size_t j = 0; j < i; ++j) {
      const bool at_once = spaces[i].first <= spaces[j].last && spaces[j].first <= spaces[i].last;
      const bool apart = packing.offsets[i] + spaces[i].bytes <= packing.offsets[j] ||
                         packing.offsets[j] + spaces[j].bytes <= packing.offsets[i];
      if (at_once && !apart) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a space takes the place of one that is no longer needed") {
  const std::vector<Space> spaces = {{0, 1, 64}, {1, 2, 128}, {2, 3, 64}};
  const Packing packing = pack(spaces);
  CHECK(is_right(spaces, packing));
  CHECK(packing.bytes == 192);
  CHECK(most_alive(spaces) == 192);
  CHECK(pack({}).bytes == 0);
}

TEST_CASE("what was large and short does not leave a gap under what is small and long") {
  // In the order of birth the long one lies above the short one, and the last finds no room.
  const std::vector<Space> spaces = {{0, 1, 640}, {1, 9, 64}, {2, 9, 704}};
  const Packing packing = pack(spaces);
  CHECK(is_right(spaces, packing));
  CHECK(packing.bytes == most_alive(spaces));
}

TEST_CASE("random spaces never overlap and come near the most that is needed at once") {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    std::vector<Space> spaces;
    for (int i = 0; i < 80; ++i) {
      const std::int64_t first = random() % 100, length = random() % 30;
      spaces.push_back({first, first + length, static_cast<std::int64_t>(64 + random() % 64 * 64)});
    }
    const Packing packing = pack(spaces);
    CHECK(is_right(spaces, packing));
    CHECK(packing.bytes >= most_alive(spaces));
    CHECK(static_cast<double>(packing.bytes) <= 1.15 * static_cast<double>(most_alive(spaces)));
  }
}
