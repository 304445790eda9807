#include "compiler/ops/reference.h"

#include <algorithm>
#include <cmath>

namespace ganc {

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * shape[axis];
  }
  return strides;
}

Value filled(const Type& type, double value) {
  return {type, std::vector<double>(static_cast<std::size_t>(element_count(type.shape)), value)};
}

double wrapped(DType dtype, std::int64_t x) {
  const auto bits = static_cast<std::uint32_t>(x);
  if (dtype == DType::i32) return static_cast<std::int32_t>(bits);
  if (dtype == DType::u32) return bits;
  return static_cast<double>(x);
}

double converted(double x, DType from, DType to) {
  switch (to) {
    case DType::f32:
    case DType::f64:
    case DType::bf16:
      return x;
    case DType::pred:
      return x != 0;
    case DType::i32:
    case DType::u32: {
      if (!is_real(from)) return wrapped(to, static_cast<std::int64_t>(x));
      if (std::isnan(x)) return 0;
      const double low = to == DType::i32 ? -0x1p31 : 0,
                   high = to == DType::i32 ? 0x1p31 - 1 : 0x1p32 - 1;
      return std::clamp(std::trunc(x), low, high) + 0.0;  // not -0
    }
  }
  __builtin_unreachable();
}

Value read_strided(const Value& x, const Type& type, Affine where) {
  Value y{type, std::vector<double>(static_cast<std::size_t>(element_count(type.shape)))};
  walk(type.shape, std::move(where), {0, row_major_strides(type.shape)},
       [&](std::int64_t from, std::int64_t to) { y.data[to] = x.data[from]; });
  return y;
}

}  // namespace ganc
