#include <algorithm>
#include <span>

#include "compiler/schedule/lower.h"

namespace ganc::planning {
namespace {

using kernel::Block;

// What is added where: stores[0]. The updates have axes [B.., A.., I.., R..]; those of I are chosen
// by the indices, the others are independent: no two of their positions meet in the result.
struct Additions {
  Computation c;
  std::size_t before = 0, chosen = 0;  // |B| + |A|, |I|
  IndexId cleared;                     // the result at `position` of the axis that is chosen
  std::uint32_t position = 0;
};

std::unique_ptr<Additions> compute(ProgramDraft& program, NodeId root, Domain& domain,
                                   int& attempts) {
  const Node& node = program.graph[root];
  auto result = std::make_unique<Additions>();
  Computation& c = result->c;
  const std::size_t indices_rank = program.graph[node.operands[1]].type.shape.size();
  const auto batch = static_cast<std::size_t>(node.attributes.batch);
  result->before = static_cast<std::size_t>(node.attributes.axes[0]);
  result->chosen = indices_rank - batch;
  c.domain = add_variables(c.space, domain);
  const auto& at = c.domain.at;
  const auto part = [&](std::size_t from, std::size_t to) {
    return std::vector<IndexId>(at.begin() + static_cast<std::ptrdiff_t>(from),
                                at.begin() + static_cast<std::ptrdiff_t>(to));
  };
  Emitter emitter(program, c.space, c.expressions);
  std::vector<IndexId> where = part(0, batch);
  const auto chosen = part(result->before, result->before + result->chosen);
  where.insert(where.end(), chosen.begin(), chosen.end());
  const ExprId index = emitter.emit(node.operands[1], where);
  const std::uint32_t tensor = tensor_for(program, root);
  const auto place = [&](IndexId chosen_position) {
    std::vector<IndexId> to = part(0, result->before);
    to.push_back(chosen_position);
    const auto after = part(result->before + result->chosen, at.size());
    to.insert(to.end(), after.begin(), after.end());
    return emitter.offset(program.tensors[tensor], to);
  };
  const ExprId value = emitter.emit(node.operands[0], at);
  c.stores.push_back({tensor, place(c.space.data(index.index, node.attributes.size)), value});
  result->position = c.space.add_variable(node.attributes.size);
  result->cleared = place(c.space.variable(result->position));
  if (--attempts > 0 && domain.refine(c.space, c.domain.variables)) return nullptr;
  return result;
}

// All of the result.
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

std::int64_t product(std::span<const Axis> axes) {
  std::int64_t n = 1;
  for (const Axis& axis : axes) n *= axis.extent;
  return n;
}

}  // namespace

// Units share the independent axes but the one that is contiguous in the result. Each sets its part
// of the result to 0 and adds the updates in the order of the chosen axes.
void lower_scatter(ProgramDraft& program, const Group& group) {
  const NodeId root = group.roots[0];
  const Shape& updates = program.graph[program.graph[root].operands[0]].type.shape;
  const std::uint32_t tensor = tensor_for(program, root);
  if (program.tensors[tensor].elements == 0) return;
  if (element_count(updates) == 0) {
    Computation nothing;
    KernelWriter writer(nothing.space, nothing.expressions, program.tensors);
    kernel::Block body = zeros(writer, program, tensor);
    add_draft(program, group, writer, std::move(body), nothing, false);
    return;
  }
  Domain domain(updates);
  std::unique_ptr<Additions> additions;
  for (int attempts = max_refinements; !additions;)
    additions = compute(program, root, domain, attempts);
  Computation& c = additions->c;
  KernelWriter writer(c.space, c.expressions, program.tensors);
  std::vector<Axis> shared, chosen, inner;
  for (std::size_t axis = 0; axis < c.domain.variables.size(); ++axis) {
    const bool is_chosen =
        axis >= additions->before && axis < additions->before + additions->chosen;
    for (std::uint32_t v : c.domain.variables[axis]) {
      if (c.space.extent(v) == 1)
        writer.bind(v, {});
      else if (is_chosen)
        chosen.push_back({v, c.space.extent(v)});
      else if (c.space.coefficient(additions->cleared, v) == 1)
        inner.push_back({v, c.space.extent(v)});
      else
        shared.push_back({v, c.space.extent(v)});
    }
  }
  std::ranges::stable_sort(shared, {}, [&](const Axis& axis) {
    return -c.space.coefficient(additions->cleared, axis.variable);
  });
  const auto nest = [&](std::span<const Axis> outer, const std::function<Block()>& body) {
    return serial_nest(writer, outer, false,
                       [&] { return serial_nest(writer, inner, false, body); });
  };
  const ExprId zero = c.expressions.constant(0, program.tensors[tensor].dtype);
  const Axis position[] = {{additions->position, c.space.extent(additions->position)}};
  const std::int64_t work = (product(chosen) + position[0].extent) * product(inner);
  Block body = parallel_nest(writer, shared, {.work = work, .vector = false}, [&] {
    Block block = nest(position, [&] {
      Block cleared;
      cleared.push_back(writer.store(tensor, additions->cleared, zero));
      return cleared;
    });
    Block adds = nest(chosen, [&] {
      kernel::Statement statement = writer.store(tensor, c.stores[0].index, c.stores[0].value);
      std::get<kernel::Store>(statement.node).add = true;
      Block added;
      added.push_back(std::move(statement));
      return added;
    });
    for (kernel::Statement& s : adds) block.push_back(std::move(s));
    return block;
  });
  add_draft(program, group, writer, std::move(body), c, false);
}

}  // namespace ganc::planning
