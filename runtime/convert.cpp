#include "runtime/convert.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace ganc::runtime {
namespace {

struct TypeRow {
  FileType type;
  std::string_view name, npy;
  std::int64_t bytes;
};
constexpr TypeRow rows[] = {
    {FileType::f64, "F64", "f8", 8},      {FileType::f32, "F32", "f4", 4},
    {FileType::f16, "F16", "f2", 2},      {FileType::bf16, "BF16", "", 2},
    {FileType::i64, "I64", "i8", 8},      {FileType::i32, "I32", "i4", 4},
    {FileType::i16, "I16", "i2", 2},      {FileType::i8, "I8", "i1", 1},
    {FileType::u64, "U64", "u8", 8},      {FileType::u32, "U32", "u4", 4},
    {FileType::u16, "U16", "u2", 2},      {FileType::u8, "U8", "u1", 1},
    {FileType::boolean, "BOOL", "b1", 1},
};

const TypeRow& row(FileType type) {
  return rows[static_cast<std::size_t>(type)];
}

template <typename T>
double as_double(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

double half_to_double(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  double value;
  if (exponent == 0)
    value = std::ldexp(mantissa, -24);
  else if (exponent < 31)
    value = std::ldexp(mantissa + 1024, exponent - 25);
  else
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -value : value;
}

// A 64-bit integer beyond 2^53 loses its last digits here; no tensor of ours holds such numbers.
double number_at(FileType type, const char* at) {
  switch (type) {
    case FileType::f64:
      return as_double<double>(at);
    case FileType::f32:
      return as_double<float>(at);
    case FileType::i64:
      return as_double<std::int64_t>(at);
    case FileType::i32:
      return as_double<std::int32_t>(at);
    case FileType::i16:
      return as_double<std::int16_t>(at);
    case FileType::i8:
      return as_double<std::int8_t>(at);
    case FileType::u64:
      return as_double<std::uint64_t>(at);
    case FileType::u32:
      return as_double<std::uint32_t>(at);
    case FileType::u16:
      return as_double<std::uint16_t>(at);
    case FileType::u8:
      return as_double<std::uint8_t>(at);
    case FileType::boolean:
      return *at != 0 ? 1 : 0;
    case FileType::f16:
    case FileType::bf16:
      break;
  }
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  if (type == FileType::f16) return half_to_double(bits);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// The whole numbers that a tensor of ours can hold.
std::pair<double, double> range_of(DType dtype) {
  switch (dtype) {
    case DType::i32:
      return {-2147483648.0, 2147483647.0};
    case DType::u32:
      return {0.0, 4294967295.0};
    case DType::pred:
      return {0.0, 1.0};
    case DType::f32:
    case DType::f64:
    case DType::bf16:
      break;
  }
  return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
}

}  // namespace

std::int64_t size_of(FileType type) {
  return row(type).bytes;
}
std::string_view name(FileType type) {
  return row(type).name;
}

std::optional<FileType> file_type_of(std::string_view text) {
  for (const TypeRow& r : rows)
    if (r.name == text) return r.type;
  return std::nullopt;
}

std::optional<FileType> npy_type_of(std::string_view text) {
  for (const TypeRow& r : rows)
    if (!text.empty() && r.npy == text) return r.type;
  return std::nullopt;
}

std::string_view npy_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::bf16:
      return "f4";
    case DType::f64:
      return "f8";
    case DType::i32:
      return "i4";
    case DType::u32:
      return "u4";
    case DType::pred:
      return "b1";
  }
  __builtin_unreachable();
}

Result<void> convert(FileType type, const char* from, std::int64_t count, Tensor& to) {
  if (name(type) == file_name(to.dtype) && type != FileType::boolean) {
    std::memcpy(to.bytes.data(), from, static_cast<std::size_t>(count * size_of(type)));
    return {};
  }
  const bool whole = !is_real(to.dtype);
  const auto [low, high] = range_of(to.dtype);
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = number_at(type, from + i * size_of(type));
    if (whole && !(value >= low && value <= high && std::floor(value) == value))
      return fail(fmt::format("element {} is {}, and a whole number from {} to {} is needed", i,
                              value, static_cast<std::int64_t>(low),
                              static_cast<std::int64_t>(high)));
    to.set(i, value);
  }
  return {};
}

}  // namespace ganc::runtime
