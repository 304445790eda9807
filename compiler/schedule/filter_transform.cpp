#include "compiler/schedule/filter_transform.h"

#include <algorithm>
#include <array>

namespace ganc::planning {
namespace {

// The coefficients, lowest degree first, of the product of (x - p) over the points but `without`.
std::vector<double> product_of_roots(const std::vector<double>& points, std::size_t without) {
  std::vector<double> product = {1};
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == without) continue;
    std::vector<double> next(product.size() + 1, 0);
    for (std::size_t k = 0; k < product.size(); ++k) {
      next[k + 1] += product[k];
      next[k] -= points[i] * product[k];
    }
    product = std::move(next);
  }
  return product;
}

double power(double x, std::size_t n) {
  double result = 1;
  for (; n > 0; --n) result *= x;
  return result;
}

}  // namespace

std::int64_t blocks(std::int64_t extent, std::int64_t block) {
  return (extent + block - 1) / block;
}

// Toom and Cook's multiplication of polynomials, transposed: the columns of `output` and the rows
// of `filter` are the powers of a point, the rows of `input` the polynomials that vanish at all
// others.
FilterTransform filter_transform(std::int64_t outputs, std::int64_t taps) {
  static constexpr std::array known = {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5};
  FilterTransform t{outputs, taps, {}, {}, {}};
  const auto count = static_cast<std::size_t>(t.points()), finite = count - 1;
  if (finite > known.size()) broken("a filter transform of too many points");
  const std::vector<double> points(known.begin(), known.begin() + static_cast<int>(finite));
  t.output.assign(static_cast<std::size_t>(outputs), std::vector<double>(count, 0));
  for (std::size_t j = 0; j < finite; ++j) {
    double scale = 1;
    for (std::size_t l = 0; l < finite; ++l)
      if (l != j) scale *= points[j] - points[l];
    t.input.push_back(product_of_roots(points, j));
    t.input.back().resize(count, 0);
    t.filter.emplace_back();
    for (std::size_t k = 0; k < static_cast<std::size_t>(taps); ++k)
      t.filter.back().push_back(power(points[j], k) / scale);
    for (std::size_t i = 0; i < t.output.size(); ++i) t.output[i][j] = power(points[j], i);
  }
  t.input.push_back(product_of_roots(points, count));
  t.filter.emplace_back(static_cast<std::size_t>(taps), 0);
  t.filter.back().back() = 1;
  t.output.back().back() = 1;
  return t;
}

std::optional<FilterAxis> filter_axis(const SpatialAxis& axis) {
  const Window& w = axis.window;
  const std::int64_t step = std::max({w.stride, w.rhs_dilation, w.lhs_dilation}), pad = w.pad_low;
  if (w.stride * w.rhs_dilation * w.lhs_dilation != step) return std::nullopt;
  FilterAxis f;
  f.lhs_extent = axis.lhs_extent;
  f.rhs_extent = axis.rhs_extent;
  f.extent = f.outputs = axis.outputs;
  f.taps = axis.rhs_extent;
  if (w.lhs_dilation > 1) {
    // Outputs step o + p meet the taps step j + k, k = (pad - p) mod step, at
    // lhs[o + j - (pad - p - k) / step].
    f.phases = f.rhs_step = step;
    f.taps = blocks(f.taps, step);
    const std::int64_t turns = 1 + blocks(std::max<std::int64_t>(-pad, 0), step);
    f.turn = pad + turns * step;
    f.rhs_first = {.remainder = 1};
    f.lhs_first = {.base = turns, .quotient = -1};
  } else if (w.rhs_dilation > 1) {  // outputs step o + p read lhs[step (o + j) + p - pad]
    f.phases = f.lhs_step = step;
    f.lhs_first = {.base = -pad, .phase = 1};
  } else {  // taps step j + s read lhs[step (o + j) + s - pad]
    f.subs = f.lhs_step = f.rhs_step = step;
    f.taps = blocks(f.taps, step);
    f.lhs_first = {.base = -pad, .sub = 1};
    f.rhs_first = {.sub = 1};
  }
  f.outputs = blocks(f.outputs, f.phases);
  return f;
}

FilterAxis in_pieces_of_taps(FilterAxis axis, std::int64_t taps) {
  axis.pieces = blocks(axis.taps, taps);
  axis.taps = taps;
  axis.lhs_first.piece = taps * axis.lhs_step;
  axis.rhs_first.piece = taps * axis.rhs_step;
  return axis;
}

FilterAxis in_pieces_of_outputs(FilterAxis axis, std::int64_t outputs) {
  axis.pieces = blocks(axis.outputs, outputs);
  axis.outputs = outputs;
  axis.lhs_first.piece = outputs * axis.lhs_step;
  return axis;
}

}  // namespace ganc::planning
