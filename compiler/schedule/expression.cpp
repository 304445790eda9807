#include "compiler/schedule/expression.h"

#include <fmt/format.h>
#include <bit>

#include "compiler/ops/op.h"

namespace ganc::planning {
namespace {

std::size_t mix(std::size_t seed, std::size_t x) {
  return (seed ^ (x + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2))) * 0xff51afd7ed558ccdULL;
}

std::size_t hash(const Expr& e) {
  std::size_t h = static_cast<std::size_t>(e.kind) * 64 + static_cast<std::size_t>(e.dtype);
  h = mix(h, static_cast<std::size_t>(e.op) * 8 + static_cast<std::size_t>(e.comparison));
  h = mix(h, std::bit_cast<std::uint64_t>(e.number));
  h = mix(h, static_cast<std::size_t>(e.integer));
  h = mix(h, e.tensor);
  h = mix(h, e.index.index);
  h = mix(h, e.mask.index);
  for (ExprId operand : e.operands) h = mix(h, operand.index);
  return h;
}

}  // namespace

bool Expr::operator==(const Expr& o) const {
  // Numbers by their bits: -0 is not 0, and NaN is itself.
  return kind == o.kind && dtype == o.dtype && op == o.op && comparison == o.comparison &&
         std::bit_cast<std::uint64_t>(number) == std::bit_cast<std::uint64_t>(o.number) &&
         integer == o.integer && tensor == o.tensor && index == o.index && mask == o.mask &&
         operands == o.operands;
}

ExprId Expressions::add(Expr e) {
  const std::size_t h = hash(e);
  for (auto [it, end] = seen_.equal_range(h); it != end; ++it)
    if (all_[it->second.index] == e) return it->second;
  const ExprId id{static_cast<std::uint32_t>(all_.size())};
  all_.push_back(std::move(e));
  seen_.emplace(h, id);
  return id;
}

ExprId Expressions::constant(double number, DType dtype) {
  return add({.kind = ExprKind::constant, .dtype = dtype, .number = number});
}

ExprId Expressions::apply(Op op, DType dtype, std::vector<ExprId> operands) {
  return add({.kind = ExprKind::apply, .dtype = dtype, .op = op, .operands = std::move(operands)});
}

ExprId Expressions::both(ExprId a, ExprId b) {
  if (!a || a == b) return b;
  if (!b) return a;
  return apply(Op::logical_and, DType::pred, {a, b});
}

ExprId Expressions::inside(const IndexSpace& space, IndexId index, std::int64_t extent,
                           ExprId mask) {
  const Range r = space.range(index);
  const auto compare = [&](Comparison comparison, std::int64_t limit) {
    return add({.kind = ExprKind::compare_index,
                .dtype = DType::pred,
                .comparison = comparison,
                .integer = limit,
                .index = index});
  };
  if (r.low < 0) mask = both(mask, compare(Comparison::greater_equal, 0));
  if (r.high >= extent) mask = both(mask, compare(Comparison::less, extent));
  return mask;
}

std::size_t Emitter::KeyHash::operator()(const Key& key) const {
  std::size_t h = mix(key.node.index, key.mask.index);
  for (IndexId i : key.at) h = mix(h, i.index);
  return h;
}

void Emitter::give(NodeId node, const std::vector<IndexId>& at, ExprId value) {
  known_[{node, {}, at}] = value;
}

IndexId Emitter::offset(const Tensor& tensor, const std::vector<IndexId>& at) {
  IndexId sum = space_.constant(0);
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (tensor.panel == 0 || tensor.panel_axis != i) {
      sum = space_.add(sum, space_.scale(at[i], tensor.strides[i]));
      continue;
    }
    sum = space_.add(sum, space_.scale(space_.quotient(at[i], tensor.panel), tensor.panel_stride));
    sum = space_.add(sum, space_.scale(space_.remainder(at[i], tensor.panel), tensor.strides[i]));
  }
  return sum;
}

