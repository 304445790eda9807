#pragma once

#include <cstdint>
#include <vector>

#include "runtime/files.h"

namespace ganc::runtime {

bool is_gzip(const File& file);

// The first `bytes` of what a gzip file unpacks to, or all where there are fewer.
Result<std::vector<std::uint8_t>> unpack_start(const File& file, std::size_t bytes);

// All of it, which must be exactly `bytes`; checked against what that many packed bytes can hold
// before anything is allocated, and against the file's own checksum.
Result<std::vector<std::uint8_t>> unpack_exactly(const File& file, std::uint64_t bytes);

}  // namespace ganc::runtime
