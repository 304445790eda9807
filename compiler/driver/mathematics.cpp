#include "compiler/driver/mathematics.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "compiler/driver/describe.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

constexpr std::size_t long_expression = 72;

// How strongly an expression holds together: what binds less than its place needs is put in
// parentheses.
enum Binding { comparison, sum, product, sign, power, atom };

struct Text {
  std::string text;
  Binding binding;
};

class Writer {
 public:
  Writer(const Graph& graph, const Sources& sources) : graph_(graph), sources_(sources) {}

  std::string write(NodeId root, const std::string& result) {
    count_uses(root);
    const Text value = expression(root);
    add_line(result, root, value.text);
    return lines_;
  }

 private:
  const Node& node(NodeId id) const { return graph_[id]; }

  // Users of each node that `root` reaches; a draw's own computation is left out. Operands precede
  // users.
  void count_uses(NodeId root) {
    uses_[root.index] = 1;
    for (std::uint32_t i = root.index + 1; i-- > 0;) {
      if (!uses_.contains(i) || graph_.nodes[i].op == Op::draw) continue;
      for (NodeId operand : graph_.nodes[i].operands) ++uses_[operand.index];
    }
    for (const auto& [index, count] : uses_) order_.push_back(NodeId{index});
    for (NodeId id : order_) {
      if (id != root) texts_[id.index] = settled(id, expression(id));
    }
  }

  // A value that is used twice, or whose text is long, gets a line and a name; the rest stands
  // where it is used.
  Text settled(NodeId id, Text text) {
    const bool simple = text.text.find_first_of("( ") == std::string::npos;  // a name, a number
    if (simple || (uses_[id.index] == 1 && text.text.size() <= long_expression)) return text;
    const std::string name = fmt::format("t{}", ++named_);
    add_line(name, id, text.text);
    return {name, atom};
  }

  void add_line(const std::string& name, NodeId id, const std::string& text) {
    const Origin& origin = graph_.origins[node(id).origin];
    std::string from = origin.path;
    if (const std::string line = place(sources_, origin.span); !line.empty())
      from += (from.empty() ? "" : ", ") + line;
    lines_ += fmt::format("  {} {} = {}{}{}\n", name, to_string(node(id).type.shape), text,
                          from.empty() ? "" : "  # ", from);
  }

  std::string operand(NodeId id, std::size_t which, Binding needed) const {
    const Text& text = texts_.at(node(id).operands[which].index);
    return text.binding >= needed ? text.text : "(" + text.text + ")";
  }
  std::string plain(NodeId id, std::size_t which) const { return operand(id, which, comparison); }

  Text infix(NodeId id, const char* symbol, Binding binding, bool associative) const {
    const auto right = static_cast<Binding>(associative ? binding : binding + 1);
    return {fmt::format("{} {} {}", operand(id, 0, binding), symbol, operand(id, 1, right)),
            binding};
  }

  Text call(NodeId id, std::string_view name) const {
    std::string text(name);
    for (std::size_t i = 0; i < node(id).operands.size(); ++i)
      text += (i == 0 ? "(" : ", ") + plain(id, i);
    return {text + (node(id).operands.empty() ? "()" : ")"), atom};
  }

  static std::string last_part(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    return slash == std::string::npos ? name : name.substr(slash + 1);
  }

  Text leaf(const Node& n) const {
    if (n.op != Op::constant)
      return {
          n.attributes.name.starts_with("slot/") ? n.attributes.name : last_part(n.attributes.name),
          atom};
    if (n.attributes.values.size() != 1)
      return {fmt::format("[{} numbers]", n.attributes.values.size()), atom};
    const double value = n.attributes.values[0];
    return {fmt::format("{}", value), value < 0 ? sign : atom};
  }

  // A product of matrices where it is one; the general form names its axes.
  Text contraction(NodeId id) const {
    const Attributes& a = node(id).attributes;
    const std::size_t left = node(node(id).operands[0]).type.shape.size();
    const std::size_t right = node(node(id).operands[1]).type.shape.size();
    const bool matrices =
        a.lhs_batch.empty() && left == 2 && right == 2 && a.lhs_contract.size() == 1;
    if (!matrices) {
      return {fmt::format("contract({}, {}; axes {} and {})", plain(id, 0), plain(id, 1),
                          fmt::join(a.lhs_contract, ","), fmt::join(a.rhs_contract, ",")),
              atom};
    }
    const std::string l =
        operand(id, 0, a.lhs_contract[0] == 0 ? atom : power) + (a.lhs_contract[0] == 0 ? "ᵀ" : "");
    const std::string r =
        operand(id, 1, a.rhs_contract[0] == 1 ? atom : power) + (a.rhs_contract[0] == 1 ? "ᵀ" : "");
    return {l + " · " + r, product};
  }

