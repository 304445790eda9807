#include "compiler/rewrite/structural_rules.h"

#include <algorithm>
#include <numeric>

#include "compiler/ops/op.h"

namespace ganc::rules {
namespace {

std::vector<std::int64_t> all_axes(const Shape& shape) {
  std::vector<std::int64_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

}  // namespace

NodeId reshape_of_reshape(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (r.shape(inner) == node.type.shape) return inner;
  if (r[inner].op != Op::reshape || r.opaque(inner)) return {};
  return r.make(Op::reshape, {r[inner].operands[0]}, {}, node.type);
}

NodeId transpose_of_transpose(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  const auto& outer_axes = node.attributes.axes;
  if (outer_axes == all_axes(node.type.shape)) return inner;
  if (r[inner].op != Op::transpose || r.opaque(inner)) return {};
  Attributes composed;
  for (const std::int64_t axis : outer_axes) {
    composed.axes.push_back(r[inner].attributes.axes[static_cast<std::size_t>(axis)]);
  }
  return r.make(Op::transpose, {r[inner].operands[0]}, composed);
}

// Where only axes of length 1 change place, memory does not.
NodeId transpose_as_reshape(Rewriter& r, const Node& node) {
  const Shape& from = r.shape(node.operands[0]);
  std::int64_t last = -1;
  for (const std::int64_t axis : node.attributes.axes) {
    if (from[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return {};
    last = axis;
  }
  return r.make(Op::reshape, {node.operands[0]}, {}, node.type);
}

NodeId broadcast_of_broadcast(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  const auto& axes = node.attributes.axes;
  if (r.shape(inner) == node.type.shape && axes == all_axes(node.type.shape)) return inner;
  if (r[inner].op != Op::broadcast_in_dim || r.opaque(inner)) return {};
  Attributes composed;
  for (const std::int64_t axis : r[inner].attributes.axes) {
    composed.axes.push_back(axes[static_cast<std::size_t>(axis)]);
  }
  return r.make(Op::broadcast_in_dim, {r[inner].operands[0]}, composed, node.type);
}

// A broadcast that repeats nothing, or only adds axes of length 1 around a reshape of that kind.
NodeId broadcast_as_reshape(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (element_count(r.shape(inner)) != element_count(node.type.shape) ||
      !std::ranges::is_sorted(node.attributes.axes)) {
    return {};
  }
  return r.make(Op::reshape, {inner}, {}, node.type);
}

// reshape that only drops or adds axes of length 1 below a broadcast: the broadcast can do that.
NodeId broadcast_of_unit_reshape(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (r[inner].op != Op::reshape || r.opaque(inner)) return {};
  const NodeId source = r[inner].operands[0];
  const Shape &from = r.shape(source), &to = r.shape(inner);
  if (from.size() >= to.size()) return {};
  Attributes attributes;
  std::size_t at = 0;
  for (const std::int64_t length : from) {
    while (at < to.size() && to[at] == 1 && length != 1) ++at;
    if (at == to.size() || to[at] != length) return {};
    attributes.axes.push_back(node.attributes.axes[at++]);
  }
  if (std::any_of(to.begin() + static_cast<std::ptrdiff_t>(at), to.end(),
                  [](std::int64_t length) { return length != 1; })) {
    return {};
  }
  return r.make(Op::broadcast_in_dim, {source}, attributes, node.type);
}

NodeId slice_of_all(Rewriter& r, const Node& node) {
  return r.shape(node.operands[0]) == node.type.shape ? node.operands[0] : NodeId{};
}

NodeId pad_of_nothing(Rewriter& r, const Node& node) {
  const auto zero = [](std::int64_t amount) { return amount == 0; };
  const Attributes& a = node.attributes;
  if (!std::ranges::all_of(a.low, zero) || !std::ranges::all_of(a.high, zero)) return {};
  if (r.shape(node.operands[0]) != node.type.shape) return {};
  return node.operands[0];
}

NodeId concatenate_of_one(Rewriter&, const Node& node) {
  return node.operands.size() == 1 ? node.operands[0] : NodeId{};
}

NodeId reverse_of_nothing(Rewriter& r, const Node& node) {
  const Shape& shape = r.shape(node.operands[0]);
  const bool idle = std::ranges::all_of(node.attributes.axes, [&](std::int64_t axis) {
    return shape[static_cast<std::size_t>(axis)] <= 1;
  });
  if (idle) return node.operands[0];
  const Node& inner = r[node.operands[0]];
  if (inner.op == Op::reverse && inner.attributes.axes == node.attributes.axes) {
    return inner.operands[0];
  }
  return {};
}

NodeId convert_of_convert(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (r[inner].type.dtype == node.type.dtype) return inner;
  return {};
}

// Computed once for all that it is repeated to.
NodeId unary_of_broadcast(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (r[inner].op != Op::broadcast_in_dim || r.opaque(inner)) return {};
  const NodeId source = r[inner].operands[0];
  if (element_count(r.shape(source)) >= element_count(node.type.shape)) return {};
  Attributes attributes;
  attributes.axes = r[inner].attributes.axes;
  const NodeId computed =
      r.make(node.op, {source}, node.attributes, {node.type.dtype, r.shape(source)});
  return r.make(Op::broadcast_in_dim, {computed}, attributes, node.type);
}

// A number that depends on no tensor is f64 until it meets one: its inverse, taken there, is as
// exact as it is itself. A division costs ten multiplies.
NodeId divide_by_number(Rewriter& r, const Node& node) {
  const NodeId repeated = node.operands[1];
  if (r[repeated].op != Op::broadcast_in_dim || r.opaque(repeated)) return {};
  const NodeId met = r[repeated].operands[0];
  if (r[met].op != Op::convert || r.opaque(met)) return {};
  const NodeId number = r[met].operands[0];
  const Type type = r[number].type;
  if (type.dtype != DType::f64 || !type.shape.empty()) return {};
  const Type narrow = r[met].type;
  const NodeId inverse = r.make(Op::divide, {r.constant(1, type), number});
  const NodeId factor =
      r.make(Op::broadcast_in_dim, {r.make(Op::convert, {inverse}, {}, narrow)}, {}, node.type);
  return r.make(Op::multiply, {node.operands[0], factor});
}

NodeId binary_of_broadcasts(Rewriter& r, const Node& node) {
  const Node* widened = nullptr;
  for (const NodeId operand : node.operands) {
    if (r[operand].op == Op::broadcast_in_dim && !r.opaque(operand)) widened = &r[operand];
  }
  if (widened == nullptr) return {};
  const NodeId source = widened->operands[0];
  const Shape small = r.shape(source);
  const Attributes attributes{.axes = widened->attributes.axes};
  if (element_count(small) >= element_count(node.type.shape)) return {};
  // Each operand as it was before it was repeated, or a constant.
  std::vector<NodeId> operands;
  for (const NodeId operand : node.operands) {
    const DType dtype = r[operand].type.dtype;
    if (r[operand].op == Op::broadcast_in_dim && r[operand].attributes == attributes &&
        r.shape(r[operand].operands[0]) == small) {
      operands.push_back(r[operand].operands[0]);
    } else if (const auto value = uniform_constant(r.graph(), operand)) {
      operands.push_back(r.constant(*value, {dtype, small}));
    } else {
      return {};
    }
  }
  const NodeId computed = r.make(node.op, operands, node.attributes);
  return r.make(Op::broadcast_in_dim, {computed}, attributes, node.type);
}

NodeId select_known(Rewriter& r, const Node& node) {
  if (node.operands[1] == node.operands[2]) return node.operands[1];
  const auto predicate = uniform_constant(r.graph(), node.operands[0]);
  if (!predicate) return {};
  return node.operands[*predicate != 0 ? 1 : 2];
}

}  // namespace ganc::rules
