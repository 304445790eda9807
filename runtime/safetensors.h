#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/convert.h"
#include "runtime/files.h"
#include "runtime/result.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// The safetensors format: 8 bytes of length, a JSON header, the numbers of all tensors without a
// gap.

struct StoredTensor {
  std::string name;
  FileType type = FileType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // in the data
};

// An open file whose header has been checked against its size: every tensor can be read.
class TensorFile {
 public:
  static Result<TensorFile> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in order of their data
  const StoredTensor* find(std::string_view name) const;
  std::optional<std::string> metadata(std::string_view key) const;
  // As `dtype`; see convert().
  Result<Tensor> read(const StoredTensor& tensor, DType dtype) const;
  // XXH3-128 of header and data, in hex, as it was when `checksum` in the header was 32 zeros.
  Result<std::string> digest(std::string_view checksum) const;

 private:
  explicit TensorFile(File file) : file_(std::move(file)) {}
  Result<void> parse_header();

  File file_;
  std::string header_;
  std::vector<StoredTensor> tensors_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

// Takes the next bytes of a file.
using ByteSink = std::function<void(const char* bytes, std::size_t count)>;

// A tensor to be written; `give` hands its numbers, row-major, to a sink, in parts so that no copy
// of a large tensor is made.
struct TensorToWrite {
  std::string name;
  DType dtype;
  Shape shape;
  std::function<void(const ByteSink&)> give;
};
TensorToWrite to_write(std::string name,
                       const Tensor& tensor);  // which must live until it is written

// 32 zeros: where metadata hold it, the digest takes its place.
extern const std::string_view checksum_place;

// Leaves the old file or the new one.
Result<void> write_tensor_file(const std::filesystem::path& path,
                               const std::vector<std::pair<std::string, std::string>>& metadata,
                               const std::vector<TensorToWrite>& tensors);

}  // namespace ganc::runtime
