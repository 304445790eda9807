#pragma once

#include <filesystem>
#include <vector>

#include "runtime/data/sources.h"
#include "runtime/images/image.h"

namespace ganc::runtime {

// What every image of a source must become. A flat field says only how many elements there are:
// then height is 0 until the first image has told.
struct ImageTarget {
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t elements = 0;
};

// From the field's shape and the source's resize and crop, which must agree.
Result<ImageTarget> image_target(const SourceRequest& request, const FieldSpec& field);

// The bytes [channels, height, width] of an image after resize and crop; its size is the target's
// or becomes it. With resize or crop a grey image becomes RGB where that is declared. An image that
// does not fit is a Failure with path, size, declaration and remedy.
Result<std::vector<std::uint8_t>> adapted(Image image, ImageTarget& target,
                                          const SourceRequest& request, const FieldSpec& field,
                                          const std::filesystem::path& path);

}  // namespace ganc::runtime
