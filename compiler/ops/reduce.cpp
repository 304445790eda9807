// Reductions: the axes named vanish.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

TypeOrError reduce_type(Types operands, const Attributes& attributes, const Type&) {
  const Type& x = operands[0];
  if (x.dtype == DType::pred) return wrong("needs numbers, but got {}", to_string(x));
  if (std::string text = wrong_axes(attributes.axes, x.shape.size()); !text.empty()) {
    return wrong("{}", text);
  }
  Shape rest;
  for (std::int64_t axis : all_but(attributes.axes, x.shape.size())) rest.push_back(x.shape[axis]);
  return right(x.dtype, rest);
}

// y back along the axes that vanished.
NodeId stretch(Builder& b, NodeId y, const Node& node) {
  const Shape shape = b.shape(node.operands[0]);
  return b.broadcast_in_dim(y, shape, all_but(node.attributes.axes, shape.size()));
}

// Folds each element of x into its result by `fold`, from `start`; row-major order.
template <class F>
Value reduced(const Node& node, const Value& x, double start, F fold) {
  Value y = filled(node.type, start);
  const auto strides = row_major_strides(node.type.shape);
  Affine to = {0, std::vector<std::int64_t>(x.type.shape.size(), 0)};
  const Axes kept = all_but(node.attributes.axes, x.type.shape.size());
  for (std::size_t i = 0; i < kept.size(); ++i) to.strides[kept[i]] = strides[i];
  walk(x.type.shape, {0, row_major_strides(x.type.shape)}, to,
       [&](std::int64_t from, std::int64_t at) { y.data[at] = fold(y.data[at], x.data[from]); });
  return y;
}

Value sum_reference(const Node& node, Operands operands) {
  Value y = reduced(node, *operands[0], 0, [](double sum, double x) { return sum + x; });
  if (!is_real(node.type.dtype)) {  // sums of up to 2^21 integers are exact in doubles
    for (double& sum : y.data) sum = wrapped(node.type.dtype, static_cast<std::int64_t>(sum));
  }
  return y;
}

double least(DType dtype) {
  if (dtype == DType::i32) return -0x1p31;
  return dtype == DType::u32 ? 0 : -std::numeric_limits<double>::infinity();
}

Value max_reference(const Node& node, Operands operands) {
  return reduced(node, *operands[0], least(node.type.dtype), [](double most, double x) {
    return std::isnan(most) || std::isnan(x) ? std::numeric_limits<double>::quiet_NaN()
                                             : std::max(most, x);
  });
}

// Elements that equal the maximum share its derivative equally.
Gradients max_gradient(Builder& b, const Node& node, NodeId y, NodeId dy) {
  const NodeId x = node.operands[0];
  const NodeId equal = b.compare(Comparison::equal, x, stretch(b, y, node));
  const NodeId is_max = b.convert(equal, node.type.dtype);
  const NodeId count = b.reduce_sum(is_max, node.attributes.axes);
  return {b.multiply(is_max, stretch(b, b.divide(dy, count), node))};
}

std::vector<Sample> samples() {
  return {{{{f32({7})}}, {.axes = {0}}},           {{{f32({2, 3, 4})}}, {.axes = {1}}},
          {{{f32({2, 3, 4})}}, {.axes = {2, 0}}},  {{{f32({2, 3, 2, 2})}}, {.axes = {0, 2, 3}}},
          {{{f32({2, 0, 3})}}, {.axes = {0}}},     {{{f32({2, 3})}}, {.axes = {0, 1}}},
          {{{i32({2, 3}), -9, 9}}, {.axes = {1}}}, {{{u32({2, 3}), 0, 99}}, {.axes = {0}}}};
}
std::vector<Sample> samples_with_empty_sums() {
  std::vector<Sample> all = samples();
  all.push_back({{{f32({2, 0, 3})}}, {.axes = {1}}});
  all.push_back({{{f32({300, 70})}}, {.axes = {0}}});
  return all;
}

const OpDefinition definitions[] = {
    {.op = Op::reduce_sum,
     .name = "reduce_sum",
     .op_class = OpClass::reduce,
     .arity = 1,
     .type = reduce_type,
     .gradient = [](Builder& b, const Node& node, NodeId, NodeId dy) -> Gradients {
       return {stretch(b, dy, node)};
     },
     .reference = sum_reference,
     .samples = samples_with_empty_sums(),
     .attributes = reads::axes},
    // Over nothing: minus infinity, or the least integer.
    {.op = Op::reduce_max,
     .name = "reduce_max",
     .op_class = OpClass::reduce,
     .arity = 1,
     .type = reduce_type,
     .gradient = max_gradient,
     .reference = max_reference,
     .samples = samples(),
     .attributes = reads::axes},
};

}  // namespace

std::span<const OpDefinition> reduce_ops() {
  return definitions;
}

}  // namespace ganc
