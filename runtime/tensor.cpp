#include "runtime/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>

namespace ganc::runtime {
namespace {

template <typename T>
double read_as(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

template <typename T>
void write_as(char* at, double number) {
  const T value = static_cast<T>(number);
  std::memcpy(at, &value, sizeof value);
}

// Rounds to nearest, ties to even; NaN stays NaN.
std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace

std::int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::pred:
      return 1;
  }
  __builtin_unreachable();
}

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::bf16:
      return "bf16";
    case DType::i32:
      return "i32";
    case DType::u32:
      return "u32";
    case DType::pred:
      return "pred";
  }
  __builtin_unreachable();
}

std::string_view file_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
    case DType::bf16:
      return "BF16";
    case DType::i32:
      return "I32";
    case DType::u32:
      return "U32";
    case DType::pred:
      return "BOOL";
  }
  __builtin_unreachable();
}

std::optional<DType> dtype_of(std::string_view text) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u32, DType::pred})
    if (name(dtype) == text) return dtype;
  return std::nullopt;
}

bool is_real(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16;
}

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::string print(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Tensor::Tensor(DType type, Shape extents)
    : dtype(type),
      shape(std::move(extents)),
      bytes(static_cast<std::size_t>(runtime::elements(shape) * size_of(type))) {}

double Tensor::number(std::int64_t i) const {
  const char* at = bytes.data() + i * size_of(dtype);
  switch (dtype) {
    case DType::f32:
      return read_as<float>(at);
    case DType::f64:
      return read_as<double>(at);
    case DType::i32:
      return read_as<std::int32_t>(at);
    case DType::u32:
      return read_as<std::uint32_t>(at);
    case DType::pred:
      return read_as<std::uint8_t>(at);
    case DType::bf16: {
      std::uint16_t half;
      std::memcpy(&half, at, sizeof half);
      return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
    }
  }
  __builtin_unreachable();
}

void Tensor::set(std::int64_t i, double value) {
  char* at = bytes.data() + i * size_of(dtype);
  switch (dtype) {
    case DType::f32:
      return write_as<float>(at, value);
    case DType::f64:
      return write_as<double>(at, value);
    case DType::i32:
      return write_as<std::int32_t>(at, value);
    case DType::u32:
      return write_as<std::uint32_t>(at, value);
    case DType::pred:
      return write_as<std::uint8_t>(at, value != 0);
    case DType::bf16: {
      const std::uint16_t half = to_bf16(static_cast<float>(value));
      std::memcpy(at, &half, sizeof half);
      return;
    }
  }
  __builtin_unreachable();
}

}  // namespace ganc::runtime
