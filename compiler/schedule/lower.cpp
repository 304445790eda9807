#include "compiler/schedule/lower.h"

#include <algorithm>
#include <map>

#include "compiler/schedule/fuse.h"

namespace ganc::planning {

std::uint32_t new_tensor(ProgramDraft& program, NodeId like, DType dtype, Shape shape,
                         const AxisOrder& order) {
  Tensor tensor;
  tensor.node = like;
  tensor.dtype = dtype;
  tensor.strides = strides_of(shape, order, dtype);
  tensor.elements = reach_of(shape, tensor.strides);
  tensor.shape = std::move(shape);
  program.tensors.push_back(std::move(tensor));
  return static_cast<std::uint32_t>(program.tensors.size() - 1);
}

std::uint32_t tensor_for(ProgramDraft& program, NodeId root) {
  std::uint32_t& tensor = program.tensor_of[root.index];
  if (tensor == no_tensor) {
    const Type& type = program.graph[root].type;
    tensor = new_tensor(program, root, type.dtype, type.shape, program.layouts[root.index]);
  }
  return tensor;
}

namespace {

// Reads of a buffer that all are at the element of one store, and for no store after it: the two
// may be one.
void find_in_place(const ProgramDraft& program, const Computation& c,
                   const std::vector<std::uint32_t>& buffers, Draft& draft) {
  UsedIndices all(c.space, c.expressions);
  for (const StoreExpr& store : c.stores) all.add(store.value);
  std::map<std::uint32_t, std::vector<ExprId>> loads;
  for (ExprId id : all.expressions())
    if (c.expressions[id].kind == ExprKind::load) loads[c.expressions[id].tensor].push_back(id);
  const auto buffer = [&](std::uint32_t tensor) {
    return static_cast<std::uint32_t>(std::ranges::find(buffers, tensor) - buffers.begin());
  };
  // The stores are made in reverse (a root's operands are read by it, too), so later ones are those
  // before.
  UsedIndices later(c.space, c.expressions);
  for (const StoreExpr& store : c.stores) {
    const Tensor& written = program.tensors[store.tensor];
    for (const auto& [tensor, reads] : loads) {
      const Tensor& read = program.tensors[tensor];
      if (tensor == store.tensor || read.dtype != written.dtype ||
          read.elements != written.elements || read.strides != written.strides)
        continue;
      const bool safe = std::ranges::all_of(reads, [&](ExprId id) {
        return c.expressions[id].index == store.index &&
               std::ranges::find(later.expressions(), id) == later.expressions().end();
      });
      if (safe) draft.in_place.emplace_back(buffer(tensor), buffer(store.tensor));
    }
    later.add(store.value);
  }
}

}  // namespace

kernel::Block write_block(KernelWriter& writer, const Computation& c) {
  kernel::Block block;
  for (std::size_t i = c.stores.size(); i-- > 0;)
    block.push_back(writer.store(c.stores[i].tensor, c.stores[i].index, c.stores[i].value));
  return block;
}

void add_draft(ProgramDraft& program, const Group& group, KernelWriter& writer, kernel::Block body,
               const Computation& computation, bool in_place) {
  Draft draft;
  auto [kernel, buffers] = writer.finish(std::move(body));
  draft.guards = program.guard_sets[group.guards];
  draft.draw = group.draw;
  NodeId shown = group.roots[0];
  while (program.graph[shown].op == Op::stop) shown = program.graph[shown].operands[0];
  const Node& root = program.graph[shown];
  draft.op = root.op;
  draft.origin = root.origin;
  draft.computed = computed_by(program, group);
  if (in_place) find_in_place(program, computation, buffers, draft);
  draft.kernel = std::move(kernel);
  draft.buffers = std::move(buffers);
  program.drafts.push_back(std::move(draft));
}

}  // namespace ganc::planning
