// Ops that move elements: every result element is one element of an operand.
#include <algorithm>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

// --- broadcast_in_dim: axis i of the operand becomes axis axes[i] of the result; length 1
// stretches.

TypeOrError broadcast_type(Types operands, const Attributes& attributes, const Type& given) {
  const Shape &from = operands[0].shape, &to = given.shape;
  if (attributes.axes.size() != from.size()) {
    return wrong("needs {} axes, but got {}", from.size(), attributes.axes.size());
  }
  if (std::string text = wrong_axes(attributes.axes, to.size()); !text.empty()) {
    return wrong("{}", text);
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t size = to[attributes.axes[i]];
    if (from[i] != size && from[i] != 1) {
      return wrong("axis {} of {} cannot become axis {} of {}", i, to_string(from),
                   attributes.axes[i], to_string(to));
    }
  }
  return right(operands[0].dtype, to);
}

// Sum over the axes that are new or were stretched, then the remaining ones in the operand's order.
Gradients broadcast_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const Shape from = b.shape(node.operands[0]);
  const Axes& axes = node.attributes.axes;
  Axes kept;  // of the result
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (from[i] == node.type.shape[axes[i]]) kept.push_back(axes[i]);
  }
  Axes ascending = kept;
  std::sort(ascending.begin(), ascending.end());
  const NodeId sum = b.reduce_sum(dy, all_but(kept, node.type.shape.size()));
  Axes permutation;
  for (std::int64_t axis : kept) {
    permutation.push_back(std::find(ascending.begin(), ascending.end(), axis) - ascending.begin());
  }
  return {b.reshape(permute(b, sum, permutation), from)};
}

Value broadcast_reference(const Node& node, Operands operands) {
  const Shape& from = operands[0]->type.shape;
  const auto strides = row_major_strides(from);
  Affine where = {0, std::vector<std::int64_t>(node.type.shape.size(), 0)};
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) where.strides[node.attributes.axes[i]] = strides[i];
  }
  return read_strided(*operands[0], node.type, std::move(where));
}

// --- reshape

TypeOrError reshape_type(Types operands, const Attributes&, const Type& given) {
  if (element_count(operands[0].shape) != element_count(given.shape)) {
    return wrong("{} and {} differ in their number of elements", to_string(operands[0].shape),
                 to_string(given.shape));
  }
  return right(operands[0].dtype, given.shape);
}

// --- transpose: result axis i is operand axis axes[i].

TypeOrError transpose_type(Types operands, const Attributes& attributes, const Type&) {
  const Shape& from = operands[0].shape;
  std::string text = wrong_axes(attributes.axes, from.size());
  if (!text.empty() || attributes.axes.size() != from.size()) {
    return wrong("{} is no permutation of {} axes", to_string(attributes.axes), from.size());
  }
  Shape to;
  for (std::int64_t axis : attributes.axes) to.push_back(from[axis]);
  return right(operands[0].dtype, to);
}

Gradients transpose_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  Axes inverse(node.attributes.axes.size());
  for (std::size_t i = 0; i < inverse.size(); ++i) inverse[node.attributes.axes[i]] = i;
  return {b.transpose(dy, inverse)};
}

Value transpose_reference(const Node& node, Operands operands) {
  const auto strides = row_major_strides(operands[0]->type.shape);
  Affine where;
  for (std::int64_t axis : node.attributes.axes) where.strides.push_back(strides[axis]);
  return read_strided(*operands[0], node.type, std::move(where));
}

// --- slice: start, limit (exclusive) and stride per axis.

TypeOrError slice_type(Types operands, const Attributes& attributes, const Type&) {
  const Shape& from = operands[0].shape;
  const auto &start = attributes.start, &limit = attributes.limit, &stride = attributes.stride;
  if (start.size() != from.size() || limit.size() != from.size() || stride.size() != from.size()) {
    return wrong("needs a start, limit and stride for each axis of {}", to_string(from));
  }
  Shape to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (start[i] < 0 || start[i] > limit[i] || limit[i] > from[i]) {
      return wrong("{} to {} is not within axis {} of {}", start[i], limit[i], i, to_string(from));
    }
    if (stride[i] < 1) return wrong("the stride {} of axis {} is below 1", stride[i], i);
    to.push_back((limit[i] - start[i] + stride[i] - 1) / stride[i]);
  }
  return right(operands[0].dtype, to);
}

