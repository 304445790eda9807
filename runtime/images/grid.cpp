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

GridPainter::GridPainter(std::int64_t count, std::int64_t channels, std::int64_t height,
                         std::int64_t width, std::int64_t group)
    : count_(count), channels_(channels), height_(height), width_(width) {
  if (channels != 1 && channels != 3) {  // each channel is a cell
    count_ *= channels;
    channels_ = 1;
  }
  const GridPlan plan = plan_grid(count_, height, width, group);
  columns_ = plan.columns;
  group_ = plan.group;
  image_ = {columns_ * (width + margin) + margin + (columns_ / group_ - 1) * gap,
            plan.rows * (height + margin) + margin,
            channels_,
            {}};
  image_.pixels.assign(static_cast<std::size_t>(image_.width * image_.height * channels_), 0);
}

void GridPainter::paint(std::span<const float> values, float low, float high) {
  const float* value = values.data();
  const std::int64_t cell_values = std::max<std::int64_t>(channels_ * height_ * width_, 1);
  const std::int64_t end =
      std::min(count_, next_ + static_cast<std::int64_t>(values.size()) / cell_values);
  for (; next_ < end; ++next_) {
    const std::int64_t column = next_ % columns_;
    const std::int64_t left = margin + column * (width_ + margin) + column / group_ * gap;
    const std::int64_t top = margin + next_ / columns_ * (height_ + margin);
    for (std::int64_t c = 0; c < channels_; ++c)
      for (std::int64_t y = 0; y < height_; ++y)
        for (std::int64_t x = 0; x < width_; ++x) {
          const std::int64_t at = ((top + y) * image_.width + left + x) * channels_ + c;
          image_.pixels[static_cast<std::size_t>(at)] = shade(*value++, low, high);
        }
  }
}

Image grid(const std::vector<float>& values, std::int64_t count, std::int64_t channels,
           std::int64_t height, std::int64_t width, float low, float high, std::int64_t group) {
  GridPainter painter(count, channels, height, width, group);
  painter.paint(values, low, high);
  return painter.take();
}

}  // namespace ganc::runtime