ExprId Emitter::emit(NodeId id, const std::vector<IndexId>& at, ExprId mask) {
  if (const auto it = known_.find({id, mask, at}); it != known_.end()) return it->second;
  if (mask)  // what is known everywhere is known where the mask holds
    if (const auto it = known_.find({id, {}, at}); it != known_.end()) return it->second;
  ExprId result;
  if (const std::uint32_t tensor = program_.tensor_of[id.index]; tensor != no_tensor) {
    const Tensor& t = program_.tensors[tensor];
    result = expressions_.add({.kind = ExprKind::load,
                               .dtype = t.dtype,
                               .tensor = tensor,
                               .index = offset(t, at),
                               .mask = mask});
  } else {
    result = emit_definition(id, at, mask);
  }
  known_[{id, mask, at}] = result;
  return result;
}

ExprId Emitter::emit_definition(NodeId id, const std::vector<IndexId>& at, ExprId mask) {
  const Node& node = program_.graph[id];
  switch (definition(node.op).op_class) {
    case OpClass::elementwise:
      return emit_elementwise(node, at, mask);
    case OpClass::movement:
      return emit_movement(node, at, mask);
    case OpClass::leaf:
      if (node.op == Op::constant && node.attributes.values.size() == 1)
        return expressions_.constant(node.attributes.values[0], node.type.dtype);
      if (node.op == Op::iota)
        return expressions_.add({.kind = ExprKind::from_index,
                                 .dtype = node.type.dtype,
                                 .index = at[static_cast<std::size_t>(node.attributes.axes[0])]});
      break;
    case OpClass::index:
      if (node.op == Op::gather) return emit_gather(node, at, mask);
      break;
    case OpClass::reduce:
    case OpClass::contract:
    case OpClass::symbolic:
      break;
  }
  if (node.op == Op::random_bits) return emit_random(node, at);
  broken(fmt::format("`{}` (node {}) is read before it is computed", definition(node.op).name,
                     id.index));
}

ExprId Emitter::emit_elementwise(const Node& node, const std::vector<IndexId>& at, ExprId mask) {
  if (node.op == Op::stop || node.op == Op::draw) return emit(node.operands[0], at, mask);
  Expr e{.kind = ExprKind::apply,
         .dtype = node.type.dtype,
         .op = node.op,
         .comparison = node.attributes.comparison};
  for (NodeId operand : node.operands) {
    const bool scalar = program_.graph[operand].type.shape.empty();
    e.operands.push_back(
        emit(operand, scalar ? std::vector<IndexId>{} : at, scalar ? ExprId{} : mask));
  }
  return expressions_.add(std::move(e));
}

std::vector<IndexId> Emitter::reshaped(const Shape& from, const Shape& to,
                                       const std::vector<IndexId>& at) {
  std::vector<IndexId> result(to.size());
  // The last axes that are the same stay as they are, also where the index is outside them under a
  // mask.
  std::size_t same = 0;
  for (; same < std::min(from.size(), to.size()); ++same) {
    if (from[from.size() - 1 - same] != to[to.size() - 1 - same]) break;
    result[to.size() - 1 - same] = at[from.size() - 1 - same];
  }
  IndexId linear = space_.constant(0);
  for (std::size_t i = 0; i + same < from.size(); ++i)
    linear = space_.add(space_.scale(linear, from[i]), at[i]);
  for (std::size_t i = to.size() - same; i-- > 0;) {
    if (i == 0) {
      result[i] = linear;  // the quotient is below to[0]: no remainder
      break;
    }
    result[i] = space_.remainder(linear, to[i]);
    linear = space_.quotient(linear, to[i]);
  }
  return result;
}

ExprId Emitter::emit_movement(const Node& node, const std::vector<IndexId>& at, ExprId mask) {
  const Attributes& a = node.attributes;
  if (node.op == Op::pad) return emit_pad(node, at, mask);
  if (node.op == Op::concatenate) return emit_concatenate(node, at, mask);
  const Shape& from = program_.graph[node.operands[0]].type.shape;
  std::vector<IndexId> inner(from.size());
  switch (node.op) {
    case Op::broadcast_in_dim:
      for (std::size_t i = 0; i < from.size(); ++i)
        inner[i] = from[i] == 1 ? space_.constant(0) : at[static_cast<std::size_t>(a.axes[i])];
      break;
    case Op::reshape:
      inner = reshaped(node.type.shape, from, at);
      break;
    case Op::transpose:
      for (std::size_t i = 0; i < from.size(); ++i)
        inner[static_cast<std::size_t>(a.axes[i])] = at[i];
      break;
    case Op::slice:
      for (std::size_t i = 0; i < from.size(); ++i)
        inner[i] = space_.add(space_.scale(at[i], a.stride[i]), a.start[i]);
      break;
    case Op::reverse:
      inner = at;
      for (std::int64_t axis : a.axes) {
        const auto i = static_cast<std::size_t>(axis);
        inner[i] = space_.add(space_.scale(at[i], -1), from[i] - 1);
      }
      break;
    default:
      broken(fmt::format("`{}` is no movement", definition(node.op).name));
  }
  return emit(node.operands[0], inner, mask);
}

