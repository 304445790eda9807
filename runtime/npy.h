#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/result.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// A NumPy array in row-major (C) order, little-endian.
struct Array {
  std::string dtype;  // as NumPy writes it without the byte order: "f4" "f8" "f2" "i1" "i2" "i4"
                      // "i8" "u1".. "b1"
  std::vector<std::int64_t> shape;
  std::vector<char> bytes;

  std::int64_t elements() const;
};

// bf16 becomes f4.
Array to_array(const Tensor& tensor);

// What stands before the numbers of a .npy file; `data_offset` is where they begin.
struct ArrayHeader {
  std::string dtype;
  std::int64_t item_bytes = 0;
  std::vector<std::int64_t> shape;
  std::uint64_t data_offset = 0;
};

// Reads and checks the header against the size of the file; allocates nothing of the array's size.
Result<ArrayHeader> read_npy_header(const std::filesystem::path& path);
// Big-endian, Fortran-ordered, structured and object arrays are errors that say what to do in
// NumPy.
Result<Array> read_npy(const std::filesystem::path& path);
// Leaves the old file or the new one.
Result<void> write_npy(const std::filesystem::path& path, const Array& array);

}  // namespace ganc::runtime
