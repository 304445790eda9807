#include <algorithm>
#include <cmath>
#include <cstddef>

#include "runtime/images/image.h"

namespace ganc::runtime {
namespace {

constexpr std::int64_t margin = 2;

std::uint8_t shade(float value, float low, float high) {
  const float part = (value - low) / (high - low);
  if (!(part > 0)) return 0;  // NaN too
  return static_cast<std::uint8_t>(std::min(part, 1.0f) * 255 + 0.5f);
}

}  // namespace

Image grid(const std::vector<float>& values, std::int64_t count, std::int64_t channels,
           std::int64_t height, std::int64_t width, float low, float high, std::int64_t columns) {
  if (channels != 1 && channels != 3) {  // each channel is a cell
    count *= channels;
    channels = 1;
  }
  if (columns < 1)
    columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  columns = std::clamp<std::int64_t>(columns, 1, std::max<std::int64_t>(count, 1));
  const std::int64_t rows = std::max<std::int64_t>(1, (count + columns - 1) / columns);
  Image image{columns * (width + margin) + margin, rows * (height + margin) + margin, channels, {}};
  image.pixels.assign(static_cast<std::size_t>(image.width * image.height * channels), 0);
  const float* value = values.data();
  for (std::int64_t cell = 0; cell < count; ++cell) {
    const std::int64_t left = margin + cell % columns * (width + margin);
    const std::int64_t top = margin + cell / columns * (height + margin);
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
