#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "runtime/files.h"

namespace ganc::runtime {

// A file of bytes in MNIST's IDX format, plain or packed with gzip: two zeros, the type 0x08, the
// rank, the sizes as big-endian words, the bytes.
struct IdxFile {
  File file;
  bool packed;
  std::vector<std::int64_t> shape;  // of rank 1 or more; the first size is the number of samples
  std::uint64_t data_offset;
  std::int64_t sample_bytes;

  std::int64_t count() const { return shape.front(); }
};

// Sizes are checked against the file (of a packed one: against what it could hold) before anything
// is allocated.
Result<IdxFile> open_idx_file(const std::filesystem::path& path);
// All samples, [count, sample_bytes].
Result<std::vector<std::uint8_t>> read_idx(const IdxFile& idx);

}  // namespace ganc::runtime
