#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {

// How many blocks hold `extent`.
std::int64_t blocks(std::int64_t extent, std::int64_t block);

// The minimal filtering algorithm F(m, r) (Winograd 1980; Lavin and Gray 2016): m outputs of a
// filter g of r taps over m + r - 1 inputs d, y[i] = sum of d[i + k] g[k], by as many
// multiplications:
//   y = output (filter g * input d), `*` element by element
struct FilterTransform {
  using Matrix = std::vector<std::vector<double>>;
  std::int64_t outputs = 1, taps = 1;
  Matrix input;   // points x points
  Matrix filter;  // points x taps
  Matrix output;  // outputs x points
  std::int64_t points() const { return outputs + taps - 1; }
};
// Up to 8 points: the first of 0, 1, -1, 2, -2, 1/2, -1/2, and infinity. Relative L2 error of a sum
// in f32 in two dimensions: 3e-7 with 3 points, 5e-7 with 4, 1e-6 with 5, 3e-6 with 6; in one
// dimension 1e-6 with 6, 1.3e-6 with 8.
FilterTransform filter_transform(std::int64_t outputs, std::int64_t taps);

// One spatial axis of a convolution as filters without strides and holes: for each phase p of the
// outputs the sum over subfilters s of
//   out[o * phases + p] += lhs[(o + j) * lhs_step + lhs_first(p, s)] * rhs[j * rhs_step +
//   rhs_first(p, s)]
// over j < taps, o < outputs; what lies outside lhs, rhs or the `extent` of out counts as 0.
// In pieces either taps or outputs are those of a piece, and `first` that of piece `n`.
struct FilterAxis {
  struct First {
    std::int64_t base = 0, phase = 0, sub = 0, piece = 0;
    // Of (turn - p) by the number of phases.
    std::int64_t quotient = 0, remainder = 0;
  };
  std::int64_t phases = 1, subs = 1, pieces = 1;
  std::int64_t outputs = 1, taps = 1, extent = 1;
  First lhs_first, rhs_first;
  std::int64_t turn = 0;
  std::int64_t lhs_step = 1, rhs_step = 1;
  std::int64_t lhs_extent = 1, rhs_extent = 1;

  std::int64_t first(const First& f, std::int64_t p, std::int64_t s, std::int64_t n) const {
    return f.base + f.phase * p + f.sub * s + f.piece * n + f.quotient * ((turn - p) / phases) +
           f.remainder * ((turn - p) % phases);
  }
};
// None: an axis of another kind (two of stride, dilation and holes at once).
std::optional<FilterAxis> filter_axis(const SpatialAxis& axis);
// The same as pieces of so many taps, or outputs; the last one may reach beyond.
FilterAxis in_pieces_of_taps(FilterAxis axis, std::int64_t taps);
FilterAxis in_pieces_of_outputs(FilterAxis axis, std::int64_t outputs);

}  // namespace ganc::planning
