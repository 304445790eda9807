#include <algorithm>

#include "compiler/schedule/contraction.h"
#include "compiler/schedule/cost.h"

namespace ganc::planning {
namespace {

// Of a core, rounded: the same for every CPU, so that plans are.
constexpr double middle_bytes_a_cycle = 8;  // from L3
constexpr double far_bytes_a_cycle = 4;     // from memory
constexpr double near_bytes_a_cycle = 16;   // L2, for sums that are read and written
constexpr double piece_start = 128;  // elements: what it costs to go on elsewhere after a block
constexpr double vector_cycles = 1;  // that a tile takes for a vector, beside half a row's
constexpr std::int64_t threads = 4;  // that should have as much to do as each other
constexpr std::int64_t lanes_of_blocks = 64;
constexpr std::int64_t columns_of_blocks = 8;  // of dot products
constexpr double dot_sum_cycles = 3;           // to add up the lanes of one
constexpr double uneven_rows = 1.1;  // for the rest of a block, whose rows no tile is made for

double ceiling(double x, double of) {
  return static_cast<double>(static_cast<std::int64_t>((x + of - 1) / of));
}

class Blocks {
 public:
  Blocks(const Tiling& tiling, std::int64_t terms, std::int64_t register_rows)
      : t_(tiling), terms_(terms), register_rows_(static_cast<double>(register_rows)) {}

  SumBlocks best() const {
    SumBlocks found;
    double least = 1e300;
    for (std::size_t shared = 0; shared <= t_.outer.size(); ++shared)
      for (const std::int64_t rows : row_blocks())
        for (std::int64_t lanes = t_.v_extent; lanes > 0; lanes = fewer_lanes(lanes)) {
          const SumBlocks blocks{shared, rows, lanes};
          if (const double cycles = cost(blocks); cycles < least) least = cycles, found = blocks;
        }
    return found;
  }

 private:
  std::vector<std::int64_t> row_blocks() const {
    std::vector<std::int64_t> sizes = {t_.m_extent};
    for (std::int64_t blocks = 2; t_.m_extent / blocks >= min_rows; ++blocks)
      if (const std::int64_t rows = (t_.m_extent + blocks - 1) / blocks; rows < sizes.back())
        sizes.push_back(rows);
    return sizes;
  }
  // The next smaller block of whole vectors; 0: none.
  std::int64_t fewer_lanes(std::int64_t lanes) const {
    const std::int64_t blocks = (t_.v_extent + lanes - 1) / lanes + 1;
    const std::int64_t whole = t_.dot ? columns_of_blocks : lanes_of_blocks;
    const std::int64_t fewer = ((t_.v_extent + blocks - 1) / blocks + whole - 1) / whole * whole;
    return fewer < lanes ? fewer : (lanes - 1) / whole * whole;
  }

  // Cycles of all sums, as the slowest of some threads sees them.
  double cost(const SumBlocks& blocks) const {
    const auto rows = static_cast<double>(blocks.m_block), m = static_cast<double>(t_.m_extent),
               lanes = static_cast<double>(blocks.v_block), v = static_cast<double>(t_.v_extent),
               terms = static_cast<double>(terms_);
    const double m_blocks = ceiling(m, rows), v_blocks = ceiling(v, lanes);
    double together = 1, positions = 1;
    for (std::size_t i = 0; i < t_.outer.size(); ++i)
      (i < blocks.shared ? together : positions) *= static_cast<double>(t_.outer[i].extent);
    const double uneven = t_.m_extent % blocks.m_block == 0 ? 1 : uneven_rows;
    const double multiply =
        together * positions * terms * uneven *
        (t_.dot ? m * v / panel_lanes * std::max(0.5, (1 / std::min(rows, 4.0) + 1 / 6.0) / 2)
                : v_blocks * ceiling(lanes, panel_lanes) *
                      (m / 2 + vector_cycles * m_blocks * ceiling(rows, register_rows_)));
    // What dot products read of a row is long in any block.
    const auto piece = [&](double block, double all) {
      return !t_.dot && block < all ? 1 + piece_start / block : 1;
    };
    const double read =
        4 * terms * together * (m * v_blocks * piece(rows, m) + v * m_blocks * piece(lanes, v)) /
        (4 * terms * (m + v) < middle_bytes ? middle_bytes_a_cycle : far_bytes_a_cycle);
    const double parts = ceiling(terms, static_cast<double>(part_terms(t_, blocks)));
    const double add = together * positions * m * v * parts *
                       (8 / near_bytes_a_cycle + (t_.dot ? dot_sum_cycles : 0));
    const auto units = static_cast<std::int64_t>(together * m_blocks * v_blocks);
    const double waiting =
        static_cast<double>((units + threads - 1) / threads * threads) / static_cast<double>(units);
    return (multiply + read + add) * waiting;
  }

  const Tiling& t_;
  const std::int64_t terms_;
  const double register_rows_;
};

}  // namespace

std::int64_t part_terms(const Tiling& tiling, const SumBlocks& blocks) {
  // Of both operands, beside the sums: rows of dot products are read for every column again.
  const std::int64_t bytes = tiling.dot ? 24 << 10 : 128 << 10;
  // Fewer do not pay for the stores, nor for adding up lanes.
  const std::int64_t least = tiling.dot ? 512 : 48;
  return std::max(bytes / (4 * (blocks.m_block + blocks.v_block)), least);
}

SumBlocks choose_sum_blocks(const Tiling& tiling, std::int64_t terms, std::int64_t register_rows) {
  return Blocks(tiling, terms, register_rows).best();
}

}  // namespace ganc::planning
