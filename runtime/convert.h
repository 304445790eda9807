#pragma once

#include <string_view>

#include "runtime/result.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// How numbers are written in a file: those of safetensors, by name ("F16", "I64"); .npy's map to
// them.
enum class FileType : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

std::int64_t size_of(FileType type);
std::string_view name(FileType type);                         // "F32"
std::optional<FileType> file_type_of(std::string_view name);  // of "F32"
std::optional<FileType> npy_type_of(std::string_view name);   // of "f4"
std::string_view npy_name(DType dtype);                       // "f4"

// `count` numbers at `from` as numbers of `dtype`. Reals round to nearest; a real that is no whole
// number, or a number out of range, where an integer or truth value is needed is a failure:
// "element 7 is 2.5, ...".
Result<void> convert(FileType type, const char* from, std::int64_t count, Tensor& to);

}  // namespace ganc::runtime