// Position i of the result is operand position (i - low) / (interior + 1) where that is whole and
// inside.
ExprId Emitter::emit_pad(const Node& node, const std::vector<IndexId>& at, ExprId mask) {
  const Attributes& a = node.attributes;
  const Shape& from = program_.graph[node.operands[0]].type.shape;
  const ExprId value = emit(node.operands[1], {});
  std::vector<IndexId> inner(from.size());
  ExprId held;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] == 0) return value;
    const std::int64_t step = a.interior[i] + 1;
    IndexId position = space_.add(at[i], -a.low[i]);
    if (step > 1) {
      // Shifted by a multiple of the step, so that what is divided is not negative.
      const std::int64_t shift = a.low[i] > 0 ? (a.low[i] + step - 1) / step : 0;
      const IndexId shifted = space_.add(position, shift * step);
      const IndexId rest = space_.remainder(shifted, step);
      if (space_.range(rest).high > 0)
        held = expressions_.both(held, expressions_.add({.kind = ExprKind::compare_index,
                                                         .dtype = DType::pred,
                                                         .comparison = Comparison::equal,
                                                         .integer = 0,
                                                         .index = rest}));
      position = space_.add(space_.quotient(shifted, step), -shift);
    }
    held = expressions_.inside(space_, position, from[i], held);
    inner[i] = position;
  }
  const ExprId operand = emit(node.operands[0], inner, expressions_.both(mask, held));
  if (!held) return operand;
  return expressions_.apply(Op::select, node.type.dtype, {held, operand, value});
}

ExprId Emitter::emit_concatenate(const Node& node, const std::vector<IndexId>& at, ExprId mask) {
  const auto axis = static_cast<std::size_t>(node.attributes.axes[0]);
  ExprId result;
  std::int64_t end = node.type.shape[axis];
  for (std::size_t i = node.operands.size(); i-- > 0;) {
    const std::int64_t size = program_.graph[node.operands[i]].type.shape[axis];
    if (size == 0) continue;
    const std::int64_t begin = end - size;
    std::vector<IndexId> inner = at;
    inner[axis] = space_.add(at[axis], -begin);
    const ExprId held = expressions_.inside(space_, inner[axis], size, {});
    const ExprId part = emit(node.operands[i], inner, expressions_.both(mask, held));
    if (!result) {
      result = part;
    } else {
      // Parts that come later were chosen already where the index is beyond this one.
      const ExprId before = expressions_.add({.kind = ExprKind::compare_index,
                                              .dtype = DType::pred,
                                              .comparison = Comparison::less,
                                              .integer = end,
                                              .index = at[axis]});
      result = expressions_.apply(Op::select, node.type.dtype, {before, part, result});
    }
    end = begin;
  }
  if (!result) broken("a concatenation of nothing");
  return result;
}

// result[B.., A.., I.., R..] = x[B.., A.., indices[B.., I..], R..]
ExprId Emitter::emit_gather(const Node& node, const std::vector<IndexId>& at, ExprId mask) {
  const Shape& from = program_.graph[node.operands[0]].type.shape;
  const std::size_t indices_rank = program_.graph[node.operands[1]].type.shape.size();
  const auto batch = static_cast<std::size_t>(node.attributes.batch);
  const auto axis = static_cast<std::size_t>(node.attributes.axes[0]);
  const std::size_t inner_rank = indices_rank - batch;  // |I|
  std::vector<IndexId> where(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(batch));
  where.insert(where.end(), at.begin() + static_cast<std::ptrdiff_t>(axis),
               at.begin() + static_cast<std::ptrdiff_t>(axis + inner_rank));
  const ExprId chosen = emit(node.operands[1], where, mask);
  std::vector<IndexId> inner(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(axis));
  inner.push_back(space_.data(chosen.index, from[axis]));
  inner.insert(inner.end(), at.begin() + static_cast<std::ptrdiff_t>(axis + inner_rank), at.end());
  return emit(node.operands[0], inner, mask);
}

