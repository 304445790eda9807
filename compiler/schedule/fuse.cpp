#include "compiler/schedule/fuse.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "compiler/ops/op.h"
#include "compiler/schedule/roots.h"

namespace ganc::planning {
namespace {

bool in_memory(const ProgramDraft& program, NodeId id) {
  return program.root[id.index] || program.graph[id].op == Op::input;
}

class Walk {
 public:
  Walk(const ProgramDraft& program, const Shape& domain) : program_(program), domain_(domain) {}

  void visit(NodeId id, bool in_place) {
    const Node& node = program_.graph[id];
    in_place = in_place && node.type.shape == domain_;
    const auto [it, inserted] = seen_.try_emplace(id.index, in_place);
    if (!inserted) {
      if (in_place || !it->second) return;  // nothing new
      it->second = false;
    }
    if (in_memory(program_, id)) {
      if (inserted) order_.push_back(id);
      return;
    }
    operands(node, in_place);
  }
  void operands(const Node& node, bool in_place) {
    const bool here = in_place && is_elementwise(node.op);
    for (NodeId operand : node.operands) visit(operand, here);
  }
  std::vector<Read> result() const {
    std::vector<Read> reads;
    for (NodeId id : order_) reads.push_back({id, seen_.at(id.index)});
    return reads;
  }

 private:
  const ProgramDraft& program_;
  const Shape& domain_;
  std::unordered_map<std::uint32_t, bool> seen_;
  std::vector<NodeId> order_;
};

}  // namespace

std::vector<Read> reads_of(const ProgramDraft& program, NodeId root) {
  const Node& node = program.graph[root];
  if (is_reduction(node.op)) {
    Walk walk(program, program.graph[node.operands[0]].type.shape);
    walk.visit(node.operands[0], true);
    return walk.result();
  }
  Walk walk(program, node.type.shape);
  walk.operands(node, true);
  return walk.result();
}

std::vector<NodeId> computed_by(const ProgramDraft& program, const Group& group) {
  std::set<NodeId> met(group.roots.begin(), group.roots.end());
  std::vector<NodeId> open(group.roots);
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    for (NodeId operand : program.graph[id].operands)
      if (!in_memory(program, operand) && met.insert(operand).second) open.push_back(operand);
  }
  std::erase_if(met, [&](NodeId id) {
    const Op op = program.graph[id].op;
    return is_movement(op) || op == Op::stop || definition(op).op_class == OpClass::leaf;
  });
  return {met.begin(), met.end()};
}

namespace {

constexpr std::size_t max_roots = 8, max_scalar_roots = 48, max_reads = 20;

class Former {
 public:
  explicit Former(ProgramDraft& program)
      : program_(program), group_of_(program.graph.nodes.size(), none) {
    for (const Target& target : program.targets)
      if (target.variable >= 0) saved_[target.node.index] = true;
  }

