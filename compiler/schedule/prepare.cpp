#include "compiler/schedule/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "compiler/schedule/guards.h"

namespace ganc::planning {
namespace {

constexpr std::string_view variable_prefix = "variable/";

std::vector<bool> reachable(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size());
  for (const Output& output : graph.outputs) needed[output.node.index] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;)
    if (needed[i])
      for (NodeId operand : graph.nodes[i].operands) needed[operand.index] = true;
  return needed;
}

class Preparer {
 public:
  Preparer(const Graph& graph, std::span<const Variable> variables, bool guard)
      : old_(graph), guard_(guard) {
    for (std::size_t i = 0; i < variables.size(); ++i)
      variables_[variables[i].name] = static_cast<std::int32_t>(i);
  }

  ProgramDraft run() {
    copy_nodes();
    for (const Output& output : old_.outputs) add_target(output);
    const std::size_t count = program_.graph.nodes.size();
    program_.root.assign(count, false);
    program_.stored.assign(count, false);
    program_.tensor_of.assign(count, no_tensor);
    find_guards(program_, target_guards_, guard_);
    return std::move(program_);
  }

 private:
  NodeId append(Node node) {
    program_.graph.nodes.push_back(std::move(node));
    return {static_cast<std::uint32_t>(program_.graph.nodes.size() - 1)};
  }

  void copy_nodes() {
    program_.graph.name = old_.name;
    program_.graph.origins = old_.origins;
    const std::vector<bool> needed = reachable(old_);
    std::vector<bool> decides(old_.nodes.size());  // the predicate of a select, for the whole of it
    if (guard_)
      for (std::size_t i = 0; i < old_.nodes.size(); ++i)
        if (const Node& node = old_.nodes[i]; needed[i] && node.op == Op::select) {
          const NodeId predicate = node.operands[0];
          if (old_[predicate].type.shape.empty() && old_[predicate].op != Op::constant)
            decides[predicate.index] = true;
        }
    renumbered_.assign(old_.nodes.size(), {});
    for (std::size_t i = 0; i < old_.nodes.size(); ++i) {
      if (!needed[i]) continue;
      Node node = old_.nodes[i];
      for (NodeId& operand : node.operands) operand = renumbered_[operand.index];
      const std::uint32_t origin = node.origin;
      renumbered_[i] = append(std::move(node));
      if (!decides[i]) continue;
      Node negation{.op = Op::logical_not, .type = {DType::pred, {}}, .operands = {renumbered_[i]}};
      negation.origin = origin;
      append(std::move(negation));
    }
  }

  bool is_input(NodeId id, std::string_view name) const {
    const Node& node = program_.graph[id];
    return node.op == Op::input && node.attributes.name == name;
  }

  void add_target(const Output& output) {
    NodeId node = renumbered_[output.node.index];
    if (!output.name.starts_with(variable_prefix)) {
      std::vector<NodeId> guards;
      if (guard_) std::tie(node, guards) = asked_for(node);
      // A variable's old value may be overwritten before anybody looks.
      const Node& result = program_.graph[node];
      if (result.op == Op::constant ||
          (result.op == Op::input && result.attributes.name.starts_with(variable_prefix)))
        node = identity(node);
      program_.targets.push_back({output.name, node, -1});
      target_guards_.push_back(std::move(guards));
      return;
    }
    const auto variable =
        variables_.find(std::string_view(output.name).substr(variable_prefix.size()));
    if (variable == variables_.end()) broken("no variable for the output " + output.name);
    std::vector<NodeId> guards;
    while (guard_) {  // select(p, new, old) and select(p, old, new), nested
      const Node& select = program_.graph[node];
      if (select.op != Op::select) break;
      const NodeId predicate = select.operands[0];
      const Node& p = program_.graph[predicate];
      if (!p.type.shape.empty() || p.op == Op::constant) break;
      if (is_input(select.operands[2], output.name)) {
        guards.push_back(predicate);
        node = select.operands[1];
      } else if (is_input(select.operands[1], output.name)) {
        guards.push_back(negation_of(predicate));
        node = select.operands[2];
      } else {
        break;
      }
    }
    if (is_input(node, output.name)) return;  // stays as it is
    const Op op = program_.graph[node].op;
    if (op == Op::input || op == Op::constant || !guards.empty() || !taken_.insert(node).second)
      node = identity(node);
    program_.targets.push_back({output.name, node, variable->second});
    std::ranges::sort(guards);
    target_guards_.push_back(std::move(guards));
  }

  // A result that is chosen by the input `gradients` is stored only where that holds, and where the
  // conditions around it do. These predicates; none: not such a result.
  std::pair<NodeId, std::vector<NodeId>> asked_for(NodeId node) {
    std::vector<NodeId> guards;
    for (NodeId inside = node; const auto predicate = condition_of(inside);) {
      guards.push_back(*predicate);
      inside = program_.graph[inside].operands[1];
      if (!is_input(*predicate, "gradients")) continue;
      const NodeId result = identity(inside);
      program_.asked_for[result] = *predicate;
      std::ranges::sort(guards);
      return {result, std::move(guards)};
    }
    return {node, {}};
  }
  // Of select(predicate [], x, 0) the predicate.
  std::optional<NodeId> condition_of(NodeId node) const {
    const Node& select = program_.graph[node];
    if (select.op != Op::select) return std::nullopt;
    const Node &predicate = program_.graph[select.operands[0]],
               &otherwise = program_.graph[select.operands[2]];
    if (!predicate.type.shape.empty() || predicate.op == Op::constant ||
        otherwise.op != Op::constant || otherwise.attributes.values != std::vector<double>{0})
      return std::nullopt;
    return select.operands[0];
  }

  static NodeId negation_of(NodeId predicate) { return {predicate.index + 1}; }

  NodeId identity(NodeId x) {
    Node node{.op = Op::stop, .type = program_.graph[x].type, .operands = {x}};
    node.origin = program_.graph[x].origin;
    return append(std::move(node));
  }

  const Graph& old_;
  const bool guard_;
  ProgramDraft program_;
  std::map<std::string, std::int32_t, std::less<>> variables_;
  std::vector<NodeId> renumbered_;
  std::vector<std::vector<NodeId>> target_guards_;
  std::set<NodeId> taken_;
};

}  // namespace

ProgramDraft prepare(const Graph& graph, std::span<const Variable> variables, bool guard) {
  return Preparer(graph, variables, guard).run();
}

}  // namespace ganc::planning
