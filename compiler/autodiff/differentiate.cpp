#include "compiler/autodiff/differentiate.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include <fmt/format.h>

#include "compiler/graph/builder.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

// The new graph while it grows. The old graph's nodes are copied as they are, never merged with one
// another or with the derivatives' nodes: the derivative by a node counts the uses of that node
// alone.
class Differentiation {
 public:
  explicit Differentiation(const Graph& old) : old_(old), builder_(result_) {
    result_.name = old.name;
    result_.origins = old.origins;
    place_.resize(old.nodes.size());
    for (std::uint32_t i = 0; i < old.nodes.size(); ++i) {
      const Node& node = old.nodes[i];
      if (node.op == Op::grad) wanted_[node.operands[0].index].push_back(NodeId{i});
    }
  }

  Graph run() {
    for (std::uint32_t i = 0; i < old_.nodes.size(); ++i) {
      if (old_.nodes[i].op != Op::grad) {
        copy(i);
      } else if (!place_[i]) {  // the first grad of its y: all of them at once
        origin_ = old_.nodes[i].origin;
        derive(old_.nodes[i].operands[0]);
      }
    }
    for (const Output& output : old_.outputs) {
      result_.outputs.push_back({output.name, place_[output.node.index]});
    }
    return std::move(result_);
  }

 private:
  void copy(std::uint32_t i) {
    Node node = old_.nodes[i];
    for (NodeId& operand : node.operands) operand = place_[operand.index];
    place_[i] = NodeId{static_cast<std::uint32_t>(result_.nodes.size())};
    result_.nodes.push_back(std::move(node));
  }

  // Gives every grad of `y` its place. An x behind y in the order cannot be reached from it: zeros.
  void derive(NodeId y) {
    const std::vector<NodeId>& grads = wanted_.at(y.index);
    std::vector<NodeId> targets;
    for (NodeId grad : grads) {
      const NodeId x = old_[grad].operands[1];
      if (x <= y) targets.push_back(place_[x.index]);
    }
    std::vector<NodeId> path = nodes_between(targets, place_[y.index]);
    walk_back(path, place_[y.index]);
    for (NodeId grad : grads) {
      const NodeId x = old_[grad].operands[1];
      const NodeId reached = x <= y ? place_[x.index] : NodeId{};
      NodeId dx;
      if (reached && reached.index < adjoint_.size()) dx = adjoint_[reached.index];
      place_[grad.index] = dx ? dx : builder_.constant(0.0, Type(old_[grad].type));
    }
    for (NodeId node : path) adjoint_[node.index] = {};
  }

  // The nodes from which y is reached and that some target reaches, y first, in falling order.
  // Marks them.
  std::vector<NodeId> nodes_between(const std::vector<NodeId>& targets, NodeId y) {
    if (targets.empty()) return {};
    mark_.resize(result_.nodes.size());
    const NodeId lowest = *std::min_element(targets.begin(), targets.end());
    const std::uint32_t seen = ++stamp_, reaching = ++stamp_;
    std::vector<NodeId> above = {y};
    mark_[y.index] = seen;
    for (std::size_t next = 0; next < above.size(); ++next) {
      const Node& node = result_[above[next]];
      if (definition(node.op).gradient == nullptr) continue;
      for (NodeId operand : node.operands) {
        if (operand < lowest || mark_[operand.index] == seen) continue;
        if (!is_real(result_[operand].type.dtype)) continue;
        mark_[operand.index] = seen;
        above.push_back(operand);
      }
    }
    std::sort(above.begin(), above.end());
    for (NodeId target : targets) {
      if (mark_[target.index] == seen) mark_[target.index] = reaching;
    }
    std::vector<NodeId> path;
    for (NodeId id : above) {
      const Node& node = result_[id];
      bool reached = mark_[id.index] == reaching;
      if (definition(node.op).gradient != nullptr) {
        for (NodeId operand : node.operands) {
          reached = reached || (operand >= lowest && mark_[operand.index] == reaching);
        }
      }
      if (!reached) continue;
      mark_[id.index] = reaching;
      path.push_back(id);
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

  // Leaves in adjoint_ the derivative of the sum of y by every node of the path.
  void walk_back(const std::vector<NodeId>& path, NodeId y) {
    if (path.empty()) return;
    const std::uint32_t reaching = mark_[path[0].index];
    adjoint_.resize(mark_.size());
    builder_.set_origin(origin_);
    adjoint_[y.index] = builder_.like(y, 1);
    for (NodeId id : path) {
      const NodeId dy = adjoint_[id.index];
      const auto rule = definition(result_[id].op).gradient;
      if (!dy || rule == nullptr) continue;
      const Node node = result_[id];  // a copy: the rule adds nodes
      bool needed = false;
      for (NodeId operand : node.operands) {
        needed = needed || mark_[operand.index] == reaching;
      }
      if (!needed) continue;
      builder_.set_origin(node.origin != 0 ? node.origin : origin_);
      const Gradients gradients = rule(builder_, node, id, dy);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (gradients[i] && mark_[node.operands[i].index] == reaching) {
          accumulate(node, node.operands[i], gradients[i]);
        }
      }
    }
  }

  void accumulate(const Node& user, NodeId x, NodeId dx) {
    if (builder_.type(x) != builder_.type(dx)) {
      fmt::print(stderr, "ganc: internal error: the derivative of {} by an operand {} is {}\n",
                 definition(user.op).name, to_string(builder_.type(x)),
                 to_string(builder_.type(dx)));
      std::abort();
    }
    NodeId& sum = adjoint_[x.index];
    sum = sum ? builder_.add(sum, dx) : dx;
  }

  const Graph& old_;
  Graph result_;
  Builder builder_;
  std::uint32_t origin_ = 0;   // of the grad at hand
  std::vector<NodeId> place_;  // of an old node in the new graph
  std::unordered_map<std::uint32_t, std::vector<NodeId>>
      wanted_;  // the grads of each y, in the old graph
  // By new node. Only entries of the current walk count: marks by stamp, adjoints are cleared
  // behind it.
  std::vector<std::uint32_t> mark_;
  std::uint32_t stamp_ = 0;
  std::vector<NodeId> adjoint_;
};

}  // namespace

Graph differentiate(const Graph& graph) {
  return Differentiation(graph).run();
}

}  // namespace ganc
