#include "compiler/rewrite/rewriter.h"

#include <algorithm>

#include "compiler/ops/op.h"
#include "compiler/rewrite/rules.h"

namespace ganc {
namespace {

// Of a constant with one value for each element, what folding may make at most.
constexpr std::int64_t fold_limit = 4096;
// Replacements within replacements; what lies deeper is left for the next run.
constexpr int depth_limit = 64;

// How many outputs and operands of nodes that reach one each node is; 0: nobody needs it.
std::vector<std::size_t> count_readers(const Graph& graph) {
  std::vector<std::size_t> readers(graph.nodes.size());
  for (const Output& output : graph.outputs) ++readers[output.node.index];
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (readers[i] == 0) continue;
    for (const NodeId operand : graph.nodes[i].operands) ++readers[operand.index];
  }
  return readers;
}

}  // namespace

Rewriter::Rewriter(const Graph& source, const Rules& rules)
    : source_(source), fold_(rules.fold), drop_stop_(rules.drop_stop), builder_(result_) {
  for (const PatternRule* rule : rules.patterns) {
    ParsedRule parsed = parse_rule(rule->match, rule->replace);
    const Op root = parsed.match.op;
    patterns_[root].push_back({rule, std::move(parsed)});
  }
  for (const StructuralRule* rule : rules.structural) structural_[rule->op].push_back(rule);
}

Graph Rewriter::run() {
  result_.name = source_.name;
  result_.origins = source_.origins;
  const std::vector<std::size_t> readers = count_readers(source_);
  std::vector<bool> differentiated_by(source_.nodes.size(), false);
  for (const Node& node : source_.nodes) {
    if (node.op == Op::grad) differentiated_by[node.operands[1].index] = true;
  }

  std::vector<NodeId> copies(source_.nodes.size());
  for (std::size_t i = 0; i < source_.nodes.size(); ++i) {
    if (readers[i] == 0) continue;
    const Node& node = source_.nodes[i];
    std::vector<NodeId> operands;
    operands.reserve(node.operands.size());
    for (const NodeId operand : node.operands) operands.push_back(copies[operand.index]);
    builder_.set_origin(node.origin);
    copies[i] = make(node.op, std::move(operands), node.attributes, node.type);
    opaque_.resize(result_.nodes.size());
    readers_.resize(result_.nodes.size());
    if (differentiated_by[i]) opaque_[copies[i].index] = true;
    readers_[copies[i].index] += readers[i];
  }
  for (const Output& output : source_.outputs) {
    builder_.output(output.name, copies[output.node.index]);
  }
  return std::move(result_);
}

NodeId Rewriter::make(Op op, std::vector<NodeId> operands, Attributes attributes, Type type) {
  std::vector<Type> types;
  types.reserve(operands.size());
  for (const NodeId operand : operands) types.push_back(result_[operand].type);
  const TypeOrError inferred = definition(op).type(types, attributes, type);
  Node node{op, inferred.type ? *inferred.type : type, std::move(operands), std::move(attributes)};
  if (inferred.type && depth_ < depth_limit) {
    ++depth_;
    const NodeId simpler = simplified(node);
    --depth_;
    if (simpler) return simpler;
  }
  return builder_.add_node(node.op, std::move(node.operands), std::move(node.attributes),
                           node.type);
}

NodeId Rewriter::simplified(Node& node) {
  if (drop_stop_ && node.op == Op::stop) return node.operands[0];
  if (fold_) {
    if (const NodeId folded = fold(node)) return folded;
  }
  if (const auto rules = structural_.find(node.op); rules != structural_.end()) {
    for (const StructuralRule* rule : rules->second) {
      if (const NodeId replaced = rule->apply(*this, node)) {
        ++fired_[rule->name];
        return replaced;
      }
    }
  }
  if (!is_real(node.type.dtype)) return {};
  if (const auto rules = patterns_.find(node.op); rules != patterns_.end()) {
    for (const CompiledRule& rule : rules->second) {
      Bindings bindings(rule.parsed.slots);
      if (!match(rule.parsed.match, result_, node, opaque_, bindings)) continue;
      ++fired_[rule.rule->name];
      return build(rule.parsed.replace, bindings, node.type);
    }
  }
  return {};
}

NodeId Rewriter::build(const Pattern& pattern, const Bindings& bindings, const Type& type) {
  switch (pattern.kind) {
    case Pattern::Kind::number:
      return constant(pattern.number, type);
    case Pattern::Kind::variable:
      return bindings[pattern.slot];
    case Pattern::Kind::op:
      break;
  }
  std::vector<NodeId> operands;
  for (const Pattern& operand : pattern.operands) {
    operands.push_back(build(operand, bindings, type));
  }
  return make(pattern.op, std::move(operands));
}

NodeId Rewriter::constant(double value, const Type& type) {
  return builder_.constant(value, type);
}

NodeId Rewriter::fold(const Node& node) {
  const OpDefinition& op = definition(node.op);
  if (node.operands.empty() || op.reference == nullptr || node.op == Op::stop ||
      node.op == Op::draw || node.op == Op::random_bits || node.op == Op::grad) {
    return {};
  }
  const auto is_constant = [&](NodeId id) { return result_[id].op == Op::constant; };
  if (!std::ranges::all_of(node.operands, is_constant)) return {};

  const auto is_splat = [&](NodeId id) { return result_[id].attributes.values.size() == 1; };
  const bool splat = std::ranges::all_of(node.operands, is_splat) &&
                     (op.op_class == OpClass::elementwise || node.op == Op::broadcast_in_dim ||
                      node.op == Op::reshape || node.op == Op::transpose ||
                      node.op == Op::reverse || node.op == Op::slice);
  if (!splat && element_count(node.type.shape) > fold_limit) return {};

  // A value the same everywhere is computed once.
  const bool movement = op.op_class == OpClass::movement;
  if (splat && movement) return constant(result_[node.operands[0]].attributes.values[0], node.type);
  std::vector<Value> values;
  for (const NodeId operand : node.operands) {
    const Node& from = result_[operand];
    Type type = from.type;
    if (splat) type.shape = {};
    const auto count = static_cast<std::size_t>(element_count(type.shape));
    if (static_cast<std::int64_t>(count) > fold_limit) return {};
    std::vector<double> data = from.attributes.values;
    if (data.size() == 1) data.assign(count, data[0]);
    values.push_back({type, std::move(data)});
  }
  Node scalar = node;
  if (splat) scalar.type.shape = {};
  std::vector<const Value*> operands;
  for (const Value& value : values) operands.push_back(&value);
  Value result = op.reference(scalar, operands);
  if (result.data.empty()) return constant(0, node.type);
  if (splat) return constant(result.data[0], node.type);
  return builder_.constant(std::move(result.data), node.type);
}

}  // namespace ganc
