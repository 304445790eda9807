#include "runtime/images/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/files.h"
#include "runtime/images/codec.h"

namespace ganc::runtime {

ImageFormat image_format(std::span<const std::uint8_t> bytes) {
  const auto begins_with = [&](std::initializer_list<std::uint8_t> start) {
    return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
  };
  if (begins_with({0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A})) return ImageFormat::png;
  if (begins_with({0xFF, 0xD8, 0xFF})) return ImageFormat::jpeg;
  return ImageFormat::unknown;
}

Result<void> check_image_size(const ImageSize& size, std::size_t bytes) {
  constexpr std::int64_t most_bytes = std::int64_t{1} << 30;
  // Deflate packs at most 1032 bytes into one; an empty progressive JPEG block of 64 takes more
  // than half a bit.
  constexpr std::int64_t most_packing = 1100;
  if (size.width < 1 || size.height < 1)
    return fail(fmt::format("it declares {}x{} pixels", size.width, size.height));
  const std::int64_t pixels = size.width * size.height * size.channels;  // both under 2^32
  if (size.width > most_bytes / size.height / size.channels)
    return fail(
        fmt::format("it declares {}x{} pixels, more than a gigabyte", size.width, size.height));
  // A palette or one-bit image packs eight pixels (of three channels) into a byte before that.
  if (pixels / (8 * 3) / most_packing > static_cast<std::int64_t>(bytes))
    return fail(fmt::format("it declares {}x{} pixels, which {} bytes cannot hold", size.width,
                            size.height, bytes));
  return {};
}

Result<Image> decode_image(std::span<const std::uint8_t> bytes) {
  switch (image_format(bytes)) {
    case ImageFormat::png:
      return decode_png(bytes);
    case ImageFormat::jpeg:
      return decode_jpeg(bytes);
    case ImageFormat::unknown:
      break;
  }
  return fail(bytes.empty() ? "the file is empty" : "not a PNG or JPEG file");
}

Result<Image> read_image(const std::filesystem::path& path) {
  const auto file = read_file(path, std::uint64_t{1} << 31);
  if (!file) return std::unexpected(file.error());
  auto image = decode_image({reinterpret_cast<const std::uint8_t*>(file->data()), file->size()});
  if (!image) return fail(fmt::format("cannot read {}: {}", path.native(), image.error().message));
  return image;
}

Result<void> write_png(const Image& image, const std::filesystem::path& path) {
  const auto bytes = encode_png(image);
  if (!bytes) return fail(fmt::format("cannot write {}: {}", path.native(), bytes.error().message));
  return replace_file(path, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

}  // namespace ganc::runtime
