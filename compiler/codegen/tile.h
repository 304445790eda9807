#pragma once

#include <cstdint>

#include "compiler/codegen/target.h"

namespace ganc {

struct RegisterTile {
  unsigned rows, columns;  // rows of m, columns of vectors of v
};

// How the operands of a product are read: a again for every column or b for every row of a tile,
// because it moves with them; as dot products a column is one element of v.
struct TileReads {
  bool a_by_column = false, b_by_row = false, dot = false;
};

// The tile that sums of m x v elements, `width` a vector, take least time with, by a model of the
// inner loop: its multiply-adds, its loads from L1 (usually a broadcast a row, a vector a column)
// and the vectors from L2, the slowest counts.
// Its columns are whole panels of v or an equal part of one.
RegisterTile choose_register_tile(const Target& target, std::int64_t m, std::int64_t v,
                                  unsigned width, std::int64_t panel, TileReads reads = {});

}  // namespace ganc
