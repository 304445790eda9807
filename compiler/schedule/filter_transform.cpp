#include "compiler/schedule/filter_transform.h"

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

// Toom and Cook's multiplication of polynomials, transposed: the columns of `output` and the rows
// of `filter` are the powers of a point, the rows of `input` the polynomials that vanish at all
// others.
FilterTransform filter_transform(std::int64_t outputs, std::int64_t taps) {
  static constexpr std::array known = {0.0, 1.0, -1.0, 2.0, -2.0};
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
  FilterAxis f;
  f.lhs_extent = axis.lhs_extent;
  f.rhs_extent = axis.rhs_extent;
  f.outputs = axis.outputs;
  f.taps = axis.rhs_extent;
  const auto only = [&](std::int64_t stride, std::int64_t dilation, std::int64_t holes) {
    return w.stride == stride && w.rhs_dilation == dilation && w.lhs_dilation == holes;
  };
  const std::int64_t pad = w.pad_low;
  if (only(1, 1, 1)) {
    f.lhs_first = {-pad, 0, 0};
  } else if (only(2, 1, 1)) {  // taps 2 j + s read lhs[2 (o + j) + s - pad]
    f.subs = f.lhs_step = f.rhs_step = 2;
    f.taps = (f.taps + 1) / 2;
    f.lhs_first = {-pad, 0, 1};
    f.rhs_first = {0, 0, 1};
  } else if (only(1, 2, 1)) {  // outputs 2 o + p read lhs[2 (o + j) + p - pad]
    if (f.outputs % 2 != 0) return std::nullopt;
    f.phases = f.lhs_step = 2;
    f.outputs /= 2;
    f.lhs_first = {-pad, 1, 0};
  } else if (only(1, 1, 2)) {
    // Outputs 2 o + p meet the taps 2 j + k, k = (pad - p) mod 2, at lhs[o + j + (p + k - pad) /
    // 2].
    if (f.outputs % 2 != 0) return std::nullopt;
    f.phases = f.rhs_step = 2;
    f.outputs /= 2;
    f.taps = (f.taps + 1) / 2;
    const auto tap = [&](std::int64_t p) { return ((pad - p) % 2 + 2) % 2; };
    f.rhs_first = {tap(0), tap(1) - tap(0), 0};
    f.lhs_first = {(tap(0) - pad) / 2, (1 + tap(1) - pad) / 2 - (tap(0) - pad) / 2, 0};
  } else {
    return std::nullopt;
  }
  return f;
}

}  // namespace ganc::planning