// The elements go back to their places among zeros.
Gradients slice_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const Shape from = b.shape(node.operands[0]);
  Axes high, interior;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t n = node.type.shape[i];
    interior.push_back(node.attributes.stride[i] - 1);
    high.push_back(from[i] - node.attributes.start[i] - n -
                   std::max<std::int64_t>(n - 1, 0) * interior[i]);
  }
  const NodeId zero = b.constant(0.0, {b.dtype(dy), {}});
  return {b.pad(dy, zero, node.attributes.start, high, interior)};
}

Value slice_reference(const Node& node, Operands operands) {
  const auto strides = row_major_strides(operands[0]->type.shape);
  Affine where;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    where.start += node.attributes.start[i] * strides[i];
    where.strides.push_back(node.attributes.stride[i] * strides[i]);
  }
  return read_strided(*operands[0], node.type, std::move(where));
}

// --- pad: `interior` elements between neighbours, then low and high at the ends; negative ones cut
// off.

TypeOrError pad_type(Types operands, const Attributes& attributes, const Type&) {
  const Shape& from = operands[0].shape;
  const auto &low = attributes.low, &high = attributes.high, &interior = attributes.interior;
  if (low.size() != from.size() || high.size() != from.size() || interior.size() != from.size()) {
    return wrong("needs low, high and interior for each axis of {}", to_string(from));
  }
  if (operands[1] != Type{operands[0].dtype, {}}) {
    return wrong("needs a padding value {}, but got {}", to_string(Type{operands[0].dtype, {}}),
                 to_string(operands[1]));
  }
  Shape to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (interior[i] < 0)
      return wrong("the interior padding {} of axis {} is negative", interior[i], i);
    to.push_back(low[i] + from[i] + std::max<std::int64_t>(from[i] - 1, 0) * interior[i] + high[i]);
    if (to[i] < 0) return wrong("axis {} of {} is padded to {}", i, to_string(from), to[i]);
  }
  return right(operands[0].dtype, to);
}

// The operand's part of dy: undo the ends, then take each (interior + 1)-th element.
Gradients pad_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const Attributes& a = node.attributes;
  const Shape from = b.shape(node.operands[0]);
  const std::size_t rank = from.size();
  const NodeId zero = b.constant(0.0, {b.dtype(dy), {}});
  Axes restore_low(rank), restore_high(rank), start(rank), limit(rank), stride(rank);
  bool cut = false, picks = false;
  for (std::size_t i = 0; i < rank; ++i) {  // what was cut off has derivative 0
    restore_low[i] = std::max<std::int64_t>(-a.low[i], 0);
    restore_high[i] = std::max<std::int64_t>(-a.high[i], 0);
    cut |= restore_low[i] + restore_high[i] > 0;
    start[i] = std::max<std::int64_t>(a.low[i], 0);
    stride[i] = a.interior[i] + 1;
    limit[i] = start[i] + from[i] + std::max<std::int64_t>(from[i] - 1, 0) * a.interior[i];
    picks |= start[i] > 0 || a.high[i] > 0 || stride[i] > 1;
  }
  NodeId dx = cut ? b.pad(dy, zero, restore_low, restore_high) : dy;
  if (picks) dx = b.slice(dx, start, limit, stride);
  NodeId dvalue;
  if (b[node.operands[1]].op != Op::constant) {
    const NodeId one = b.constant(1.0, {b.dtype(dy), {}});
    const NodeId padded = b.pad(b.like(node.operands[0], 0), one, a.low, a.high, a.interior);
    dvalue = b.reduce_sum(b.multiply(dy, padded), counting(rank));
  }
  return {dx, dvalue};
}

Value pad_reference(const Node& node, Operands operands) {
  const Attributes& a = node.attributes;
  const Shape& from = operands[0]->type.shape;
  Value y = filled(node.type, operands[1]->data[0]);
  const auto from_strides = row_major_strides(from),
             to_strides = row_major_strides(node.type.shape);
  Affine read, write;
  Shape count;
  for (std::size_t i = 0; i < from.size(); ++i) {  // operand elements first to last stay
    const std::int64_t step = a.interior[i] + 1;
    const std::int64_t first = a.low[i] < 0 ? (-a.low[i] + step - 1) / step : 0;
    const std::int64_t room = node.type.shape[i] - a.low[i];  // positions beyond low
    const std::int64_t end = std::min(from[i], room <= 0 ? 0 : (room + step - 1) / step);
    count.push_back(std::max<std::int64_t>(end - first, 0));
    read.start += first * from_strides[i];
    read.strides.push_back(from_strides[i]);
    write.start += (a.low[i] + first * step) * to_strides[i];
    write.strides.push_back(step * to_strides[i]);
  }
  walk(count, read, write,
       [&](std::int64_t x, std::int64_t at) { y.data[at] = operands[0]->data[x]; });
  return y;
}

