#pragma once

#include <cstdint>

#include "compiler/codegen/target.h"

namespace ganc {

struct RegisterTile {
  unsigned rows, columns;  // rows of m, columns of vectors of v
};

// The tile that sums of m x v elements, `width` a vector, take least time with, by a model of the
// inner loop: its multiply-adds, its loads from L1 (a broadcast a row, a vector a column) and the
// vectors from L2, the slowest counts.
// Its columns are whole panels of v or an equal part of one.
RegisterTile choose_register_tile(const Target& target, std::int64_t m, std::int64_t v,
                                  unsigned width, std::int64_t panel);

}  // namespace ganc
