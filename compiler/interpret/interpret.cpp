#include "compiler/interpret/interpret.h"

#include <cstdlib>

#include <fmt/format.h>

namespace ganc {
namespace {

[[noreturn]] void fail(const Graph& graph, const std::string& what) {
  fmt::print(stderr, "ganc: internal error: graph \"{}\" cannot be interpreted: {}\n", graph.name,
             what);
  std::abort();
}

// How often each node is read by nodes that an output needs, or is an output; 0: dead.
std::vector<std::uint32_t> count_uses(const Graph& graph) {
  std::vector<std::uint32_t> uses(graph.nodes.size());
  for (const Output& output : graph.outputs) ++uses[output.node.index];
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (uses[i] == 0) continue;
    for (NodeId operand : graph.nodes[i].operands) ++uses[operand.index];
  }
  return uses;
}

// Whether the result is the operand's numbers as they are, so that a last use may take them over.
bool keeps_numbers(const Node& node, const Type& operand) {
  switch (node.op) {
    case Op::reshape:
    case Op::stop:
    case Op::draw:
      return true;
    case Op::convert:
      return is_real(node.type.dtype) && is_real(operand.dtype);
    default:
      return false;
  }
}

const Value* fed(const Graph& graph, const Node& node, const std::map<std::string, Value>& inputs) {
  if (node.op != Op::input && node.op != Op::draw) return nullptr;
  const auto found = inputs.find(node.attributes.name);
  if (found == inputs.end()) {
    if (node.op == Op::input) fail(graph, fmt::format("no value for \"{}\"", node.attributes.name));
    return nullptr;
  }
  const Value& value = found->second;
  if (value.type.shape != node.type.shape ||
      static_cast<std::int64_t>(value.data.size()) != element_count(node.type.shape)) {
    fail(graph, fmt::format("\"{}\" is {}, but got {} with {} numbers", node.attributes.name,
                            to_string(node.type), to_string(value.type), value.data.size()));
  }
  return &value;
}

}  // namespace

std::map<std::string, Value> interpret(const Graph& graph,
                                       const std::map<std::string, Value>& inputs,
                                       Rounding rounding) {
  std::vector<std::uint32_t> uses = count_uses(graph);
  std::vector<Value> values(graph.nodes.size());     // of the nodes computed, until their last use
  std::vector<const Value*> at(graph.nodes.size());  // inputs are read where they are
  std::vector<const Value*> operands;
  const auto release = [&](const Node& node) {
    for (NodeId operand : node.operands) {
      if (--uses[operand.index] == 0) values[operand.index] = {};
    }
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (uses[i] == 0) continue;
    if (const Value* value = fed(graph, node, inputs)) {
      at[i] = value;
      release(node);
      continue;
    }
    at[i] = &values[i];
    if (!node.operands.empty()) {
      const NodeId first = node.operands[0];
      if (keeps_numbers(node, graph[first].type) && uses[first.index] == 1 &&
          at[first.index] == &values[first.index]) {
        values[i] = {node.type, std::move(values[first.index].data)};
        release(node);
        continue;
      }
    }
    const auto reference = definition(node.op).reference;
    if (reference == nullptr) fail(graph, fmt::format("{} has no value", definition(node.op).name));
    operands.clear();
    for (NodeId operand : node.operands) operands.push_back(at[operand.index]);
    values[i] = reference(node, operands);
    if (rounding == Rounding::to_type && node.type.dtype == DType::f32)
      for (double& x : values[i].data) x = static_cast<double>(static_cast<float>(x));
    release(node);
  }
  std::map<std::string, Value> results;
  for (const Output& output : graph.outputs) {
    results[output.name] = {graph[output.node].type, at[output.node.index]->data};
  }
  return results;
}

}  // namespace ganc
