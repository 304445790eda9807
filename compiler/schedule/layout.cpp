#include "compiler/schedule/layout.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "compiler/schedule/roots.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t min_vector_batch = 16;  // fewer samples do not fill a vector
constexpr std::int64_t min_lanes = 8;          // of channels, to be innermost in a filter

std::size_t at(std::int64_t axis) {
  return static_cast<std::size_t>(axis);
}

// Nodes of all programs that must lie alike, with the layout once it is known.
class Classes {
 public:
  explicit Classes(std::size_t count) : parent_(count), order_(count), variable_(count, false) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
    return x;
  }
  void join(std::size_t a, std::size_t b) {
    a = find(a), b = find(b);
    if (a == b) return;
    parent_[b] = a;
    if (variable_[b]) variable_[a] = true;
  }
  void mark_variable(std::size_t x) { variable_[find(x)] = true; }
  bool has_variable(std::size_t x) { return variable_[find(x)]; }
  // Only the first wish counts.
  void wish(std::size_t x, AxisOrder order) {
    auto& known = order_[find(x)];
    if (!known) known = std::move(order);
  }
  const std::optional<AxisOrder>& order(std::size_t x) { return order_[find(x)]; }

 private:
  std::vector<std::size_t> parent_;
  std::vector<std::optional<AxisOrder>> order_;
  std::vector<bool> variable_;
};

class Assigner {
 public:
  Assigner(std::span<ProgramDraft> programs, std::span<const Variable> variables)
      : programs_(programs), variables_(variables), classes_(count(programs, variables)) {
    std::size_t base = variables.size();
    for (const ProgramDraft& p : programs) bases_.push_back(base), base += p.graph.nodes.size();
    for (std::size_t i = 0; i < variables.size(); ++i) {
      by_name_[variables[i].name] = i;
      classes_.mark_variable(i);
    }
  }

  std::vector<AxisOrder> run() {
    for (std::size_t p = 0; p < programs_.size(); ++p) join_alike(p);
    for (std::size_t p = 0; p < programs_.size(); ++p) weights_of_convolutions(p);
    for (std::size_t p = 0; p < programs_.size(); ++p) other_variables(p);
    for (std::size_t p = 0; p < programs_.size(); ++p) transposed_weights(p);
    for (std::size_t p = 0; p < programs_.size(); ++p) contractions(p);
    for (std::size_t p = 0; p < programs_.size(); ++p) write(p);
    std::vector<AxisOrder> result;
    for (std::size_t i = 0; i < variables_.size(); ++i)
      result.push_back(classes_.order(i).value_or(row_major(variables_[i].type.shape.size())));
    return result;
  }

 private:
  static std::size_t count(std::span<ProgramDraft> programs, std::span<const Variable> variables) {
    std::size_t n = variables.size();
    for (const ProgramDraft& p : programs) n += p.graph.nodes.size();
    return n;
  }
  std::size_t id(std::size_t p, NodeId node) const { return bases_[p] + node.index; }
  const Shape& shape(std::size_t p, NodeId node) const {
    return programs_[p].graph[node].type.shape;
  }

  // The variable that the target is a gradient of, or its new value.
  const std::size_t* variable_named(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
  }
  const std::size_t* variable_of_target(const Target& target) const {
    std::string_view name = target.name;
    if (!name.starts_with("grad/")) return nullptr;
    name.remove_prefix(5);
    for (std::size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
      if (const std::size_t* v = variable_named(name.substr(slash + 1))) return v;
    return nullptr;
  }

  // What one value is spread over lies in no layout of its own: variables that meet the same one (a
  // step size, say) need not lie alike.
  static bool is_repeated(const Node& node) {
    return node.op == Op::broadcast_in_dim || node.op == Op::constant;
  }

  void join_alike(std::size_t p) {
    const ProgramDraft& program = programs_[p];
    for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
      const Node& node = program.graph.nodes[i];
      const NodeId self{static_cast<std::uint32_t>(i)};
      if (is_elementwise(node.op))
        for (NodeId operand : node.operands)
          if (shape(p, operand) == node.type.shape && !is_repeated(program.graph[operand]))
            classes_.join(id(p, self), id(p, operand));
      const std::string_view name = node.attributes.name;
      if (node.op == Op::input && name.starts_with("variable/"))
        if (const std::size_t* v = variable_named(name.substr(9))) classes_.join(*v, id(p, self));
    }
    for (const Target& target : program.targets) {
      if (target.variable >= 0)
        classes_.join(static_cast<std::size_t>(target.variable), id(p, target.node));
      if (const std::size_t* v = variable_of_target(target);
          v && shape(p, target.node) == variables_[*v].type.shape)
        classes_.join(*v, id(p, target.node));
    }
  }

  // What stands behind the node's transposes, reverses and reshapes that add or drop axes of length
  // 1; and its axis that each axis of the node is (-1: one of length 1).
  std::pair<NodeId, AxisOrder> behind_permutations(std::size_t p, NodeId node) const {
    const Graph& graph = programs_[p].graph;
    AxisOrder axes = row_major(graph[node].type.shape.size());
    for (;; node = graph[node].operands[0]) {
      const Node& n = graph[node];
      if (n.op == Op::transpose) {
        for (std::int64_t& axis : axes)
          if (axis >= 0) axis = n.attributes.axes[at(axis)];
      } else if (n.op == Op::reshape) {
        const std::optional<AxisOrder> kept =
            long_axes(n.type.shape, graph[n.operands[0]].type.shape);
        if (!kept) return {node, axes};
        for (std::int64_t& axis : axes)
          if (axis >= 0) axis = (*kept)[at(axis)];
      } else if (n.op != Op::reverse && n.op != Op::stop) {
        return {node, axes};
      }
    }
  }