// --- concatenate

TypeOrError concatenate_type(Types operands, const Attributes& attributes, const Type&) {
  if (operands.empty()) return wrong("needs an operand");
  if (attributes.axes.size() != 1)
    return wrong("needs one axis, but got {}", attributes.axes.size());
  Shape to = operands[0].shape;
  if (std::string text = wrong_axes(attributes.axes, to.size()); !text.empty()) {
    return wrong("{}", text);
  }
  const std::int64_t axis = attributes.axes[0];
  to[axis] = 0;
  for (const Type& operand : operands) {
    Shape shape = operand.shape;
    bool fits = operand.dtype == operands[0].dtype && shape.size() == to.size();
    if (fits) {
      shape[axis] = to[axis];
      fits = shape == to;
    }
    if (!fits) {
      return wrong("{} and {} differ beyond axis {}", to_string(operands[0]), to_string(operand),
                   axis);
    }
    to[axis] += operand.shape[axis];
  }
  return right(operands[0].dtype, to);
}

Gradients concatenate_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const std::int64_t axis = node.attributes.axes[0];
  Axes start(node.type.shape.size(), 0), limit = node.type.shape;
  Gradients parts;
  for (NodeId operand : node.operands) {
    limit[axis] = start[axis] + b.shape(operand)[axis];
    parts.push_back(b.slice(dy, start, limit));
    start[axis] = limit[axis];
  }
  return parts;
}

Value concatenate_reference(const Node& node, Operands operands) {
  Value y = filled(node.type, 0);
  const std::int64_t axis = node.attributes.axes[0];
  const auto strides = row_major_strides(node.type.shape);
  std::int64_t start = 0;
  for (const Value* operand : operands) {
    walk(operand->type.shape, {0, row_major_strides(operand->type.shape)}, {start, strides},
         [&](std::int64_t from, std::int64_t to) { y.data[to] = operand->data[from]; });
    start += operand->type.shape[axis] * strides[axis];
  }
  return y;
}

// --- reverse

TypeOrError reverse_type(Types operands, const Attributes& attributes, const Type&) {
  if (std::string text = wrong_axes(attributes.axes, operands[0].shape.size()); !text.empty()) {
    return wrong("{}", text);
  }
  return {.type = operands[0], .error = {}};
}

Value reverse_reference(const Node& node, Operands operands) {
  Affine where = {0, row_major_strides(node.type.shape)};
  for (std::int64_t axis : node.attributes.axes) {
    where.start += (node.type.shape[axis] - 1) * where.strides[axis];
    where.strides[axis] = -where.strides[axis];
  }
  return read_strided(*operands[0], node.type, std::move(where));
}

// --- samples

Sample padded(Shape shape, Axes low, Axes high, Axes interior) {
  return {{{f32(std::move(shape))}, {f32({})}},
          {.low = std::move(low), .high = std::move(high), .interior = std::move(interior)}};
}
Sample sliced(Shape shape, Axes start, Axes limit, Axes stride) {
  return {{{f32(std::move(shape))}},
          {.start = std::move(start), .limit = std::move(limit), .stride = std::move(stride)}};
}
Sample stretched(Shape from, Axes axes, Shape to) {
  return {{{f32(std::move(from))}}, {.axes = std::move(axes)}, f32(std::move(to))};
}

