#include "compiler/schedule/schedule.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "compiler/ops/op.h"
#include "compiler/schedule/cost.h"
#include "compiler/schedule/fuse.h"
#include "compiler/schedule/layout.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/memory.h"
#include "compiler/schedule/order.h"
#include "compiler/schedule/prepare.h"
#include "compiler/schedule/roots.h"

namespace ganc {
namespace planning {
namespace {

using VariableNumbers = std::unordered_map<std::string, std::int32_t>;

void make_input_tensors(ProgramDraft& program, const VariableNumbers& numbers) {
  constexpr std::string_view prefix = "variable/";
  for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
    const Node& node = program.graph.nodes[i];
    if (node.op != Op::input) continue;
    Tensor& tensor = program.tensors[tensor_for(program, {static_cast<std::uint32_t>(i)})];
    const std::string& name = node.attributes.name;
    tensor.home = Tensor::Home::input;
    if (!name.starts_with(prefix)) continue;
    const auto it = numbers.find(name.substr(prefix.size()));
    if (it == numbers.end()) broken("no variable for the input " + name);
    tensor.home = Tensor::Home::variable;
    tensor.variable = it->second;
  }
}

void lower_groups(ProgramDraft& program, const ProductRules& rules) {
  for (const Group& group : program.groups) {
    // Also of what is empty, so that readers, guards and results find a tensor.
    switch (group.kind) {
      case GroupKind::constant:
        lower_constant(program, group);
        break;
      case GroupKind::elementwise:
        lower_elementwise(program, group);
        break;
      case GroupKind::reduction:
        lower_reduction(program, group);
        break;
      case GroupKind::contraction:
        lower_contraction(program, group, rules);
        break;
      case GroupKind::scatter:
        lower_scatter(program, group);
        break;
    }
    for (NodeId root : group.roots)
      if (program.stored[root.index]) tensor_for(program, root);
  }
}

Binding binding(std::string name, const Tensor& tensor, std::int64_t offset) {
  return {std::move(name),
          {tensor.dtype, tensor.shape, tensor.strides, offset,
           tensor.elements * byte_size(tensor.dtype)}};
}

std::string kernel_name(const ProgramDraft& program, const Draft& draft) {
  const std::string& path = program.graph.origins[draft.origin].path;
  const std::string_view op = definition(draft.op).name;
  return path.empty() ? std::string(op) : fmt::format("{}.{}", path, op);
}

// Kernels that compile to the same code are one.
class KernelTable {
 public:
  explicit KernelTable(std::vector<kernel::Kernel>& kernels) : kernels_(kernels) {}
  std::uint32_t number(kernel::Kernel kernel) {
    const auto [it, inserted] =
        numbers_.try_emplace(structural_key(kernel), static_cast<std::uint32_t>(kernels_.size()));
    if (inserted) kernels_.push_back(std::move(kernel));
    return it->second;
  }

 private:
  std::vector<kernel::Kernel>& kernels_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

ProgramPlan write_program(ProgramDraft& program, const MemoryPlan& memory, KernelTable& kernels) {
  ProgramPlan plan;
  plan.name = program.graph.name;
  plan.bytes = memory.bytes;
  plan.alive_bytes = memory.alive_bytes;
  for (Draft& draft : program.drafts) {
    Call call;
    for (std::uint32_t tensor : draft.buffers) call.offsets.push_back(memory.offsets[tensor]);
    for (NodeId guard : draft.guards)
      call.guards.push_back(memory.offsets[program.tensor_of[guard.index]]);
    call.draw = draft.draw;
    call.op = draft.op;
    call.origin = program.graph.origins[draft.origin];
    for (NodeId id : draft.computed) {
      const Node& node = program.graph[id];
      const Operation operation{node.op, program.graph.origins[node.origin]};
      if (std::ranges::find(call.computed, operation) == call.computed.end())
        call.computed.push_back(operation);
    }
    draft.kernel.name = kernel_name(program, draft);
    call.kernel = kernels.number(std::move(draft.kernel));
    plan.calls.push_back(std::move(call));
  }
  for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
    const Node& node = program.graph.nodes[i];
    if (node.op != Op::input) continue;
    const std::uint32_t tensor = program.tensor_of[i];
    if (program.tensors[tensor].home == Tensor::Home::input)
      plan.inputs.push_back(
          binding(node.attributes.name, program.tensors[tensor], memory.offsets[tensor]));
  }
  for (const Target& target : program.targets) {
    if (target.variable >= 0) continue;
    const std::uint32_t tensor = program.tensor_of[target.node.index];
    plan.results.push_back({binding(target.name, program.tensors[tensor], memory.offsets[tensor]),
                            memory.written_by[tensor]});
  }
  for (const Group& group : program.groups) {
    if (group.draw < 0) continue;
    const std::uint32_t tensor = program.tensor_of[group.roots[0].index];
    plan.draws.push_back(binding(program.graph[group.roots[0]].attributes.name,
                                 program.tensors[tensor], memory.offsets[tensor]));
  }
  return plan;
}

}  // namespace
}  // namespace planning

Plan schedule(std::span<const Variable> variables, std::span<const Graph* const> graphs,
              const ScheduleOptions& options) {
  using namespace planning;
  std::vector<ProgramDraft> programs;
  for (const Graph* graph : graphs) {
    programs.push_back(prepare(*graph, variables, options.fuse));
    programs.back().register_rows = options.register_rows;
  }
  // From here on every node is needed, and it is known under which conditions.

  const std::vector<AxisOrder> orders = assign_layouts(programs, variables, options.fuse);
  Plan plan;
  VariableNumbers numbers;
  std::vector<std::int64_t> offsets;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Type& type = variables[i].type;
    numbers[variables[i].name] = static_cast<std::int32_t>(i);
    offsets.push_back(plan.persistent_bytes);
    const auto strides = strides_of(type.shape, orders[i], type.dtype);
    const std::int64_t bytes = reach_of(type.shape, strides) * byte_size(type.dtype);
    plan.variables.push_back(
        {variables[i].name, {type.dtype, type.shape, strides, offsets.back(), bytes}});
    plan.persistent_bytes += aligned(std::max<std::int64_t>(bytes, 1));
  }
  plan.arena_bytes = plan.persistent_bytes;
  // From here on every tensor has a layout, and variables have their places.

  KernelTable kernels(plan.kernels);
  for (std::size_t i = 0; i < programs.size(); ++i) {
    ProgramDraft& program = programs[i];
    choose_roots(program, options.fuse);
    form_groups(program, options.fuse);
    make_input_tensors(program, numbers);
    ProductRules rules{.tiled = options.fuse, .least_gain = options.least_gain};
    if (i < options.products.size()) rules.products = options.products[i];
    lower_groups(program, rules);
    drop_unread_drafts(program);
    if (options.fuse) order_drafts(program);
    // From here on there are kernels and tensors; no graph.
    const MemoryPlan memory = plan_memory(program, offsets, plan.persistent_bytes);
    plan.arena_bytes = std::max(plan.arena_bytes, memory.bytes);
    plan.programs.push_back(write_program(program, memory, kernels));
    program = {};
  }
  count_costs(plan);
  return plan;
}

}  // namespace ganc