  // For each axis of `from` the axis of `to` that it is, where the two differ in axes of length 1
  // alone.
  static std::optional<AxisOrder> long_axes(const Shape& from, const Shape& to) {
    AxisOrder result(from.size(), -1);
    std::size_t next = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] == 1) continue;
      while (next < to.size() && to[next] == 1) ++next;
      if (next == to.size() || to[next] != from[i]) return std::nullopt;
      result[i] = static_cast<std::int64_t>(next++);
    }
    for (; next < to.size(); ++next)
      if (to[next] != 1) return std::nullopt;
    return result;
  }

  // An order of all axes from one in which some of length 1 are missing (-1 stands for nothing).
  static AxisOrder completed(const AxisOrder& some, std::size_t rank) {
    AxisOrder order;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis)
      if (std::ranges::find(some, axis) == some.end()) order.push_back(axis);
    for (std::int64_t axis : some)
      if (axis >= 0) order.push_back(axis);
    return order;
  }

  // Taps outermost, results innermost, as the products that read and make them want to walk; of few
  // results the channels, which the gradient of the filter then has as lanes.
  void weights_of_convolutions(std::size_t p) {
    for (const Node& node : programs_[p].graph.nodes) {
      if (node.op != Op::convolution) continue;
      const auto [weight, axes] = behind_permutations(p, node.operands[1]);
      if (!classes_.has_variable(id(p, weight))) continue;
      AxisOrder order(axes.begin() + 2, axes.end());
      const Shape& filter = shape(p, node.operands[1]);
      const bool few = filter[0] < min_lanes && filter[1] > filter[0];  // results
      order.push_back(axes[few ? 0 : 1]);
      order.push_back(axes[few ? 1 : 0]);
      classes_.wish(id(p, weight), completed(order, shape(p, weight).size()));
    }
  }

  void other_variables(std::size_t p) {
    const Graph& graph = programs_[p].graph;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (classes_.has_variable(bases_[p] + i))
        classes_.wish(bases_[p] + i, row_major(graph.nodes[i].type.shape.size()));
  }

  // The gradient of a weight comes out of its contraction transposed: it lies as the weight does,
  // so that nothing is moved when it meets it. So do sums of such gradients.
  void transposed_weights(std::size_t p) {
    const Graph& graph = programs_[p].graph;
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
      const NodeId self{static_cast<std::uint32_t>(i)};
      const auto& known = classes_.order(id(p, self));
      if (!known) continue;
      const auto [base, axes] = behind_permutations(p, self);
      if (base == self || !(is_contraction(graph[base].op) || is_elementwise(graph[base].op)))
        continue;
      AxisOrder order = *known;
      for (std::int64_t& axis : order) axis = axes[at(axis)];
      classes_.wish(id(p, base), completed(order, shape(p, base).size()));
    }
  }

  static AxisOrder batched_order(const Shape& shape) {
    AxisOrder order;
    for (std::size_t i = 2; i < shape.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
    if (shape[0] >= min_vector_batch) {
      if (shape.size() > 1) order.push_back(1);
      order.push_back(0);
    } else {
      order.insert(order.begin(), 0);
      if (shape.size() > 1) order.push_back(1);
    }
    return order;
  }

  void contracted(std::size_t p, NodeId node, bool convolution) {
    const Shape& s = shape(p, node);
    if (s.size() < 2) return;
    if (s[0] >= min_vector_batch) batches_.insert(s[0]);
    if (convolution || s[0] >= min_vector_batch) classes_.wish(id(p, node), batched_order(s));
  }

  void contractions(std::size_t p) {
    const Graph& graph = programs_[p].graph;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (!is_contraction(node.op)) continue;
      const NodeId self{static_cast<std::uint32_t>(i)};
      if (!node.attributes.lhs_batch.empty()) {
        classes_.wish(id(p, self), row_major(node.type.shape.size()));
        continue;
      }
      const bool convolution = node.op == Op::convolution;
      contracted(p, self, convolution);
      for (NodeId operand : node.operands) {
        const NodeId base = behind_views(graph, operand);
        contracted(p, base, convolution && shape(p, base).size() == node.type.shape.size());
      }
    }
  }

  void write(std::size_t p) {
    ProgramDraft& program = programs_[p];
    program.layouts.clear();
    for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
      const Shape& s = program.graph.nodes[i].type.shape;
      const auto& order = classes_.order(bases_[p] + i);
      if (order)
        program.layouts.push_back(*order);
      else if (s.size() >= 2 && batches_.contains(s[0]))
        program.layouts.push_back(batched_order(s));
      else
        program.layouts.push_back(row_major(s.size()));
    }
  }

  std::span<ProgramDraft> programs_;
  std::span<const Variable> variables_;
  Classes classes_;
  std::vector<std::size_t> bases_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::set<std::int64_t> batches_;
};

}  // namespace

std::vector<AxisOrder> assign_layouts(std::span<ProgramDraft> programs,
                                      std::span<const Variable> variables, bool fuse) {
  if (fuse) return Assigner(programs, variables).run();
  for (ProgramDraft& program : programs) {
    program.layouts.clear();
    for (const Node& node : program.graph.nodes)
      program.layouts.push_back(row_major(node.type.shape.size()));
  }
  std::vector<AxisOrder> result;
  for (const Variable& v : variables) result.push_back(row_major(v.type.shape.size()));
  return result;
}

}  // namespace ganc::planning
