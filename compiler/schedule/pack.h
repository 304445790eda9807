#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ganc::planning {

// Bytes that are needed from time `first` to time `last`, both included.
struct Space {
  std::int64_t first, last, bytes;
};

struct Packing {
  std::vector<std::int64_t> offsets;  // of each space
  std::int64_t bytes = 0;             // the end of the last
};

// Offsets such that no two spaces that are needed at the same time overlap, in as few bytes in all
// as some greedy orders find: the problem is NP-hard, and these come within a few hundredths of
// most_alive() on the programs of the catalogue. Depends on the spaces alone.
Packing pack(std::span<const Space> spaces);

// The most bytes that are needed at one time: no packing has fewer.
std::int64_t most_alive(std::span<const Space> spaces);

}  // namespace ganc::planning
