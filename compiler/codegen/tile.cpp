#include "compiler/codegen/tile.h"

#include <algorithm>

namespace ganc {
namespace {

// Cycles of one step along the reduced axis on a core with two multiply-adds and two loads a cycle,
// a latency of 4 and 32 bytes a cycle from L2. Loads, and what they bring from L2, also cost
// where they do not bound: they compete for issue and for lines of L1.
double step_cycles(const Target& target, std::int64_t rows, std::int64_t columns, TileReads reads) {
  const auto r = static_cast<double>(rows), c = static_cast<double>(columns);
  const double of_a = reads.a_by_column ? r * c : r, of_b = reads.b_by_row ? r * c : c;
  const double arithmetic = r * c / 2, loads = (of_a + of_b) / 2,
               second_level = of_b * target.vector_bits / 8 / 32;
  return std::max({arithmetic, loads, second_level, 4.0}) + 0.15 * loads + 0.25 * second_level;
}

}  // namespace

RegisterTile choose_register_tile(const Target& target, std::int64_t m, std::int64_t v,
                                  unsigned width, std::int64_t panel, TileReads reads) {
  const std::int64_t vectors = reads.dot ? v : (v + width - 1) / width;
  const std::int64_t most = reads.dot ? std::min<std::int64_t>(8, width) : 4;
  RegisterTile best{1, 1};
  double least = 1e300;
  for (std::int64_t columns = 1; columns <= std::min(vectors, most); ++columns) {
    const std::int64_t lanes = columns * width;
    // AVX2 keeps the mask of the last lanes in a vector; a narrower last tile has one to spare.
    const bool masked =
        !reads.dot && v % width != 0 && vectors % columns == 0 && target.vector_bits < 512;
    const std::int64_t registers = std::int64_t{target.vector_registers} - (masked ? 1 : 0);
    if (panel > 0 && lanes % panel != 0 && panel % lanes != 0) continue;
    for (std::int64_t rows = 1; rows <= m; ++rows) {
      // What is read of the shorter side stays, one register holds what is read of the other; two
      // where AVX2 has to spread a scalar for every product, or LLVM runs out of them.
      const std::int64_t stay = reads.b_by_row      ? 1
                                : reads.a_by_column ? columns
                                                    : std::min(rows, columns);
      const bool spreads = !reads.dot && rows > 1 && columns == 1 && target.vector_bits < 512;
      const std::int64_t others = stay + (spreads ? 2 : 1);
      if (rows * columns + others > registers) break;
      double cycles = 0;
      for (const auto& [r, of_rows] :
           {std::pair{rows, m / rows}, std::pair{m % rows, std::int64_t{m % rows > 0}}})
        for (const auto& [c, of_columns] :
             {std::pair{columns, vectors / columns},
              std::pair{vectors % columns, std::int64_t{vectors % columns > 0}}})
          if (of_rows * of_columns > 0)
            cycles += static_cast<double>(of_rows * of_columns) * step_cycles(target, r, c, reads);
      if (cycles < least) {
        least = cycles;
        best = {static_cast<unsigned>(rows), static_cast<unsigned>(columns)};
      }
    }
  }
  return best;
}

}  // namespace ganc
