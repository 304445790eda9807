#include "runtime/images/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ganc::runtime {
namespace {

constexpr int fraction_bits = 16;  // of weights; sums stay below 2^24 * 255 / 255

// For each target pixel the sources [first, first + weights.size()) and weights that add up to 1
// exactly.
struct Taps {
  std::int64_t first;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> taps_of(std::int64_t from, std::int64_t to) {
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale - 0.5;
    const auto first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(centre - reach)));
    const auto last =
        std::min<std::int64_t>(from - 1, static_cast<std::int64_t>(std::floor(centre + reach)));
    std::vector<double> exact;
    double total = 0;
    for (std::int64_t s = first; s <= last; ++s) {
      exact.push_back(std::max(0.0, 1 - std::abs(static_cast<double>(s) - centre) / reach));
      total += exact.back();
    }
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = first;
    std::int32_t left = 1 << fraction_bits;
    for (const double weight : exact) {
      tap.weights.push_back(static_cast<std::int32_t>(weight / total * (1 << fraction_bits)));
      left -= tap.weights.back();
    }
    *std::ranges::max_element(tap.weights) += left;
  }
  return taps;
}

std::uint8_t rounded(std::int64_t sum) {
  return static_cast<std::uint8_t>((sum + (1 << (fraction_bits - 1))) >> fraction_bits);
}

// Rows of `line` elements: [rows_from, line] -> [rows_to, line].
std::vector<std::uint8_t> resample_rows(const std::vector<std::uint8_t>& pixels, std::int64_t from,
                                        std::int64_t to, std::int64_t line) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(to * line));
  std::vector<std::int64_t> sums(static_cast<std::size_t>(line));
  std::uint8_t* out = result.data();
  for (const Taps& tap : taps_of(from, to)) {
    std::ranges::fill(sums, 0);
    const std::uint8_t* in = pixels.data() + tap.first * line;
    for (const std::int32_t weight : tap.weights) {
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += std::int64_t{weight} * in[i];
      in += line;
    }
    for (const std::int64_t sum : sums) *out++ = rounded(sum);
  }
  return result;
}

// [rows, from, channels] -> [rows, to, channels].
std::vector<std::uint8_t> resample_columns(const std::vector<std::uint8_t>& pixels,
                                           std::int64_t rows, std::int64_t from, std::int64_t to,
                                           std::int64_t channels) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(rows * to * channels));
  const std::vector<Taps> taps = taps_of(from, to);
  std::uint8_t* out = result.data();
  for (std::int64_t y = 0; y < rows; ++y) {
    const std::uint8_t* row = pixels.data() + y * from * channels;
    for (const Taps& tap : taps) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::uint8_t* in = row + tap.first * channels + c;
        std::int64_t sum = 0;
        for (const std::int32_t weight : tap.weights) {
          sum += std::int64_t{weight} * *in;
          in += channels;
        }
        *out++ = rounded(sum);
      }
    }
  }
  return result;
}

}  // namespace

Image resized(const Image& image, std::int64_t width, std::int64_t height) {
  if (width == image.width && height == image.height) return image;
  const auto narrowed =
      resample_columns(image.pixels, image.height, image.width, width, image.channels);
  return {width, height, image.channels,
          resample_rows(narrowed, image.height, height, width * image.channels)};
}

Image resized_shorter_side(Image image, std::int64_t side) {
  const std::int64_t shorter = std::min(image.width, image.height);
  if (shorter == side) return image;
  const auto scaled = [&](std::int64_t length) {
    return std::max(side, (length * side + shorter / 2) / shorter);
  };
  return resized(image, scaled(image.width), scaled(image.height));
}

Image cropped_to_centre(Image image, std::int64_t side) {
  if (image.width == side && image.height == side) return image;
  Image square{side, side, image.channels, {}};
  square.pixels.resize(static_cast<std::size_t>(side * side * image.channels));
  const std::int64_t left = (image.width - side) / 2, top = (image.height - side) / 2;
  const auto line = side * image.channels;
  for (std::int64_t y = 0; y < side; ++y)
    std::copy_n(image.pixels.data() + ((top + y) * image.width + left) * image.channels, line,
                square.pixels.data() + y * line);
  return square;
}

}  // namespace ganc::runtime
