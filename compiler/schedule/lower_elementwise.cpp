#include <algorithm>

#include "compiler/schedule/lower.h"

namespace ganc::planning {
namespace {

// The stored roots of the group at the elements of the domain; returns whether the domain suits.
std::unique_ptr<Computation> compute(ProgramDraft& program, const std::vector<NodeId>& roots,
                                     Domain& domain, int& attempts) {
  auto c = std::make_unique<Computation>();
  c->domain = add_variables(c->space, domain);
  Emitter emitter(program, c->space, c->expressions);
  for (NodeId root : roots) {
    const ExprId value = emitter.emit_definition(root, c->domain.at);
    emitter.give(root, c->domain.at, value);
    if (!program.stored[root.index]) continue;
    const std::uint32_t tensor = tensor_for(program, root);
    c->stores.push_back({tensor, emitter.offset(program.tensors[tensor], c->domain.at), value});
  }
  if (--attempts > 0 && domain.refine(c->space, c->domain.variables)) return nullptr;
  return c;
}

}  // namespace

void write_stores(ProgramDraft& program, const Group& group, const Computation& c) {
  UsedIndices used(c.space, c.expressions);
  std::vector<Axis> axes;
  for (const auto& variables : c.domain.variables)
    for (std::uint32_t v : variables) axes.push_back({v, c.space.extent(v)});
  std::int64_t elements = 1;
  for (const Axis& axis : axes) elements *= axis.extent;
  if (elements == 0 || c.stores.empty()) return;
  for (const StoreExpr& store : c.stores) {
    used.add(store.index);
    used.add(store.value);
  }
  KernelWriter writer(c.space, c.expressions, program.tensors);
  const std::vector<Axis> loops =
      ordered_axes(writer, c.space, std::move(axes), c.stores[0].index, used.indices());
  const auto work = static_cast<std::int64_t>(1 + c.expressions.size() / 8);
  kernel::Block body =
      parallel_nest(writer, loops, {.work = work}, [&] { return write_block(writer, c); });
  add_draft(program, group, writer, std::move(body), c, true);
}

void lower_elementwise(ProgramDraft& program, const Group& group) {
  if (element_count(program.graph[group.roots[0]].type.shape) == 0) return;
  Domain domain(program.graph[group.roots[0]].type.shape);
  int attempts = max_refinements;
  std::unique_ptr<Computation> c;
  while (!c) c = compute(program, group.roots, domain, attempts);
  write_stores(program, group, *c);
}

namespace {

void cut_into_panels(Tensor& tensor, const AxisOrder& order) {
  const auto axis = static_cast<std::size_t>(order.back());
  const std::int64_t extent = tensor.shape[axis], panels = (extent + panel_lanes - 1) / panel_lanes;
  Shape one_panel = tensor.shape;
  one_panel[axis] = panel_lanes;
  tensor.strides = strides_of(one_panel, order, tensor.dtype);
  tensor.panel = panel_lanes;
  tensor.panel_axis = axis;
  const std::int64_t reach = reach_of(one_panel, tensor.strides);
  tensor.panel_stride = (reach + panel_lanes - 1) / panel_lanes * panel_lanes;
  tensor.elements = panels * tensor.panel_stride;
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

}  // namespace

std::uint32_t lower_copy(ProgramDraft& program, NodeId operand, const CopyLayout& layout,
                         const Group& reader) {
  const auto [known, inserted] =
      program.copies.try_emplace({operand, layout, reader.guards}, no_tensor);
  if (!inserted) return known->second;
  const Type& type = program.graph[operand].type;
  const bool pairs = layout.pair_axis >= 0;
  Shape shape = type.shape;
  if (pairs) shape[static_cast<std::size_t>(layout.pair_axis)] = layout.pairs;
  Domain domain(shape);
  if (layout.parts > 1) shape.push_back(layout.parts);
  const std::uint32_t tensor =
      new_tensor(program, operand, pairs ? DType::u32 : type.dtype, shape, layout.order);
  if (layout.panels) cut_into_panels(program.tensors[tensor], layout.order);
  if (layout.longer > 0)
    program.tensors[tensor].elements +=
        layout.longer *
        program.tensors[tensor].strides[static_cast<std::size_t>(layout.longer_axis)];
  known->second = tensor;
  for (int attempts = max_refinements;;) {
    Computation c;
    c.domain = add_variables(c.space, domain);
    Emitter emitter(program, c.space, c.expressions);
    if (pairs)
      store_pairs(program, emitter, c, operand, layout, tensor);
    else
      c.stores.push_back({tensor, emitter.offset(program.tensors[tensor], c.domain.at),
                          emitter.emit(operand, c.domain.at)});
    if (--attempts > 0 && domain.refine(c.space, c.domain.variables)) continue;
    Group group{GroupKind::elementwise, {operand}, reader.guards, -1};
    write_stores(program, group, c);
    return tensor;
  }
}

void lower_constant(ProgramDraft& program, const Group& group) {
  const NodeId root = group.roots[0];
  const Node& node = program.graph[root];
  const std::uint32_t tensor = tensor_for(program, root);
  const Tensor& t = program.tensors[tensor];
  Computation c;
  KernelWriter writer(c.space, c.expressions, program.tensors);
  kernel::Block body;
  for (std::int64_t i = 0; i < element_count(t.shape); ++i) {
    std::int64_t at = 0, rest = i;
    for (std::size_t axis = t.shape.size(); axis-- > 0; rest /= t.shape[axis])
      at += rest % t.shape[axis] * t.strides[axis];
    const double value =
        node.attributes
            .values[node.attributes.values.size() == 1 ? 0 : static_cast<std::size_t>(i)];
    body.push_back(
        writer.store(tensor, c.space.constant(at), c.expressions.constant(value, t.dtype)));
  }
  if (!body.empty()) add_draft(program, group, writer, std::move(body), c, false);
}

}  // namespace ganc::planning