// The element is the row-major one, whatever the layout of the result.
ExprId Emitter::emit_random(const Node& node, const std::vector<IndexId>& at) {
  IndexId element = space_.constant(0);
  for (std::size_t i = 0; i < at.size(); ++i)
    element = space_.add(space_.scale(element, node.type.shape[i]), at[i]);
  return expressions_.add(
      {.kind = ExprKind::philox,
       .dtype = DType::u32,
       .integer = node.attributes.stream,
       .index = element,
       .operands = {emit(node.operands[0], {space_.constant(0)}),
                    emit(node.operands[0], {space_.constant(1)}), emit(node.operands[1], {})}});
}

ExprId Emitter::emit_product(NodeId id, const std::vector<IndexId>& free,
                             const std::vector<IndexId>& reduced) {
  const Node& node = program_.graph[id];
  const Attributes& a = node.attributes;
  const Shape& lhs_shape = program_.graph[node.operands[0]].type.shape;
  const Shape& rhs_shape = program_.graph[node.operands[1]].type.shape;
  std::vector<IndexId> lhs(lhs_shape.size()), rhs(rhs_shape.size());
  ExprId held;
  if (node.op == Op::dot_general) {
    std::vector<bool> lhs_done(lhs.size()), rhs_done(rhs.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < a.lhs_batch.size(); ++i) {
      const auto l = static_cast<std::size_t>(a.lhs_batch[i]),
                 r = static_cast<std::size_t>(a.rhs_batch[i]);
      lhs[l] = rhs[r] = free[next++];
      lhs_done[l] = rhs_done[r] = true;
    }
    for (std::size_t i = 0; i < a.lhs_contract.size(); ++i) {
      const auto l = static_cast<std::size_t>(a.lhs_contract[i]),
                 r = static_cast<std::size_t>(a.rhs_contract[i]);
      lhs[l] = rhs[r] = reduced[i];
      lhs_done[l] = rhs_done[r] = true;
    }
    for (std::size_t i = 0; i < lhs.size(); ++i)
      if (!lhs_done[i]) lhs[i] = free[next++];
    for (std::size_t i = 0; i < rhs.size(); ++i)
      if (!rhs_done[i]) rhs[i] = free[next++];
  } else {
    const std::int64_t outputs = node.type.shape[1] / a.groups;
    rhs[0] = free[1];
    rhs[1] = reduced[0];
    lhs[0] = free[0];
    lhs[1] = space_.add(space_.scale(space_.quotient(free[1], outputs), rhs_shape[1]), reduced[0]);
    for (std::size_t i = 0; i < a.windows.size(); ++i) {
      const Window& w = a.windows[i];
      rhs[i + 2] = reduced[i + 1];
      IndexId position = space_.add(space_.add(space_.scale(free[i + 2], w.stride),
                                               space_.scale(reduced[i + 1], w.rhs_dilation)),
                                    -w.pad_low);
      if (w.lhs_dilation > 1) {
        const std::int64_t shift =
            w.pad_low > 0 ? (w.pad_low + w.lhs_dilation - 1) / w.lhs_dilation : 0;
        const IndexId shifted = space_.add(position, shift * w.lhs_dilation);
        const IndexId rest = space_.remainder(shifted, w.lhs_dilation);
        if (space_.range(rest).high > 0)
          held = expressions_.both(held, expressions_.add({.kind = ExprKind::compare_index,
                                                           .dtype = DType::pred,
                                                           .comparison = Comparison::equal,
                                                           .integer = 0,
                                                           .index = rest}));
        position = space_.add(space_.quotient(shifted, w.lhs_dilation), -shift);
      }
      held = expressions_.inside(space_, position, lhs_shape[i + 2], held);
      lhs[i + 2] = position;
    }
  }
  const ExprId x = emit(node.operands[0], lhs, held);
  const ExprId y = emit(node.operands[1], rhs);
  ExprId product = expressions_.apply(Op::multiply, node.type.dtype, {x, y});
  // An operand that is no load is not 0 where it is masked, and 0 * NaN is no 0.
  if (held)
    product = expressions_.apply(Op::select, node.type.dtype,
                                 {held, product, expressions_.constant(0, node.type.dtype)});
  return product;
}

}  // namespace ganc::planning
