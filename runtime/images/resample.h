#pragma once

#include <cstdint>

#include "runtime/images/image.h"

namespace ganc::runtime {

// The image at another size: a triangle filter as wide as the pixels of the coarser grid (bilinear
// where it grows, an average of all that a pixel covers where it shrinks), in integers, so that the
// bytes are alike everywhere.
Image resized(const Image& image, std::int64_t width, std::int64_t height);

// The shorter side becomes `side`, the longer keeps the proportion (rounded).
Image resized_shorter_side(Image image, std::int64_t side);

// The square of `side` in the middle; the image is at least as large.
Image cropped_to_centre(Image image, std::int64_t side);

}  // namespace ganc::runtime
