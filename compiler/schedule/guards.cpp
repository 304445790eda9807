#include "compiler/schedule/guards.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace ganc::planning {
namespace {

// Sets of predicates by number; 0 is the empty one.
class GuardSets {
 public:
  explicit GuardSets(std::vector<std::vector<NodeId>>& sets) : sets_(sets) {
    sets_.clear();
    number({});
  }

  std::uint32_t number(std::vector<NodeId> set) {
    const auto [it, inserted] = numbers_.try_emplace(set, static_cast<std::uint32_t>(sets_.size()));
    if (inserted) sets_.push_back(std::move(set));
    return it->second;
  }
  std::uint32_t with(std::uint32_t set, NodeId predicate) {
    std::vector<NodeId> result = sets_[set];
    const auto at = std::ranges::lower_bound(result, predicate);
    if (at == result.end() || *at != predicate) result.insert(at, predicate);
    return number(std::move(result));
  }
  std::uint32_t common(std::uint32_t a, std::uint32_t b) {
    if (a == b) return a;
    if (a == 0 || b == 0) return 0;
    std::vector<NodeId> result;
    std::ranges::set_intersection(sets_[a], sets_[b], std::back_inserter(result));
    return number(std::move(result));
  }

 private:
  std::vector<std::vector<NodeId>>& sets_;
  std::map<std::vector<NodeId>, std::uint32_t> numbers_;
};

}  // namespace

void find_guards(ProgramDraft& program, const std::vector<std::vector<NodeId>>& of_targets,
                 bool guard) {
  constexpr std::uint32_t unused = UINT32_MAX;
  GuardSets sets(program.guard_sets);
  const Graph& graph = program.graph;
  std::vector<std::uint32_t> guards(graph.nodes.size(), unused);
  const auto use = [&](NodeId node, std::uint32_t set) {
    std::uint32_t& known = guards[node.index];
    known = known == unused ? set : sets.common(known, set);
  };
  for (std::size_t i = 0; i < program.targets.size(); ++i)
    use(program.targets[i].node, sets.number(of_targets[i]));
  // A guard is read where what it guards is not: it has the other guards of each set that it is in.
  const auto use_guards = [&](std::uint32_t set) {
    const std::vector<NodeId> predicates = program.guard_sets[set];
    for (NodeId predicate : predicates) {
      std::vector<NodeId> others = predicates;
      // Predicates that are later in the graph may depend on it, so they cannot guard it.
      std::erase_if(others, [&](NodeId other) { return other >= predicate; });
      use(predicate, sets.number(std::move(others)));
    }
  };
  for (const auto& target : of_targets) use_guards(sets.number(target));
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (guards[i] == unused) continue;
    const Node& node = graph.nodes[i];
    const bool decides = guard && node.op == Op::select &&
                         graph[node.operands[0]].type.shape.empty() &&
                         graph[node.operands[0]].op != Op::constant;
    if (!decides) {
      for (NodeId operand : node.operands) use(operand, guards[i]);
      continue;
    }
    const NodeId predicate = node.operands[0];
    const std::uint32_t yes = sets.with(guards[i], predicate);
    const std::uint32_t no = sets.with(guards[i], {predicate.index + 1});
    use(predicate, guards[i]);
    use_guards(yes);
    use_guards(no);
    use(node.operands[1], yes);
    use(node.operands[2], no);
  }
  for (std::uint32_t& set : guards)
    if (set == unused) set = 0;
  program.guards = std::move(guards);
}

}  // namespace ganc::planning
