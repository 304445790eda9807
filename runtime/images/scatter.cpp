#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "runtime/images/image.h"

namespace ganc::runtime {
namespace {

constexpr std::int64_t side = 512;

// The square of the plane that is shown.
struct Window {
  double left = 0, top = 0, extent = 1;
};

// Around the points, with a tenth of their extent on each side. Infinite points and NaN do not
// count.
Window window_around(const std::vector<float>& points) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) {
    if (!std::isfinite(points[i]) || !std::isfinite(points[i + 1])) continue;
    for (std::size_t axis = 0; axis < 2; ++axis) {
      low[axis] = std::min<double>(low[axis], points[i + axis]);
      high[axis] = std::max<double>(high[axis], points[i + axis]);
    }
  }
  if (low[0] > high[0]) return {-1, -1, 2};
  double extent = std::max(high[0] - low[0], high[1] - low[1]) * 1.2;
  if (extent <= 0) extent = 1;
  return {(low[0] + high[0] - extent) / 2, (low[1] + high[1] - extent) / 2, extent};
}

// Discs of three pixels, half transparent: where points crowd, the colour is full. y goes up.
void add_points(Image& image, const Window& window, const std::vector<float>& points,
                std::array<int, 3> colour) {
  static constexpr int cover[3][3] = {{40, 90, 40}, {90, 150, 90}, {40, 90, 40}};
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) {
    const double x = (points[i] - window.left) / window.extent * side;
    const double y = side - (points[i + 1] - window.top) / window.extent * side;
    if (!(x >= 1 && x < side - 1 && y >= 1 && y < side - 1)) continue;
    for (std::int64_t dy = 0; dy < 3; ++dy) {
      for (std::int64_t dx = 0; dx < 3; ++dx) {
        const std::int64_t row = static_cast<std::int64_t>(y) + dy - 1;
        const std::int64_t column = static_cast<std::int64_t>(x) + dx - 1;
        std::uint8_t* pixel = image.pixels.data() + (row * side + column) * 3;
        for (std::size_t c = 0; c < 3; ++c)
          pixel[c] =
              static_cast<std::uint8_t>(pixel[c] + (colour[c] - pixel[c]) * cover[dy][dx] / 255);
      }
    }
  }
}

}  // namespace

Image scatter(const std::vector<float>& reals, const std::vector<float>& fakes) {
  Image image{side, side, 3, std::vector<std::uint8_t>(side * side * 3, 255)};
  const Window window = window_around(reals.empty() ? fakes : reals);
  add_points(image, window, reals, {150, 150, 150});
  add_points(image, window, fakes, {200, 30, 60});
  return image;
}

}  // namespace ganc::runtime
