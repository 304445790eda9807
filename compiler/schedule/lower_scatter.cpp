#include <algorithm>

#include "compiler/schedule/lower.h"

namespace ganc::planning {
namespace {

using kernel::Block;

// The loops over everything that is added, in the order of the updates; returns whether the domain
// suits.
struct Additions {
  Computation c;
  std::size_t batch = 0, before = 0, chosen = 0;  // |B|, |B| + |A|, |I|
};

std::unique_ptr<Additions> compute(ProgramDraft& program, NodeId root, Domain& domain,
                                   int& attempts) {
  const Node& node = program.graph[root];
  auto result = std::make_unique<Additions>();
  Computation& c = result->c;
  const std::size_t indices_rank = program.graph[node.operands[1]].type.shape.size();
  result->batch = static_cast<std::size_t>(node.attributes.batch);
  result->before = static_cast<std::size_t>(node.attributes.axes[0]);
  result->chosen = indices_rank - result->batch;
  c.domain = add_variables(c.space, domain);
  const auto& at = c.domain.at;
  const auto part = [&](std::size_t from, std::size_t to) {
    return std::vector<IndexId>(at.begin() + static_cast<std::ptrdiff_t>(from),
                                at.begin() + static_cast<std::ptrdiff_t>(to));
  };
  Emitter emitter(program, c.space, c.expressions);
  std::vector<IndexId> where = part(0, result->batch);
  const auto chosen = part(result->before, result->before + result->chosen);
  where.insert(where.end(), chosen.begin(), chosen.end());
  const ExprId index = emitter.emit(node.operands[1], where);
  std::vector<IndexId> to = part(0, result->before);
  to.push_back(c.space.data(index.index, node.attributes.size));
  const auto after = part(result->before + result->chosen, at.size());
  to.insert(to.end(), after.begin(), after.end());
  const ExprId value = emitter.emit(node.operands[0], at);
  const std::uint32_t tensor = tensor_for(program, root);
  c.stores.push_back({tensor, emitter.offset(program.tensors[tensor], to), value});
  if (--attempts > 0 && domain.refine(c.space, c.domain.variables)) return nullptr;
  return result;
}

Block zeros(KernelWriter& writer, const ProgramDraft& program, std::uint32_t tensor) {
  const Tensor& t = program.tensors[tensor];
  const kernel::VarId v = writer.new_variable();
  kernel::Store store{};
  store.buffer = writer.buffer(tensor, false, true);
  store.index = writer.variable(v);
  store.value = writer.value({.kind = kernel::ValueKind::constant, .dtype = t.dtype, .number = 0});
  Block inner, block;
  inner.push_back({store});
  block.push_back(
      {kernel::Loop{kernel::LoopKind::vector, v, writer.constant(t.elements), std::move(inner)}});
  return block;
}

}  // namespace

// One unit: the result is set to 0, then updates are added in their row-major order.
void lower_scatter(ProgramDraft& program, const Group& group) {
  const NodeId root = group.roots[0];
  const Shape& updates = program.graph[program.graph[root].operands[0]].type.shape;
  const std::uint32_t tensor = tensor_for(program, root);
  if (program.tensors[tensor].elements == 0) return;
  if (element_count(updates) == 0) {
    Computation nothing;
    KernelWriter writer(nothing.space, nothing.expressions, program.tensors);
    kernel::Block body = zeros(writer, program, tensor);
    return add_draft(program, group, writer, std::move(body), nothing, false);
  }
  Domain domain(updates);
  std::unique_ptr<Additions> additions;
  for (int attempts = max_refinements; !additions;)
    additions = compute(program, root, domain, attempts);
  const Computation& c = additions->c;
  KernelWriter writer(c.space, c.expressions, program.tensors);
  Block body = zeros(writer, program, tensor);
  std::vector<Axis> axes;
  for (const auto& variables : c.domain.variables)
    for (std::uint32_t v : variables) {
      if (c.space.extent(v) == 1)
        writer.bind(v, {});
      else
        axes.push_back({v, c.space.extent(v)});
    }
  Block adds = serial_nest(writer, axes, false, [&] {
    kernel::Statement statement = writer.store(tensor, c.stores[0].index, c.stores[0].value);
    std::get<kernel::Store>(statement.node).add = true;
    Block block;
    block.push_back(std::move(statement));
    return block;
  });
  for (kernel::Statement& s : adds) body.push_back(std::move(s));
  add_draft(program, group, writer, std::move(body), c, false);
}

}  // namespace ganc::planning
