#include "compiler/schedule/program.h"

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "compiler/ops/op.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t conflicting_bytes = 1 << 10, gap_bytes = 64;

}  // namespace

AxisOrder row_major(std::size_t rank) {
  AxisOrder order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<std::int64_t> strides_of(const Shape& shape, const AxisOrder& order, DType dtype) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    if (shape[axis] > 1 && stride * byte_size(dtype) % conflicting_bytes == 0)
      stride += gap_bytes / byte_size(dtype);
    strides[axis] = stride;
    stride *= std::max<std::int64_t>(shape[axis], 1);
  }
  return strides;
}

std::int64_t reach_of(const Shape& shape, const std::vector<std::int64_t>& strides) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    last += (shape[i] - 1) * strides[i];
  }
  return last + 1;
}

void broken(const std::string& what) {
  std::fprintf(stderr, "ganc: internal error in the scheduler: %s\n", what.c_str());
  std::abort();
}

bool is_elementwise(Op op) {
  return definition(op).op_class == OpClass::elementwise;
}
bool is_movement(Op op) {
  return definition(op).op_class == OpClass::movement;
}
bool is_reduction(Op op) {
  return op == Op::reduce_sum || op == Op::reduce_max;
}
bool is_contraction(Op op) {
  return op == Op::dot_general || op == Op::convolution;
}

std::int64_t byte_size(DType dtype) {
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

}  // namespace ganc::planning
