#include <algorithm>

#include "compiler/schedule/lower.h"

namespace ganc::planning {
namespace {

void cut_into_panels(Tensor& tensor, const AxisOrder& order, std::int64_t panel) {
  const auto axis = static_cast<std::size_t>(order.back());
  const std::int64_t panels = (tensor.shape[axis] + panel - 1) / panel;
  Shape one_panel = tensor.shape;
  one_panel[axis] = panel;
  tensor.strides = strides_of(one_panel, order, tensor.dtype);
  tensor.panel = panel;
  tensor.panel_axis = axis;
  const std::int64_t reach = reach_of(one_panel, tensor.strides);
  tensor.panel_stride = (reach + panel_lanes - 1) / panel_lanes * panel_lanes;
  tensor.elements = panels * tensor.panel_stride;
}

Shape with_border(Shape shape, const std::optional<Border>& border) {
  if (border) shape.back() += border->low + border->high;
  return shape;
}

// What lies outside the last axis, in `order`, along it, and inside.
struct Loops {
  std::vector<Axis> outer, along, inner;
};
Loops loops_of(const Computation& c, const AxisOrder& order) {
  Loops loops;
  const auto last = static_cast<std::int64_t>(order.size()) - 1;
  std::vector<Axis>* into = &loops.outer;
  for (std::int64_t axis : order) {
    if (axis == last) into = &loops.along;
    for (std::uint32_t v : c.domain.variables[static_cast<std::size_t>(axis)])
      into->push_back({v, c.space.extent(v)});
    if (axis == last) into = &loops.inner;
  }
  return loops;
}

// Zeros along the whole of the last axis, then what lies inside: no element is chosen under a mask.
// The domain is that of the operand.
void write_with_border(ProgramDraft& program, const Group& group, Computation& c,
                       std::uint32_t tensor, ExprId value, const CopyLayout& layout) {
  const Tensor& t = program.tensors[tensor];
  Emitter emitter(program, c.space, c.expressions);
  const Axis whole{c.space.add_variable(t.shape.back()), t.shape.back()};
  std::vector<IndexId> at = c.domain.at, zeros_at = c.domain.at;
  at.back() = c.space.add(at.back(), layout.border->low);
  zeros_at.back() = c.space.variable(whole.variable);
  c.stores.push_back({tensor, emitter.offset(t, at), value});
  const StoreExpr zeros{tensor, emitter.offset(t, zeros_at), c.expressions.constant(0, t.dtype)};
  UsedIndices used(c.space, c.expressions);
  for (const StoreExpr& store : {c.stores[0], zeros}) used.add(store.index), used.add(store.value);

  KernelWriter writer(c.space, c.expressions, program.tensors);
  const Loops loops = loops_of(c, layout.order);
  const auto ordered = [&](const std::vector<Axis>& axes) {
    return ordered_axes(writer, c.space, axes, c.stores[0].index, used.indices());
  };
  const std::vector<Axis> outer = ordered(loops.outer), inner = ordered(loops.inner);
  std::vector<Axis> zeroed = {whole}, copied = ordered(loops.along);
  zeroed.insert(zeroed.end(), inner.begin(), inner.end());
  copied.insert(copied.end(), inner.begin(), inner.end());
  std::int64_t work = 1;
  for (const Axis& axis : zeroed) work *= axis.extent;
  kernel::Block body = parallel_nest(writer, outer, {.work = work, .vector = false}, [&] {
    kernel::Block block = serial_nest(writer, zeroed, true, [&] {
      kernel::Block zero;
      zero.push_back(writer.store(zeros.tensor, zeros.index, zeros.value));
      return zero;
    });
    for (kernel::Statement& s :
         serial_nest(writer, copied, true, [&] { return write_block(writer, c); }))
      block.push_back(std::move(s));
    return block;
  });
  add_draft(program, group, writer, std::move(body), c, false);
}

// Two neighbours of the paired axis as one element, and where there are two parts, what rounding
// left of them as another.
void store_pairs(const ProgramDraft& program, Emitter& emitter, Computation& c, NodeId operand,
                 const CopyLayout& layout, std::uint32_t tensor) {
  const auto axis = static_cast<std::size_t>(layout.pair_axis);
  const std::int64_t extent = program.graph[operand].type.shape[axis];
  std::vector<ExprId> halves;
  for (std::int64_t half = 0; half < 2; ++half) {
    std::vector<IndexId> at = c.domain.at;
    at[axis] = c.space.add(c.space.scale(at[axis], 2), half);
    const ExprId held = c.expressions.inside(c.space, at[axis], extent, {});
    ExprId value = emitter.emit(operand, at, held);
    if (held)
      value = c.expressions.apply(Op::select, DType::f32,
                                  {held, value, c.expressions.constant(0, DType::f32)});
    halves.push_back(value);
  }
  for (std::int64_t part = 0; part < layout.parts; ++part) {
    std::vector<IndexId> at = c.domain.at;
    if (layout.parts > 1) at.push_back(c.space.constant(part));
    const ExprId pair = c.expressions.add(
        {.kind = ExprKind::pair, .dtype = DType::u32, .integer = part, .operands = halves});
    c.stores.push_back({tensor, emitter.offset(program.tensors[tensor], at), pair});
  }
}

// Memory for the copy of an operand of that shape.
std::uint32_t new_copy(ProgramDraft& program, NodeId operand, Shape shape,
                       const CopyLayout& layout) {
  const DType dtype = layout.pair_axis >= 0 ? DType::u32 : program.graph[operand].type.dtype;
  if (layout.parts > 1) shape.push_back(layout.parts);
  const std::uint32_t number = new_tensor(
      program, operand, dtype, with_border(std::move(shape), layout.border), layout.order);
  Tensor& tensor = program.tensors[number];
  if (layout.panel > 0) cut_into_panels(tensor, layout.order, layout.panel);
  if (layout.longer > 0)
    tensor.elements += layout.longer * tensor.strides[static_cast<std::size_t>(layout.longer_axis)];
  return number;
}

}  // namespace

std::uint32_t lower_copy(ProgramDraft& program, NodeId operand, const CopyLayout& layout,
                         const Group& reader) {
  const auto [known, inserted] =
      program.copies.try_emplace({operand, layout, reader.guards}, no_tensor);
  if (!inserted) return known->second;
  const bool pairs = layout.pair_axis >= 0;
  Shape shape = program.graph[operand].type.shape;
  if (pairs) shape[static_cast<std::size_t>(layout.pair_axis)] = layout.pairs;
  const std::uint32_t tensor = new_copy(program, operand, shape, layout);
  known->second = tensor;
  const Group group{GroupKind::elementwise, {operand}, reader.guards, -1};
  // Panels of rows are filled up, so that the loops are over panels and within one. Those of lanes
  // leave a rest: lanes under a mask would be slower.
  const std::int64_t panel = pairs || layout.panel == panel_lanes ? 0 : layout.panel;
  if (panel > 0) {
    std::int64_t& extent = shape[static_cast<std::size_t>(layout.order.back())];
    extent = (extent + panel - 1) / panel * panel;
  }
  const auto held = [&](Computation& c) {
    if (panel == 0) return ExprId{};
    const auto axis = static_cast<std::size_t>(layout.order.back());
    return c.expressions.inside(c.space, c.domain.at[axis], program.graph[operand].type.shape[axis],
                                {});
  };
  Domain domain(shape);
  for (int attempts = max_refinements;;) {
    Computation c;
    c.domain = add_variables(c.space, domain);
    Emitter emitter(program, c.space, c.expressions);
    ExprId value;
    if (pairs)
      store_pairs(program, emitter, c, operand, layout, tensor);
    else
      value = emitter.emit(operand, c.domain.at, held(c));
    if (!pairs && !layout.border)
      c.stores.push_back({tensor, emitter.offset(program.tensors[tensor], c.domain.at), value});
    if (--attempts > 0 && domain.refine(c.space, c.domain.variables)) continue;
    if (layout.border)
      write_with_border(program, group, c, tensor, value, layout);
    else
      write_stores(program, group, c);
    return tensor;
  }
}

}  // namespace ganc::planning
