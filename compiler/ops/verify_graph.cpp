#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

// The attributes of `all` that an op reads, the others at their defaults.
Attributes read_part(const Attributes& all, std::uint32_t which) {
  Attributes part;
  if (which & reads::axes) part.axes = all.axes;
  if (which & reads::slice)
    part.start = all.start, part.limit = all.limit, part.stride = all.stride;
  if (which & reads::padding)
    part.low = all.low, part.high = all.high, part.interior = all.interior;
  if (which & reads::dot) {
    part.lhs_batch = all.lhs_batch, part.rhs_batch = all.rhs_batch;
    part.lhs_contract = all.lhs_contract, part.rhs_contract = all.rhs_contract;
  }
  if (which & reads::windows) part.windows = all.windows, part.groups = all.groups;
  if (which & reads::batch) part.batch = all.batch;
  if (which & reads::size) part.size = all.size;
  if (which & reads::comparison) part.comparison = all.comparison;
  if (which & reads::stream) part.stream = all.stream;
  if (which & reads::name) part.name = all.name;
  return part;
}

bool has_others(const Node& node, std::uint32_t which) {
  Attributes given = node.attributes;
  if (which & reads::values) given.values.clear();  // may hold NaN, which differs from itself
  return !(given == read_part(node.attributes, which));
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  std::vector<std::string> run() {
    for (std::uint32_t i = 0; i < graph_.nodes.size() && found_.size() < most; ++i) check_node(i);
    std::set<std::string_view> names;
    for (const Output& output : graph_.outputs) {
      if (found_.size() >= most) break;
      if (output.node.index >= graph_.nodes.size()) {
        add("the output {} is no node", quoted(output.name));
      }
      if (output.name.empty()) add("an output has no name");
      if (!names.insert(output.name).second) add("two outputs are called {}", quoted(output.name));
    }
    return std::move(found_);
  }

 private:
  static constexpr std::size_t most = 20;

  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    found_.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void check_node(std::uint32_t i) {
    const Node& node = graph_.nodes[i];
    if (static_cast<std::size_t>(node.op) >= op_count) return add("%{} is no op of the set", i);
    if (node.origin >= graph_.origins.size()) add("%{} has an origin that does not exist", i);
    std::vector<Type> types;
    for (NodeId operand : node.operands) {
      if (operand.index >= graph_.nodes.size()) return add("%{} has an operand that is no node", i);
      if (operand.index >= i)
        return add("%{} uses %{}, which does not stand before it", i, operand.index);
      types.push_back(graph_[operand].type);
    }
    const TypeOrError inferred = infer_type(node.op, types, node.attributes, node.type);
    if (!inferred.type) return add("%{} = {}", i, inferred.error);
    if (*inferred.type != node.type) {
      add("{}: its type should be {}", print_node(graph_, NodeId{i}), to_string(*inferred.type));
    }
    if (has_others(node, definition(node.op).attributes)) {
      add("{}: it has attributes that the op does not read", print_node(graph_, NodeId{i}));
    }
    if (node.op != Op::input && node.op != Op::draw) return;
    const auto [first, is_new] = named_.try_emplace({node.op, node.attributes.name}, i);
    if (!is_new) {
      add("%{} and %{} are both called {}", first->second, i, quoted(node.attributes.name));
    }
  }

  const Graph& graph_;
  std::vector<std::string> found_;
  std::map<std::pair<Op, std::string_view>, std::uint32_t> named_;
};

}  // namespace

std::vector<std::string> verify(const Graph& graph) {
  return Verifier(graph).run();
}

void check_verified(const Graph& graph, std::string_view made_by) {
  const std::vector<std::string> found = verify(graph);
  if (found.empty()) return;
  fmt::print(stderr, "ganc: internal error: {} made a wrong graph {}:\n", made_by,
             quoted(graph.name));
  for (const std::string& sentence : found) fmt::print(stderr, "  {}\n", sentence);
  std::abort();
}

}  // namespace ganc
