#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/images/image.h"

// Encoded images in memory. Reasons in a Failure here are without a path: "not a PNG or JPEG file".
namespace ganc::runtime {

enum class ImageFormat { unknown, png, jpeg };

// By the first bytes.
ImageFormat image_format(std::span<const std::uint8_t> bytes);

// What an image's header says, before any pixel is decoded.
struct ImageSize {
  std::int64_t width = 0, height = 0, channels = 0;
};

Result<Image> decode_image(std::span<const std::uint8_t> bytes);
Result<Image> decode_png(std::span<const std::uint8_t> bytes);
Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes);
Result<std::vector<std::uint8_t>> encode_png(const Image& image);

// An image of that size can be in that many bytes: a bound on what the formats can compress, so
// that a damaged header asks for no memory that its file could not fill.
Result<void> check_image_size(const ImageSize& size, std::size_t bytes);

}  // namespace ganc::runtime
