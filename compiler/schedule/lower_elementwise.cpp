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
    add_store(program, *c, root, c->domain.at, value);
  }
  if (--attempts > 0 && domain.refine(c->space, c->domain.variables)) return nullptr;
  return c;
}

}  // namespace

void write_stores(ProgramDraft& program, const Group& group, const Computation& c) {
  std::vector<Axis> axes;
  for (const auto& variables : c.domain.variables)
    for (std::uint32_t v : variables) axes.push_back({v, c.space.extent(v)});
  std::int64_t elements = 1;
  for (const Axis& axis : axes) elements *= axis.extent;
  if (elements == 0 || c.stores.empty()) return;
  KernelWriter writer(c.space, c.expressions, program.tensors);
  const std::vector<Axis> loops = ordered_axes(writer, c.space, std::move(axes), c.stores[0].index,
                                               indices_of_results(c).indices());
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
