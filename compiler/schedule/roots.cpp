#include "compiler/schedule/roots.h"

#include <algorithm>
#include <map>

#include "compiler/ops/op.h"

namespace ganc::planning {
namespace {

constexpr int function_work = 12;

// The weight of computing one element of a node from its operands.
int weight(Op op) {
  switch (op) {
    case Op::exponential:
    case Op::log:
    case Op::log_plus_one:
    case Op::exponential_minus_one:
    case Op::logistic:
    case Op::tanh:
    case Op::sine:
    case Op::cosine:
    case Op::erf:
    case Op::power:
    case Op::random_bits:
    case Op::softplus:
      return function_work;
    case Op::divide:
    case Op::sqrt:
    case Op::rsqrt:
    case Op::modulo:
      return 4;
    case Op::pad:
    case Op::concatenate:
    case Op::gather:
      return 2;
    case Op::stop:
    case Op::draw:
    case Op::convert:
      return 0;
    default:
      return definition(op).op_class == OpClass::elementwise ? 1 : 0;
  }
}

// What writing out a node costs an element: arithmetic, tensors read, nodes walked.
struct Cost {
  int work = 0, loads = 0, nodes = 0;
};

constexpr int max_nodes = 600;  // of one expression, those it has twice counted twice
constexpr int cheap_nodes = 8;
constexpr int cheap_work = 3;   // computing again this much ..
constexpr int cheap_loads = 2;  // .. from this many tensors is cheaper than a store and two loads
// What no second cache holds goes to memory and comes back: more is cheaper than that, all but
// functions, and it needs no place until then.
constexpr std::int64_t large = 1 << 18;  // elements
constexpr int large_nodes = 24, large_work = 11;
constexpr int costly_work = 8;  // not to be repeated along a broadcast
constexpr std::int64_t long_broadcast = 8;

class Chooser {
 public:
  explicit Chooser(ProgramDraft& program)
      : program_(program),
        graph_(program.graph),
        readers_(graph_.nodes.size()),
        costs_(graph_.nodes.size()) {}

  void run() {
    force();
    for (int pass = 0; pass < 2; ++pass) {  // costs rest on roots below, sharing on roots above
      measure();
      share();
    }
    measure();
  }

 private:
  bool is_leaf(NodeId id) const {
    const Node& node = graph_[id];
    return node.op == Op::input || (node.op == Op::constant && node.attributes.values.size() == 1);
  }
  void make_root(NodeId id) {
    if (!is_leaf(id)) program_.root[id.index] = true;
  }
  bool in_memory(NodeId id) const { return program_.root[id.index] || graph_[id].op == Op::input; }

  void force() {
    for (const Target& target : program_.targets) make_root(target.node);
    for (const auto& set : program_.guard_sets)
      for (NodeId guard : set) make_root(guard);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const NodeId id{static_cast<std::uint32_t>(i)};
      if (is_contraction(node.op)) {
        make_root(id);
        for (NodeId operand : node.operands) make_root(behind_views(graph_, operand));
      } else if (is_reduction(node.op) || node.op == Op::scatter_add || node.op == Op::draw) {
        make_root(id);
      } else if (node.op == Op::constant && node.attributes.values.size() != 1) {
        make_root(id);
      } else if (node.op == Op::gather) {
        make_root(behind_views(graph_, node.operands[0]));
      }
    }
  }

  // From the leaves up. Makes roots of what is too long, and of what is costly and would be
  // repeated.
  void measure() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      Cost cost{weight(node.op), 0, 1};
      for (NodeId operand : node.operands) {
        if (in_memory(operand)) {
          cost.loads += 1;
          continue;
        }
        Cost part = costs_[operand.index];
        if (cost.nodes + part.nodes > max_nodes || is_repeated(node, operand, part)) {
          make_root(operand);
          part = {0, 1, 0};
        }
        cost.work += part.work;
        cost.loads += part.loads;
        cost.nodes += part.nodes;
      }
      if (node.op == Op::broadcast_in_dim &&
          node.type.shape != graph_[node.operands[0]].type.shape) {
        cost.loads = 0;
        if (element_count(graph_[node.operands[0]].type.shape) * long_broadcast <=
            element_count(node.type.shape))
          cost.work = 0;
      }
      costs_[i] = cost;
    }
  }

  bool is_repeated(const Node& node, NodeId operand, const Cost& cost) const {
    if (node.op != Op::broadcast_in_dim || cost.work < costly_work / 2) return false;
    const std::int64_t count = element_count(graph_[operand].type.shape);
    if (count == 1 && cost.work < function_work) return false;  // once a unit is less than a call
    return count * long_broadcast <= element_count(node.type.shape);
  }

  // From the targets down: which roots read each node through what is written out.
  void share() {
    for (auto& readers : readers_) readers.clear();
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const NodeId id{static_cast<std::uint32_t>(i)};
      if (!program_.root[i] && readers_[i].size() > 1 && !is_cheap(id)) make_root(id);
      const Node& node = graph_.nodes[i];
      if (program_.root[i]) readers_[i] = {id.index};
      for (NodeId operand : node.operands) {
        auto& readers = readers_[operand.index];
        for (std::uint32_t reader : readers_[i]) {
          if (readers.size() >= max_readers) break;
          if (std::ranges::find(readers, reader) == readers.end()) readers.push_back(reader);
        }
      }
      // Read at different places by one root: each place computes it.
      if (is_movement(node.op) && node.op != Op::broadcast_in_dim)
        for (NodeId operand : node.operands)
          if (++moved_[operand.index] > 1 && costs_[operand.index].work >= costly_work &&
              is_elementwise(graph_[operand].op))
            make_root(operand);
    }
    moved_.clear();
  }

  bool is_cheap(NodeId id) const {
    const Node& node = graph_[id];
    const Cost& cost = costs_[id.index];
    if (is_leaf(id) || node.op == Op::iota) return true;
    // A view repeats what stands behind it, which is counted where that is looked at.
    if (is_movement(node.op) && node.op != Op::pad && node.op != Op::concatenate) return true;
    if (element_count(node.type.shape) >= large && cost.nodes <= large_nodes &&
        cost.work <= large_work && cost.loads <= cheap_loads)
      return true;
    if (cost.nodes > cheap_nodes) return false;
    const int readers = static_cast<int>(readers_[id.index].size());
    if (cost.loads <= 1) return cost.work <= cheap_work;
    return cost.loads <= cheap_loads && cost.work <= cheap_work && readers <= 2;
  }

  static constexpr std::size_t max_readers = 4;  // enough to know
  ProgramDraft& program_;
  const Graph& graph_;
  std::vector<std::vector<std::uint32_t>> readers_;
  std::vector<Cost> costs_;
  std::map<std::uint32_t, int> moved_;
};

}  // namespace

NodeId behind_views(const Graph& graph, NodeId id) {
  for (;;) {
    const Node& node = graph[id];
    switch (node.op) {
      case Op::transpose:
      case Op::reverse:
      case Op::reshape:
      case Op::slice:
      case Op::stop:
        id = node.operands[0];
        continue;
      default:
        return id;
    }
  }
}

void choose_roots(ProgramDraft& program, bool fuse) {
  if (fuse) return Chooser(program).run();
  for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
    const Node& node = program.graph.nodes[i];
    program.root[i] =
        node.op != Op::input && !(node.op == Op::constant && node.attributes.values.size() == 1);
  }
}

}  // namespace ganc::planning
