#include <algorithm>
#include <numeric>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {

std::vector<RowRange> row_ranges(const SpatialAxis& axis) {
  const auto pairs = meeting_positions(axis);
  const Window& w = axis.window;
  // Positions this far apart meet the same taps, but for borders.
  const std::int64_t step = w.lhs_dilation / std::gcd(w.stride, w.lhs_dilation);
  const std::int64_t lhs_step = w.stride * step / w.lhs_dilation;
  std::vector<RowRange> ranges;
  for (std::int64_t first = 0; first < std::min(step, axis.outputs); ++first) {
    const std::int64_t count = (axis.outputs - first + step - 1) / step;
    const auto row = [&](std::int64_t i) -> const auto& {
      return pairs[static_cast<std::size_t>(first + i * step)];
    };
    // The longest run of positions that meet the same taps, each time lhs_step further on.
    const auto follows = [&](std::int64_t i) {
      return std::ranges::equal(row(i - 1), row(i), [&](const auto& before, const auto& here) {
        return before.first + lhs_step == here.first && before.second == here.second;
      });
    };
    std::int64_t begin = 0, end = 0;
    for (std::int64_t i = 0, next = 0; i < count; i = next) {
      for (next = i + 1; next < count && follows(next);) ++next;
      if (next - i > end - begin) begin = i, end = next;
    }
    if (row(begin).empty()) begin = end = count;
    if (begin > 0) ranges.push_back({first, step, begin, lhs_step, true});
    if (end > begin) ranges.push_back({first + begin * step, step, end - begin, lhs_step, false});
    if (count > end) ranges.push_back({first + end * step, step, count - end, lhs_step, true});
  }
  return ranges;
}

}  // namespace ganc::planning