  // Numbers that depend on no tensor first, so that what meets them can join a group that begins
  // before them in the graph: the new weights the gradient they are made from.
  void run(bool fuse) {
    std::int32_t draws = 0;
    const std::vector<bool> early = numbers_alone();
    for (const bool wanted : {true, false})
      for (std::size_t i = 0; i < program_.graph.nodes.size(); ++i)
        if (program_.root[i] && early[i] == wanted)
          add(NodeId{static_cast<std::uint32_t>(i)}, fuse, draws);
    mark_stored(fuse);
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  void add(NodeId id, bool fuse, std::int32_t& draws) {
    std::vector<Read> reads = reads_of(program_, id);
    const std::uint32_t guards = effective_guards(id);
    std::uint32_t group = none;
    if (fuse && program_.graph[id].op != Op::draw)
      if (const auto wanted = guards_to_join(id, guards)) group = find_group(id, reads, *wanted);
    if (group == none) {
      group = static_cast<std::uint32_t>(program_.groups.size());
      program_.groups.push_back({kind(id), {}, guards, -1});
      read_by_group_.emplace_back();
      if (program_.graph[id].op == Op::draw) program_.groups.back().draw = draws++;
    }
    program_.groups[group].roots.push_back(id);
    group_of_[id.index] = group;
    for (const Read& read : reads) {
      auto& known = read_by_group_[group];
      if (std::ranges::find(known, read.node) == known.end()) known.push_back(read.node);
      if (read.in_place) readers_[read.node.index].push_back(group);
    }
    all_reads_.push_back({id, std::move(reads)});
  }

  // By node: whether it is a number made of numbers and inputs alone, computed always.
  std::vector<bool> numbers_alone() const {
    std::vector<bool> alone(program_.graph.nodes.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      const Node& node = program_.graph.nodes[i];
      const bool made =
          is_elementwise(node.op) && node.op != Op::draw && program_.guards[i] == 0 &&
          std::ranges::all_of(node.operands, [&](NodeId operand) { return alone[operand.index]; });
      alone[i] =
          node.type.shape.empty() && (node.op == Op::input || node.op == Op::constant || made);
    }
    return alone;
  }

  GroupKind kind(NodeId id) const {
    const Node& node = program_.graph[id];
    if (is_contraction(node.op)) return GroupKind::contraction;
    if (is_reduction(node.op)) return GroupKind::reduction;
    if (node.op == Op::scatter_add) return GroupKind::scatter;
    if (node.op == Op::constant) return GroupKind::constant;
    return GroupKind::elementwise;
  }

  // A number that nothing is saved from is computed always: less than asking. What it reads may be
  // garbage then, as it is itself: nobody uses it.
  std::uint32_t effective_guards(NodeId id) const {
    const Node& node = program_.graph[id];
    const bool free = node.type.shape.empty() && kind(id) == GroupKind::elementwise &&
                      node.op != Op::draw && !saved_.contains(id.index);
    return free ? 0 : program_.guards[id.index];
  }

  // The guards of a group that it may join: its own, but for what its store alone asks.
  std::optional<std::uint32_t> guards_to_join(NodeId id, std::uint32_t guards) const {
    const auto asked = program_.asked_for.find(id);
    if (asked == program_.asked_for.end()) return guards;
    std::vector<NodeId> others = program_.guard_sets[guards];
    std::erase(others, asked->second);
    const auto set = std::ranges::find(program_.guard_sets, others);
    if (set == program_.guard_sets.end()) return std::nullopt;
    return static_cast<std::uint32_t>(set - program_.guard_sets.begin());
  }

  std::uint32_t find_group(NodeId id, const std::vector<Read>& reads, std::uint32_t guards) const {
    std::uint32_t last = 0;  // no group before this one has all that `id` reads
    bool any = false;
    for (const Read& read : reads) {
      const std::uint32_t group = group_of_[read.node.index];
      if (group == none) continue;
      if (!any || group > last) last = group;
      any = true;
    }
    std::uint32_t best = none;
    const auto consider = [&](std::uint32_t group) {
      if (group == none || (best != none && group <= best)) return;
      if (any && group < last) return;
      if (joins(group, id, reads, guards)) best = group;
    };
    for (const Read& read : reads) {
      consider(group_of_[read.node.index]);
      if (!read.in_place) continue;
      if (const auto it = readers_.find(read.node.index); it != readers_.end()) {
        const std::size_t many = std::min<std::size_t>(it->second.size(), 8);
        for (std::size_t i = 0; i < many; ++i) consider(it->second[it->second.size() - 1 - i]);
      }
    }
    if (best == none && program_.graph[id].type.shape.empty() &&
        kind(id) == GroupKind::elementwise) {
      if (const auto it = scalars_.find(guards); it != scalars_.end()) consider(it->second);
      if (best == none) scalars_[guards] = static_cast<std::uint32_t>(program_.groups.size());
    }
    return best;
  }

  bool joins(std::uint32_t index, NodeId id, const std::vector<Read>& reads,
             std::uint32_t guards) const {
    const Group& group = program_.groups[index];
    if (group.guards != guards || group.draw >= 0) return false;
    const Node& node = program_.graph[id];
    const Node& first = program_.graph[group.roots[0]];
    const bool scalar = node.type.shape.empty() && group.kind == GroupKind::elementwise;
    if (group.roots.size() >= (scalar ? max_scalar_roots : max_roots)) return false;
    if (!scalar && read_by_group_[index].size() + reads.size() > max_reads) return false;
    const bool sums = sums_results(group, node);
    for (const Read& read : reads)
      if (group_of_[read.node.index] == index &&
          (!read.in_place || (is_reduction(node.op) && !sums)))
        return false;
    switch (kind(id)) {
      case GroupKind::elementwise:
        return (group.kind == GroupKind::elementwise || group.kind == GroupKind::contraction ||
                group.kind == GroupKind::reduction) &&
               node.type.shape == first.type.shape &&
               program_.layouts[id.index] == program_.layouts[group.roots[0].index];
      case GroupKind::reduction: {
        if (sums) return true;
        if (group.kind != GroupKind::reduction || !is_reduction(first.op)) return false;
        return node.attributes.axes == first.attributes.axes &&
               program_.graph[node.operands[0]].type.shape ==
                   program_.graph[first.operands[0]].type.shape &&
               program_.layouts[id.index] == program_.layouts[group.roots[0].index];
      }
      case GroupKind::constant:
      case GroupKind::contraction:
      case GroupKind::scatter:
        return false;
    }
    __builtin_unreachable();
  }

  // Whether it makes one number of all that a contraction's kernel makes, which does so itself.
  bool sums_results(const Group& group, const Node& node) const {
    if (group.kind != GroupKind::contraction || !is_reduction(node.op)) return false;
    const Shape& made = program_.graph[group.roots[0]].type.shape;
    return node.type.shape.empty() && !made.empty() && element_count(made) > 0 &&
           program_.graph[node.operands[0]].type.shape == made;
  }

  void mark_stored(bool fuse) {
    for (const auto& [id, reads] : all_reads_)
      for (const Read& read : reads)
        if (!fuse || group_of_[read.node.index] != group_of_[id.index])
          program_.stored[read.node.index] = true;
    for (const Target& target : program_.targets) program_.stored[target.node.index] = true;
    for (const Group& group : program_.groups) {
      for (NodeId guard : program_.guard_sets[group.guards]) program_.stored[guard.index] = true;
      if (group.draw >= 0) program_.stored[group.roots[0].index] = true;
    }
    for (std::size_t i = 0; i < program_.graph.nodes.size(); ++i)
      if (!program_.root[i] || program_.graph.nodes[i].op == Op::input) program_.stored[i] = false;
    store_once();
    store_what_is_summed();
    drop_unread();
  }

  // What others read from memory anyway is itself the result that is asked for.
  void store_once() {
    for (Target& target : program_.targets) {
      if (!program_.asked_for.contains(target.node)) continue;
      const NodeId made = program_.graph[target.node].operands[0];
      if (!program_.stored[made.index]) continue;
      program_.stored[target.node.index] = false;
      target.node = made;
    }
  }

  // A contraction of which sums alone are read is stored: its loops follow what is.
  void store_what_is_summed() {
    for (const Group& group : program_.groups) {
      bool sums = false, others = false;
      for (NodeId id : group.roots)
        if (program_.stored[id.index]) (kind(id) == GroupKind::reduction ? sums : others) = true;
      if (group.kind == GroupKind::contraction && sums && !others)
        program_.stored[group.roots[0].index] = true;
    }
  }

  // A root that is neither stored nor read (a guard of nothing) is not computed.
  void drop_unread() {
    std::vector<bool> wanted = program_.stored;
    for (std::size_t i = all_reads_.size(); i-- > 0;) {
      const auto& [id, reads] = all_reads_[i];
      if (!wanted[id.index]) continue;
      for (const Read& read : reads) wanted[read.node.index] = true;
    }
    for (Group& group : program_.groups)
      std::erase_if(group.roots, [&](NodeId id) { return !wanted[id.index]; });
    std::erase_if(program_.groups, [](const Group& group) { return group.roots.empty(); });
    for (Group& group : program_.groups) {
      if (group.kind == GroupKind::reduction)
        std::ranges::stable_partition(group.roots,
                                      [&](NodeId id) { return kind(id) == GroupKind::reduction; });
      group.kind = kind(group.roots[0]);
    }
  }

  ProgramDraft& program_;
  std::vector<std::uint32_t> group_of_;
  std::map<std::uint32_t, bool> saved_;  // new values of variables
  std::vector<std::vector<NodeId>> read_by_group_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> readers_;  // in place
  mutable std::map<std::uint32_t, std::uint32_t> scalars_;  // the last group of numbers, by guards
  std::vector<std::pair<NodeId, std::vector<Read>>> all_reads_;
};

}  // namespace

void form_groups(ProgramDraft& program, bool fuse) {
  Former(program).run(fuse);
}

}  // namespace ganc::planning
