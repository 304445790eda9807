#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

// Interleaved 8-bit pixels, rows from the top.
struct Image {
  std::int64_t width = 0, height = 0, channels = 0;  // channels 1 or 3
  std::vector<std::uint8_t> pixels;
};

// PNG or JPEG, told by content; the library's warnings are errors. Grey with alpha, palettes and 16
// bits become 8-bit grey or RGB. Sizes are checked before any allocation.
Result<Image> read_image(const std::filesystem::path& path);
// Written to a temporary name and renamed.
Result<void> write_png(const Image& image, const std::filesystem::path& path);

// A grid whose cells come one after the other.
class GridPainter {
 public:
  // For `count` cells; see grid().
  GridPainter(std::int64_t count, std::int64_t channels, std::int64_t height, std::int64_t width,
              std::int64_t group);
  // The next cells, [n, channels, height, width]; those beyond `count` are left out.
  void paint(std::span<const float> values, float low, float high);
  Image take() { return std::move(image_); }

 private:
  std::int64_t count_, channels_, height_, width_;
  std::int64_t columns_ = 1, group_ = 1;
  std::int64_t next_ = 0;  // cell
  Image image_;
};

// `values` [count, channels, height, width]; low and high become black and white. Cells in reading
// order, with a margin of 2 pixels, as square as it goes. With a `group` of more than 1, that many
// cells stand side by side, and a wider gap is between two groups. Where channels are not 1 or 3,
// each is a cell of its own.
Image grid(const std::vector<float>& values, std::int64_t count, std::int64_t channels,
           std::int64_t height, std::int64_t width, float low, float high, std::int64_t group);
// Points [count, 2] as a scatter plot, `reals` in grey behind `fakes` (may be empty). 512 x 512;
// the window is that of `reals`, where there are any.
Image scatter(const std::vector<float>& reals, const std::vector<float>& fakes);

}  // namespace ganc::runtime
