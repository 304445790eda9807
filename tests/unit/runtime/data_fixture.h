#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/data/data_set.h"
#include "runtime/data/sources.h"
#include "runtime/images/codec.h"
#include "runtime/images/image.h"

// Files and declarations that the tests of data sources are made from.
namespace ganc::runtime {

using Bytes = std::vector<std::uint8_t>;

// A folder of the test's own, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ganc_data_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  // With the folders above it.
  std::filesystem::path write(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::remove(
        file);  // some file systems wait for the disk where a file is emptied and filled anew
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline FieldSpec real_field(std::vector<std::int64_t> shape, std::string name = "x") {
  return {std::move(name), FieldSpec::Kind::real, std::move(shape), 0};
}
inline FieldSpec class_field(std::int64_t classes, std::string name = "y") {
  return {std::move(name), FieldSpec::Kind::class_, {}, classes};
}
inline FieldSpec integer_field(std::vector<std::int64_t> shape, std::string name = "n") {
  return {std::move(name), FieldSpec::Kind::integer, std::move(shape), 0};
}

inline SourceSpec source(std::string function, std::vector<FieldSpec> fields,
                         std::map<std::string, SourceArgument> arguments = {}) {
  return {std::move(function), std::move(arguments), std::move(fields), "a.gan:2"};
}

inline DataPlaces at_path(const std::filesystem::path& path) {
  return {.path = path.string(), .threads = 2};
}

// What opening says, or "" where it succeeds.
inline std::string refusal(const SourceSpec& spec, const DataPlaces& places = {}) {
  const auto set = open_data_set(spec, places, false);
  return set ? "" : set.error().message;
}

inline std::unique_ptr<DataSet> opened(const SourceSpec& spec, const DataPlaces& places = {},
                                       bool f64 = false) {
  auto set = open_data_set(spec, places, f64);
  INFO((set ? std::string() : set.error().message));
  REQUIRE(set);
  return std::move(*set);
}

// One sample's fields.
inline std::vector<FieldValues> sample(const DataSet& set, std::int64_t index,
                                       std::uint64_t visit = 0) {
  auto fields = set.make_room(1);
  const auto read = set.read(index, visit, 0, fields);
  INFO((read ? std::string() : read.error().message));
  REQUIRE(read);
  return fields;
}

// An image whose every byte tells where it is and which image it is.
inline Image marked_image(std::int64_t width, std::int64_t height, std::int64_t channels,
                          int mark) {
  Image image{width, height, channels, {}};
  for (std::int64_t i = 0; i < width * height * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(i * 7 + mark * 31));
  return image;
}

inline Bytes png_bytes(const Image& image) {
  auto bytes = encode_png(image);
  REQUIRE(bytes);
  return *bytes;
}

// IDX of bytes: the sizes, then content that counts up from `first`.
inline Bytes idx_bytes(const std::vector<std::uint32_t>& shape, std::uint8_t first = 0,
                       int modulus = 256) {
  Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  std::size_t total = 1;
  for (const std::uint32_t size : shape) {
    for (const int shift : {24, 16, 8, 0})
      bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    total *= size;
  }
  for (std::size_t i = 0; i < total; ++i)
    bytes.push_back(static_cast<std::uint8_t>((first + i) % static_cast<std::size_t>(modulus)));
  return bytes;
}

Bytes gzip_bytes(const Bytes& bytes);
Bytes jpeg_bytes(const Image& image, bool progressive = false);
// A PNG of any depth and type from its filtered rows, with chunks before the pixels; checksums are
// right.
Bytes png_of(std::uint32_t width, std::uint32_t height, int depth, int type, const Bytes& rows,
             const std::vector<std::pair<std::string, Bytes>>& chunks = {});
Bytes npy_bytes(const std::string& type, const std::string& shape, const Bytes& content);

template <typename T>
Bytes content_of(const std::vector<T>& numbers) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(numbers.data());
  return {begin, begin + numbers.size() * sizeof(T)};
}

}  // namespace ganc::runtime
