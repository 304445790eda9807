#include <algorithm>
#include <cmath>
#include <cstddef>

#include "runtime/images/image.h"

namespace ganc::runtime {
namespace {

constexpr std::int64_t margin = 2;
constexpr std::int64_t gap = 6;  // beyond the margin, between two groups

std::uint8_t shade(float value, float low, float high) {
  const float part = (value - low) / (high - low);
  if (!(part > 0)) return 0;  // NaN too
  return static_cast<std::uint8_t>(std::min(part, 1.0f) * 255 + 0.5f);
}

struct GridPlan {
  std::int64_t columns, rows;
  std::int64_t group;  // cells between two gaps; all columns where there is none
};

// Near a square, with whole groups in a row.
GridPlan plan_grid(std::int64_t count, std::int64_t height, std::int64_t width,
                   std::int64_t group) {
  count = std::max<std::int64_t>(count, 1);
  if (group <= 1) {
    const auto columns =
        static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    return {columns, (count + columns - 1) / columns, columns};
  }
  const std::int64_t groups = (count + group - 1) / group;
  const double square = static_cast<double>(groups) * static_cast<double>(height) /
                        (static_cast<double>(group) * static_cast<double>(width));
  const std::int64_t across = std::clamp<std::int64_t>(std::llround(std::sqrt(square)), 1, groups);
  return {across * group, (groups + across - 1) / across, group};
}

}  // namespace

Image grid(const std::vector<float>& values, std::int64_t count, std::int64_t channels,
           std::int64_t height, std::int64_t width, float low, float high, std::int64_t group) {
  if (channels != 1 && channels != 3) {  // each channel is a cell
    count *= channels;
    channels = 1;
  }
  const GridPlan plan = plan_grid(count, height, width, group);
  Image image{plan.columns * (width + margin) + margin + (plan.columns / plan.group - 1) * gap,
              plan.rows * (height + margin) + margin,
              channels,
              {}};
  image.pixels.assign(static_cast<std::size_t>(image.width * image.height * channels), 0);
  const float* value = values.data();
  for (std::int64_t cell = 0; cell < count; ++cell) {
    const std::int64_t column = cell % plan.columns;
    const std::int64_t left = margin + column * (width + margin) + column / plan.group * gap;
    const std::int64_t top = margin + cell / plan.columns * (height + margin);
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t at = ((top + y) * image.width + left + x) * channels + c;
          image.pixels[static_cast<std::size_t>(at)] = shade(*value++, low, high);
        }
  }
  return image;
}

}  // namespace ganc::runtime
