#include <catch2/catch.hpp>

#include "compiler/schedule/contraction.h"

// What a unit of long sums has of the gradient of filters.

using namespace ganc::planning;

namespace {

constexpr std::int64_t terms = 16384;

Tiling gradient_of_filters(std::int64_t taps, std::int64_t in, std::int64_t out) {
  Tiling tiling;
  tiling.outer = {{0, taps}, {1, taps}};
  tiling.m_extent = in;
  tiling.v_extent = out;
  return tiling;
}

std::int64_t units(const Tiling& tiling, const SumBlocks& blocks) {
  std::int64_t count = 1;
  for (std::size_t i = 0; i < blocks.shared; ++i) count *= tiling.outer[i].extent;
  const std::int64_t rows = (tiling.m_extent + blocks.m_block - 1) / blocks.m_block,
                     lanes = (tiling.v_extent + blocks.v_block - 1) / blocks.v_block;
  return count * rows * lanes;
}

}  // namespace

TEST_CASE("a unit of long sums has several taps, so that the operands are read less often") {
  const Tiling tiling = gradient_of_filters(3, 64, 64);
  const SumBlocks blocks = choose_sum_blocks(tiling, terms, 14);
  CHECK(blocks.shared < 2);
  CHECK(units(tiling, blocks) >= 4);
  // A unit for each tap reads both operands nine times.
  CHECK(units(tiling, blocks) * (blocks.m_block + blocks.v_block) < 9 * (64 + 64));
}

TEST_CASE("few rows are not cut to have more units") {
  Tiling tiling = gradient_of_filters(1, 12, 64);
  tiling.outer = {{0, 4}};
  const SumBlocks blocks = choose_sum_blocks(tiling, terms, 14);
  CHECK(blocks.m_block == 12);
  CHECK(units(tiling, blocks) == 4);
}

TEST_CASE("a part of a long sum is no longer than what a cache holds of its operands") {
  const Tiling tiling = gradient_of_filters(3, 256, 256);
  const std::int64_t wide = part_terms(tiling, {1, 256, 256}),
                     narrow = part_terms(tiling, {1, 16, 64});
  CHECK(wide * (256 + 256) * 4 <= 128 << 10);
  CHECK(narrow > wide);
}
