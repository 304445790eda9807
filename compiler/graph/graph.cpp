#include "compiler/graph/graph.h"

#include <limits>

namespace ganc {

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool too_many = false;
  for (std::int64_t size : shape) {
    if (size == 0) return 0;
    too_many |= __builtin_mul_overflow(count, size, &count);
  }
  return too_many ? std::numeric_limits<std::int64_t>::max() : count;
}

bool is_real(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::f64:
    case DType::bf16:
      return true;
    case DType::i32:
    case DType::u32:
    case DType::pred:
      return false;
  }
  __builtin_unreachable();
}

bool is_integer(DType dtype) {
  return dtype == DType::i32 || dtype == DType::u32;
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

std::optional<DType> dtype_named(std::string_view text) {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u32, DType::pred}) {
    if (name(dtype) == text) return dtype;
  }
  return std::nullopt;
}

std::string_view name(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return "equal";
    case Comparison::not_equal:
      return "not_equal";
    case Comparison::less:
      return "less";
    case Comparison::less_equal:
      return "less_equal";
    case Comparison::greater:
      return "greater";
    case Comparison::greater_equal:
      return "greater_equal";
  }
  __builtin_unreachable();
}

std::optional<Comparison> comparison_named(std::string_view text) {
  for (Comparison comparison :
       {Comparison::equal, Comparison::not_equal, Comparison::less, Comparison::less_equal,
        Comparison::greater, Comparison::greater_equal}) {
    if (name(comparison) == text) return comparison;
  }
  return std::nullopt;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + ']';
}

std::string to_string(const Type& type) {
  return std::string(name(type.dtype)) + to_string(type.shape);
}

}  // namespace ganc
