// gather and scatter_add, each the other's gradient.
//   gather       x [B.., A.., n, R..], indices i32 [B.., I..] -> [B.., A.., I.., R..]
//   scatter_add  updates [B.., A.., I.., R..], indices i32 [B.., I..] -> [B.., A.., size, R..]
// batch = |B|, axes[0] = |B| + |A|. An index outside is clamped into the axis.
#include <algorithm>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

// What both share: `batch` leading axes equal, the axis behind them and within `rank`.
std::string wrong_indexing(const Type& x, const Type& indices, const Attributes& a,
                           std::int64_t rank) {
  if (indices.dtype != DType::i32)
    return fmt::format("needs i32 indices, but got {}", to_string(indices));
  if (a.axes.size() != 1) return fmt::format("needs one axis, but got {}", a.axes.size());
  const auto index_rank = static_cast<std::int64_t>(indices.shape.size());
  if (a.batch < 0 || a.batch > index_rank || a.axes[0] < a.batch || a.axes[0] > rank) {
    return fmt::format("axis {} and batch {} do not fit {} and {}", a.axes[0], a.batch,
                       to_string(x), to_string(indices));
  }
  for (std::int64_t i = 0; i < a.batch; ++i) {
    if (x.shape[i] != indices.shape[i]) {
      return fmt::format("batch axis {} of {} and {} differs", i, to_string(x), to_string(indices));
    }
  }
  return {};
}

TypeOrError gather_type(Types operands, const Attributes& a, const Type&) {
  const Type &x = operands[0], &indices = operands[1];
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  if (std::string text = wrong_indexing(x, indices, a, rank - 1); !text.empty())
    return wrong("{}", text);
  const std::int64_t axis = a.axes[0];
  if (x.shape[axis] == 0 && element_count(indices.shape) > 0) {
    return wrong("axis {} of {} has nothing to gather", axis, to_string(x));
  }
  Shape shape(x.shape.begin(), x.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin() + a.batch, indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  return right(x.dtype, shape);
}

TypeOrError scatter_type(Types operands, const Attributes& a, const Type&) {
  const Type &updates = operands[0], &indices = operands[1];
  if (updates.dtype == DType::pred) return wrong("needs numbers, but got {}", to_string(updates));
  const auto rank = static_cast<std::int64_t>(updates.shape.size());
  const std::int64_t index_axes = static_cast<std::int64_t>(indices.shape.size()) - a.batch;
  if (std::string text = wrong_indexing(updates, indices, a, rank - index_axes); !text.empty()) {
    return wrong("{}", text);
  }
  const std::int64_t axis = a.axes[0];
  if (!std::equal(indices.shape.begin() + a.batch, indices.shape.end(),
                  updates.shape.begin() + axis)) {
    return wrong("the axes of {} from {} on are not those of {}", to_string(updates), axis,
                 to_string(indices));
  }
  if (a.size < 0 || (a.size == 0 && element_count(indices.shape) > 0)) {
    return wrong("an axis of {} has no room", a.size);
  }
  Shape shape(updates.shape.begin(), updates.shape.begin() + axis);
  shape.push_back(a.size);
  shape.insert(shape.end(), updates.shape.begin() + axis + index_axes, updates.shape.end());
  return right(updates.dtype, shape);
}

std::int64_t product(Shape::const_iterator begin, Shape::const_iterator end) {
  return element_count(Shape(begin, end));
}

// Calls f(element of the tensor with the axis, element of the one with the indices' axes).
template <class F>
void pair_elements(const Shape& whole, const Value& indices, const Attributes& a, F f) {
  const std::int64_t axis = a.axes[0], size = whole[axis];
  const std::int64_t batch = product(whole.begin(), whole.begin() + a.batch);
  const std::int64_t above = product(whole.begin() + a.batch, whole.begin() + axis);
  const std::int64_t below = product(whole.begin() + axis + 1, whole.end());
  const std::int64_t picks =
      product(indices.type.shape.begin() + a.batch, indices.type.shape.end());
  for (std::int64_t outer = 0; outer < batch * above; ++outer) {
    for (std::int64_t i = 0; i < picks; ++i) {
      const double index = indices.data[outer / above * picks + i];
      const std::int64_t at =
          static_cast<std::int64_t>(std::clamp(index, 0.0, static_cast<double>(size - 1)));
      for (std::int64_t r = 0; r < below; ++r) {
        f((outer * size + at) * below + r, (outer * picks + i) * below + r);
      }
    }
  }
}

Value gather_reference(const Node& node, Operands operands) {
  Value y = filled(node.type, 0);
  pair_elements(
      operands[0]->type.shape, *operands[1], node.attributes,
      [&](std::int64_t whole, std::int64_t picked) { y.data[picked] = operands[0]->data[whole]; });
  return y;
}

Value scatter_reference(const Node& node, Operands operands) {
  Value y = filled(node.type, 0);
  pair_elements(
      node.type.shape, *operands[1], node.attributes,
      [&](std::int64_t whole, std::int64_t picked) { y.data[whole] += operands[0]->data[picked]; });
  if (!is_real(node.type.dtype)) {
    for (double& sum : y.data) sum = wrapped(node.type.dtype, static_cast<std::int64_t>(sum));
  }
  return y;
}

Gradients gather_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const std::int64_t axis = node.attributes.axes[0], size = b.shape(node.operands[0])[axis];
  return {b.scatter_add(dy, node.operands[1], axis, node.attributes.batch, size), {}};
}

