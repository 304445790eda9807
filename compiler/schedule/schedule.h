#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/elaborate/model.h"
#include "compiler/schedule/plan.h"

namespace ganc {

// How contractions of f32 may be computed.
enum class Products : std::uint8_t {
  exact,         // IEEE products and sums
  fewer,         // convolutions with fewer multiplications where that is faster: within a relative
                 // error (L2) of 1e-5
  bf16_vectors,  // of numbers rounded to bf16, sums in f32, where that is faster than `fewer`
  bf16_tiles,    // the same, for CPUs that multiply tiles
  split_tiles,   // each number as the sum of two of bf16, three products in tiles: as `fewer`
};

struct ScheduleOptions {
  bool fuse = true;                // false (-O0): one kernel an op
  std::vector<Products> products;  // of each graph; empty: all exact
  // What fewer products must gain over the direct way, by the cost model, to be chosen; 0: always,
  // and products of pairs too.
  double least_gain = 1.25;
  // Of the register tiles of two vectors that fill the CPU's registers: 14 where there are 32, 6 of
  // 16.
  std::int64_t register_rows = 14;
};

// Kernels, layouts, order and memory for all programs of a model over one arena.
//   needs    rewritten, verified graphs
//   ensures  every buffer has a layout and an offset; a variable lies in the same place in every
//   program
Plan schedule(std::span<const Variable> variables, std::span<const Graph* const> graphs,
              const ScheduleOptions& options);

}  // namespace ganc
