#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/ops/op.h"

// What the families' float64 references are written with.
namespace ganc {

std::vector<std::int64_t> row_major_strides(const Shape& shape);
Value filled(const Type& type, double value);

// What an integer dtype can hold of x: the low 32 bits; other dtypes hold any double.
double wrapped(DType dtype, std::int64_t x);
// x converted as ganc converts: to an integer towards zero, clamped into its range (NaN: 0) from
// reals, the low bits from integers; to pred x != 0. Real dtypes keep the double.
double converted(double x, DType from, DType to);

// start + sum of index * stride: a walk through a tensor's elements.
struct Affine {
  std::int64_t start = 0;
  std::vector<std::int64_t> strides;
};

// Calls f(offset in a, offset in b) for every index of `shape`, row-major.
template <class F>
void walk(const Shape& shape, Affine a, Affine b, F f) {
  if (element_count(shape) == 0) return;
  if (shape.empty()) return f(a.start, b.start);
  const std::size_t last = shape.size() - 1;
  std::vector<std::int64_t> index(shape.size());
  while (true) {
    for (std::int64_t i = 0; i < shape[last]; ++i) {
      f(a.start + i * a.strides[last], b.start + i * b.strides[last]);
    }
    std::size_t axis = last;
    while (true) {
      if (axis == 0) return;
      --axis;
      a.start += a.strides[axis], b.start += b.strides[axis];
      if (++index[axis] < shape[axis]) break;
      a.start -= shape[axis] * a.strides[axis], b.start -= shape[axis] * b.strides[axis];
      index[axis] = 0;
    }
  }
}

// result[i] = x[where.start + sum(i * stride)]
Value read_strided(const Value& x, const Type& type, Affine where);

// One result element for each element of the operands, which have the node's shape.
template <class F>
Value map_elements(const Node& node, const Value& x, F f) {
  Value y{node.type, std::vector<double>(x.data.size())};
  for (std::size_t i = 0; i < x.data.size(); ++i) y.data[i] = f(x.data[i]);
  return y;
}
template <class F>
Value map_elements(const Node& node, const Value& a, const Value& b, F f) {
  Value y{node.type, std::vector<double>(a.data.size())};
  for (std::size_t i = 0; i < a.data.size(); ++i) y.data[i] = f(a.data[i], b.data[i]);
  return y;
}

}  // namespace ganc
