#include "compiler/schedule/lower.h"

#include <algorithm>
#include <map>
#include <utility>

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

kernel::Accumulator::Combine combine_of(const ProgramDraft& program, NodeId reduction) {
  return program.graph[reduction].op == Op::reduce_max ? kernel::Accumulator::Combine::maximum
                                                       : kernel::Accumulator::Combine::sum;
}

void add_store(ProgramDraft& program, Computation& c, NodeId root, const std::vector<IndexId>& at,
               ExprId value) {
  if (!program.stored[root.index]) return;
  const std::uint32_t tensor = tensor_for(program, root);
  StoreExpr store{tensor,
                  Emitter(program, c.space, c.expressions).offset(program.tensors[tensor], at),
                  value,
                  {}};
  if (const auto asked = program.asked_for.find(root); asked != program.asked_for.end())
    store.predicate = c.expressions.add({.kind = ExprKind::load,
                                         .dtype = DType::pred,
                                         .tensor = program.tensor_of[asked->second.index],
                                         .index = c.space.constant(0)});
  c.stores.push_back(store);
}

namespace {

// Reads of a buffer that all are at the element of one store, and for no store after it: the two
// may be one.
void find_in_place(const ProgramDraft& program, const Computation& c,
                   const std::vector<std::uint32_t>& buffers, Draft& draft) {
  UsedIndices all(c.space, c.expressions);
  for (const StoreExpr& store : c.stores) all.add(store.value), all.add(store.predicate);
  for (const SumExpr& sum : c.sums) all.add(sum.value);
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
    later.add(store.predicate);
  }
}

// Writes the accumulators of the sums around what a unit does, and behind it the stores of what it
// made of them, where it is the only one those of the results. Returns where they are stored.
std::vector<std::uint32_t> write_sums(ProgramDraft& program, KernelWriter& writer,
                                      kernel::Block& body, const Computation& c) {
  std::vector<std::uint32_t> tensors;
  if (c.sums.empty()) return tensors;
  auto* loop = std::get_if<kernel::Loop>(&body[0].node);
  if (loop != nullptr && loop->kind != kernel::LoopKind::parallel) loop = nullptr;
  kernel::Block& unit = loop != nullptr ? loop->body : body;
  const kernel::ValueId at = loop != nullptr ? writer.variable(loop->variable) : writer.constant(0);
  for (std::size_t i = 0; i < c.sums.size(); ++i) {
    const DType dtype = program.graph[c.sums[i].root].type.dtype;
    kernel::Accumulator accumulator{writer.accumulator_of(i), combine_of(program, c.sums[i].root),
                                    dtype, std::exchange(unit, {})};
    unit.push_back({std::move(accumulator)});
  }
  for (std::size_t i = 0; i < c.sums.size(); ++i) {
    const NodeId root = c.sums[i].root;
    const DType dtype = program.graph[root].type.dtype;
    tensors.push_back(writer.units() > 1 ? new_tensor(program, root, dtype, {writer.units()}, {0})
                                         : tensor_for(program, root));
    kernel::Store store{};
    store.buffer = writer.buffer(tensors.back(), false, true);
    store.index = at;
    store.value = writer.value({.kind = kernel::ValueKind::accumulator,
                                .dtype = dtype,
                                .accumulator = writer.accumulator_of(i)});
    unit.push_back({store});
  }
  return tensors;
}

// The call that makes a sum of what the units made.
void combine_units(ProgramDraft& program, const Group& group, const SumExpr& sum,
                   std::uint32_t tensor) {
  const DType dtype = program.graph[sum.root].type.dtype;
  const std::int64_t units = program.tensors[tensor].elements;
  Computation c;
  const Axis unit{c.space.add_variable(units), units};
  const ExprId one = c.expressions.add({.kind = ExprKind::load,
                                        .dtype = dtype,
                                        .tensor = tensor,
                                        .index = c.space.variable(unit.variable)});
  KernelWriter writer(c.space, c.expressions, program.tensors);
  const std::uint32_t id = writer.new_accumulator();
  const auto add = [&] {
    kernel::Block block;
    block.push_back({kernel::Accumulate{id, writer.expression(one)}});
    return block;
  };
  kernel::Accumulator accumulator{
      id, combine_of(program, sum.root), dtype,
      loop(writer, kernel::LoopKind::vector, unit, writer.constant(units), {}, add)};
  kernel::Block body;
  body.push_back({std::move(accumulator)});
  const ExprId result =
      c.expressions.add({.kind = ExprKind::accumulator, .dtype = dtype, .integer = id});
  body.push_back(writer.store(tensor_for(program, sum.root), c.space.constant(0), result));
  add_draft(program, {GroupKind::reduction, {sum.root}, group.guards, -1}, writer, std::move(body),
            c, false)
      .computed = {sum.root};
}

}  // namespace

UsedIndices indices_of_results(const Computation& c) {
  UsedIndices used(c.space, c.expressions);
  for (const StoreExpr& store : c.stores) {
    used.add(store.index);
    used.add(store.value);
    used.add(store.predicate);
  }
  for (const SumExpr& sum : c.sums) used.add(sum.value);
  return used;
}

kernel::Block write_block(KernelWriter& writer, const Computation& c) {
  kernel::Block block;
  for (std::size_t i = 0; i < c.sums.size(); ++i)
    block.push_back(
        {kernel::Accumulate{writer.accumulator_of(i), writer.expression(c.sums[i].value)}});
  for (std::size_t i = c.stores.size(); i-- > 0;) {
    const StoreExpr& store = c.stores[i];
    block.push_back(writer.store(store.tensor, store.index, store.value, store.predicate));
  }
  return block;
}

Draft& add_draft(ProgramDraft& program, const Group& group, KernelWriter& writer,
                 kernel::Block body, const Computation& computation, bool in_place) {
  const std::vector<std::uint32_t> made = write_sums(program, writer, body, computation);
  const bool combined = writer.units() == 1;
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
  const std::size_t number = program.drafts.size();
  program.drafts.push_back(std::move(draft));
  for (std::size_t i = 0; i < made.size() && !combined; ++i)
    combine_units(program, group, computation.sums[i], made[i]);
  return program.drafts[number];
}

}  // namespace ganc::planning