Gradients scatter_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  return {b.gather(dy, node.operands[1], node.attributes.axes[0], node.attributes.batch), {}};
}

Sample picked(Shape x, Shape indices, double most, std::int64_t axis, std::int64_t batch) {
  return {{{f32(std::move(x))}, {i32(std::move(indices)), -2, most + 1}},
          {.axes = {axis}, .batch = batch}};
}
Sample scattered(Shape updates, Shape indices, std::int64_t axis, std::int64_t batch,
                 std::int64_t size) {
  return {{{f32(std::move(updates))}, {i32(std::move(indices)), -2, static_cast<double>(size) + 1}},
          {.axes = {axis}, .batch = batch, .size = size}};
}

const OpDefinition definitions[] = {
    {.op = Op::gather,
     .name = "gather",
     .op_class = OpClass::index,
     .arity = 2,
     .type = gather_type,
     .gradient = gather_gradient,
     .reference = gather_reference,
     .samples = {picked({5, 3}, {4}, 4, 0, 0), picked({2, 5, 3}, {2, 4}, 4, 1, 0),
                 picked({2, 5, 3}, {2, 4}, 4, 1, 1), picked({2, 3, 5, 2}, {2, 4}, 4, 2, 1),
                 picked({3, 6}, {3}, 5, 1, 1), picked({6}, {}, 5, 0, 0),
                 picked({4, 2}, {0}, 3, 0, 0)},
     .attributes = reads::axes | reads::batch},
    {.op = Op::scatter_add,
     .name = "scatter_add",
     .op_class = OpClass::index,
     .arity = 2,
     .type = scatter_type,
     .gradient = scatter_gradient,
     .reference = scatter_reference,
     .samples = {scattered({4, 3}, {4}, 0, 0, 5), scattered({2, 2, 4, 3}, {2, 4}, 1, 0, 5),
                 scattered({2, 4, 3}, {2, 4}, 1, 1, 3), scattered({2, 3, 4, 2}, {2, 4}, 2, 1, 5),
                 scattered({3}, {3}, 1, 1, 6), scattered({}, {}, 0, 0, 4),
                 scattered({0, 2}, {0}, 0, 0, 3)},
     .attributes = reads::axes | reads::batch | reads::size},
};

}  // namespace

std::span<const OpDefinition> index_ops() {
  return definitions;
}

}  // namespace ganc
