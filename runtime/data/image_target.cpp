#include "runtime/data/image_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/images/resample.h"

namespace ganc::runtime {
namespace {

// What the user can do about images of another size.
std::string remedy(const SourceRequest& request, const ImageTarget& target, std::int64_t width,
                   std::int64_t height) {
  if (target.height == 0 || target.height != target.width)
    return fmt::format("declare the field for {}x{}", width, height);
  const std::string options = fmt::format("resize = {0}, crop = {0}", target.height);
  if (takes_option(source_function(request.spec.function), "resize"))
    return fmt::format("`{}` in the source would adapt it", options);
  return fmt::format("the source `images(\"...\", {})` would adapt it", options);
}

std::string_view colours(std::int64_t channels) {
  return channels == 1 ? "grey" : "RGB";
}

std::vector<std::uint8_t> planes_of(const Image& image) {
  std::vector<std::uint8_t> planes;
  planes.reserve(image.pixels.size());
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = c; i < image.pixels.size(); i += channels)
      planes.push_back(image.pixels[i]);
  return planes;
}

void repeat_grey(Image& image) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(3 * image.pixels.size());
  for (const std::uint8_t value : image.pixels) pixels.insert(pixels.end(), 3, value);
  image.channels = 3;
  image.pixels = std::move(pixels);
}

}  // namespace

Result<ImageTarget> image_target(const SourceRequest& request, const FieldSpec& field) {
  const auto [resize, crop] = std::pair(request.options.resize, request.options.crop);
  ImageTarget target{.elements = field.elements()};
  if (field.shape.size() == 3 && (field.shape[0] == 1 || field.shape[0] == 3)) {
    target = {field.shape[0], field.shape[1], field.shape[2], target.elements};
  } else if (field.shape.size() == 2) {
    target = {1, field.shape[0], field.shape[1], target.elements};
  }
  const auto contradiction = [&](std::string_view option, std::int64_t side) {
    return source_failure(request.spec,
                          fmt::format("`{} = {}` does not make field `{}`: {}", option, side,
                                      field.name, shape_text(field.shape)));
  };
  if (crop > 0 && resize > 0 && resize < crop)
    return source_failure(request.spec,
                          fmt::format("`crop = {}` is larger than `resize = {}`", crop, resize));
  if (crop > 0 && target.height == 0) {
    target.channels = target.elements / (crop * crop);
    target.height = target.width = crop;
    if (target.elements % (crop * crop) != 0 || (target.channels != 1 && target.channels != 3))
      return contradiction("crop", crop);
  }
  if (crop > 0 && (target.height != crop || target.width != crop))
    return contradiction("crop", crop);
  if (crop == 0 && resize > 0 && target.height > 0 &&
      std::min(target.height, target.width) != resize)
    return contradiction("resize", resize);
  return target;
}

Result<std::vector<std::uint8_t>> adapted(Image image, ImageTarget& target,
                                          const SourceRequest& request, const FieldSpec& field,
                                          const std::filesystem::path& path) {
  const auto [resize, crop] = std::pair(request.options.resize, request.options.crop);
  const auto [width, height, channels] = std::tuple(image.width, image.height, image.channels);
  const auto misfit = [&](std::string_view seen, std::string_view what_to_do) {
    return source_failure(
        request.spec,
        fmt::format("{} is {}x{} {}{}, but field `{}` is {}; {}", path.native(), width, height,
                    colours(channels), seen, field.name, shape_text(field.shape), what_to_do));
  };
  if (target.channels == 3 && channels == 1) {
    if (resize == 0 && crop == 0)
      return misfit("",
                    "declare one channel, or give `resize` or `crop`, with which grey becomes RGB");
    repeat_grey(image);
  } else if (target.channels == 1 && channels == 3) {
    return misfit("", "declare three channels, or make the files grey");
  }
  if (resize > 0) {
    const std::int64_t shorter = std::min(width, height), longer = std::max(width, height);
    if (longer * resize / shorter > 100'000'000 / resize)
      return misfit("", "it is too narrow to be resized");
    image = resized_shorter_side(std::move(image), resize);
  }
  if (crop > 0) {
    if (std::min(image.width, image.height) < crop)
      return misfit(fmt::format(", too small for `crop = {}`", crop),
                    remedy(request, target, width, height));
    image = cropped_to_centre(std::move(image), crop);
  }
  if (target.height == 0) {
    if (image.width * image.height * image.channels != target.elements)
      return misfit("", remedy(request, target, width, height));
    target = {image.channels, image.height, image.width, target.elements};
  }
  if (image.width != target.width || image.height != target.height ||
      image.channels != target.channels) {
    const std::string seen =
        resize > 0 ? fmt::format(", after `resize` {}x{}", image.width, image.height) : "";
    return misfit(seen, remedy(request, target, width, height));
  }
  return planes_of(image);
}

}  // namespace ganc::runtime
