#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ganc::runtime {

enum class DType : std::uint8_t { f32, f64, bf16, i32, u32, pred };

std::int64_t size_of(DType dtype);
std::string_view name(DType dtype);                    // "f32", as in the description
std::string_view file_name(DType dtype);               // "F32", as in safetensors
std::optional<DType> dtype_of(std::string_view name);  // of "f32"
bool is_real(DType dtype);

using Shape = std::vector<std::int64_t>;
std::int64_t elements(const Shape& shape);
std::string print(const Shape& shape);  // "[3, 64, 64]"

// Numbers in row-major order, dense.
struct Tensor {
  DType dtype = DType::f32;
  Shape shape;
  std::vector<char> bytes;

  Tensor() = default;
  Tensor(DType type, Shape extents);
  std::int64_t elements() const { return runtime::elements(shape); }
  // Element i, whatever the type.
  double number(std::int64_t i) const;
  void set(std::int64_t i, double value);
};

}  // namespace ganc::runtime