  Text reduction(NodeId id, const char* symbol) const {
    const Attributes& a = node(id).attributes;
    const bool all = a.axes.size() == node(node(id).operands[0]).type.shape.size();
    const std::string axes = all ? "" : fmt::format("{{{}}}", fmt::join(a.axes, ","));
    return {fmt::format("{}{}({})", symbol, axes, plain(id, 0)), atom};
  }

  Text comparison_of(NodeId id) const {
    const char* symbol = "=";
    switch (node(id).attributes.comparison) {
      case Comparison::equal:
        symbol = "=";
        break;
      case Comparison::not_equal:
        symbol = "≠";
        break;
      case Comparison::less:
        symbol = "<";
        break;
      case Comparison::less_equal:
        symbol = "≤";
        break;
      case Comparison::greater:
        symbol = ">";
        break;
      case Comparison::greater_equal:
        symbol = "≥";
        break;
    }
    return {fmt::format("{} {} {}", operand(id, 0, sum), symbol, operand(id, 1, sum)), comparison};
  }

  Text movement(NodeId id) const {
    const Node& n = node(id);
    if (n.op == Op::transpose && n.type.shape.size() == 2)
      return {operand(id, 0, atom) + "ᵀ", atom};
    const auto& numbers =
        n.op == Op::transpose || n.op == Op::reverse ? n.attributes.axes : n.type.shape;
    return {
        fmt::format("{}({}, [{}])", definition(n.op).name, plain(id, 0), fmt::join(numbers, ",")),
        atom};
  }

  Text expression(NodeId id) const {
    const Node& n = node(id);
    switch (n.op) {
      case Op::input:
      case Op::constant:
      case Op::draw:
        return leaf(n);
      case Op::broadcast_in_dim:
      case Op::convert:
      case Op::stop:
        return texts_.at(n.operands[0].index);
      case Op::negate:
        return {"-" + operand(id, 0, sign), sign};
      case Op::abs:
        return {"|" + plain(id, 0) + "|", atom};
      case Op::exponential:
        return call(id, "exp");
      case Op::logistic:
        return call(id, "σ");
      case Op::sqrt:
        return {"√(" + plain(id, 0) + ")", atom};
      case Op::rsqrt:
        return {"1 / √(" + plain(id, 0) + ")", product};
      case Op::add:
        return infix(id, "+", sum, true);
      case Op::subtract:
        return infix(id, "-", sum, false);
      case Op::multiply:
        return infix(id, "*", product, true);
      case Op::divide:
        return infix(id, "/", product, false);
      case Op::power:
        return {operand(id, 0, atom) + "^" + operand(id, 1, atom), power};
      case Op::maximum:
        return call(id, "max");
      case Op::minimum:
        return call(id, "min");
      case Op::compare:
        return comparison_of(id);
      case Op::select:
        return call(id, "where");
      case Op::reshape:
      case Op::transpose:
      case Op::reverse:
      case Op::slice:
      case Op::pad:
      case Op::concatenate:
        return n.op == Op::concatenate ? call(id, "concat") : movement(id);
      case Op::reduce_sum:
        return reduction(id, "Σ");
      case Op::reduce_max:
        return reduction(id, "max");
      case Op::dot_general:
        return contraction(id);
      case Op::convolution:
        return call(id, "conv");
      default:
        return call(id, definition(n.op).name);  // named as in the graph
    }
  }

  const Graph& graph_;
  const Sources& sources_;
  std::map<std::uint32_t, std::size_t> uses_;
  std::vector<NodeId> order_;
  std::map<std::uint32_t, Text> texts_;
  std::string lines_;
  int named_ = 0;
};

}  // namespace

std::string mathematics(const Graph& graph, NodeId root, const std::string& result,
                        const Sources& sources) {
  return Writer(graph, sources).write(root, result);
}

}  // namespace ganc