const OpDefinition definitions[] = {
    {.op = Op::broadcast_in_dim,
     .name = "broadcast_in_dim",
     .op_class = OpClass::movement,
     .arity = 1,
     .type = broadcast_type,
     .gradient = broadcast_gradient,
     .reference = broadcast_reference,
     .samples = {stretched({}, {}, {2, 3}), stretched({3}, {1}, {2, 3}),
                 stretched({2}, {0}, {2, 3}), stretched({1, 3}, {0, 1}, {4, 3}),
                 stretched({2, 1, 3}, {0, 2, 3}, {2, 5, 4, 3}),
                 stretched({2, 3}, {2, 0}, {3, 4, 2}), stretched({2, 0}, {0, 1}, {2, 0}),
                 stretched({1}, {0}, {0}), stretched({2, 3}, {0, 1}, {2, 3}),
                 stretched({}, {}, {})},
     .attributes = reads::axes},
    {.op = Op::reshape,
     .name = "reshape",
     .op_class = OpClass::movement,
     .arity = 1,
     .type = reshape_type,
     .gradient = [](Builder& b, const Node& node, NodeId, NodeId dy) -> Gradients {
       return {b.reshape(dy, Shape(b.shape(node.operands[0])))};
     },
     .reference = [](const Node& node, Operands operands) -> Value {
       return {node.type, operands[0]->data};
     },
     .samples = {{{{f32({2, 6})}}, {}, f32({3, 4})},
                 {{{f32({1})}}, {}, f32({})},
                 {{{f32({0, 3})}}, {}, f32({5, 0})}}},
    {.op = Op::transpose,
     .name = "transpose",
     .op_class = OpClass::movement,
     .arity = 1,
     .type = transpose_type,
     .gradient = transpose_gradient,
     .reference = transpose_reference,
     .samples = {{{{f32({2, 3})}}, {.axes = {1, 0}}},
                 {{{f32({2, 3, 4, 2})}}, {.axes = {2, 0, 3, 1}}},
                 {{{f32({2, 0, 3})}}, {.axes = {2, 1, 0}}},
                 {{{f32({})}}, {.axes = {}}}},
     .attributes = reads::axes},
    {.op = Op::slice,
     .name = "slice",
     .op_class = OpClass::movement,
     .arity = 1,
     .type = slice_type,
     .gradient = slice_gradient,
     .reference = slice_reference,
     .samples = {sliced({5}, {1}, {4}, {1}), sliced({7, 5}, {1, 0}, {7, 5}, {2, 3}),
                 sliced({6, 3}, {0, 2}, {6, 3}, {4, 1}), sliced({4, 3}, {2, 0}, {2, 3}, {1, 1}),
                 sliced({8}, {1}, {7}, {3}), sliced({}, {}, {}, {})},
     .attributes = reads::slice},
    {.op = Op::pad,
     .name = "pad",
     .op_class = OpClass::movement,
     .arity = 2,
     .type = pad_type,
     .gradient = pad_gradient,
     .reference = pad_reference,
     .samples = {padded({3}, {1}, {2}, {0}), padded({3, 2}, {0, 1}, {2, 0}, {1, 2}),
                 padded({5}, {-2}, {-1}, {0}), padded({5}, {-2}, {1}, {2}),
                 padded({4, 3}, {-1, 2}, {3, -2}, {3, 1}), padded({0, 2}, {2, 0}, {1, 1}, {1, 0}),
                 padded({4}, {-3}, {-4}, {1}), padded({3}, {-5}, {4}, {0}), padded({}, {}, {}, {})},
     .attributes = reads::padding},
    {.op = Op::concatenate,
     .name = "concatenate",
     .op_class = OpClass::movement,
     .arity = -1,
     .type = concatenate_type,
     .gradient = concatenate_gradient,
     .reference = concatenate_reference,
     .samples = {{{{f32({2})}, {f32({3})}}, {.axes = {0}}},
                 {{{f32({2, 1, 3})}, {f32({2, 4, 3})}, {f32({2, 0, 3})}}, {.axes = {1}}},
                 {{{f32({2, 2})}}, {.axes = {1}}}},
     .attributes = reads::axes},
    {.op = Op::reverse,
     .name = "reverse",
     .op_class = OpClass::movement,
     .arity = 1,
     .type = reverse_type,
     .gradient = [](Builder& b, const Node& node, NodeId, NodeId dy) -> Gradients {
       return {b.reverse(dy, node.attributes.axes)};
     },
     .reference = reverse_reference,
     .samples = {{{{f32({5})}}, {.axes = {0}}},
                 {{{f32({2, 3, 4})}}, {.axes = {2, 0}}},
                 {{{f32({0, 3})}}, {.axes = {0, 1}}}},
     .attributes = reads::axes},
};

}  // namespace

std::span<const OpDefinition> movement_ops() {
  return definitions;
}

}  // namespace ganc
