#include "compiler/rewrite/structural_rules.h"

#include "compiler/ops/op.h"
#include "compiler/rewrite/rules.h"

namespace ganc {
namespace {

bool moves_one_operand(Op op) {
  return op == Op::reshape || op == Op::transpose || op == Op::broadcast_in_dim ||
         op == Op::slice || op == Op::reverse;
}

// Whether `id`, seen through movement, is a value whose log has a stable form.
bool is_moved_probability(const Rewriter& r, NodeId id) {
  bool moved = false;
  while (moves_one_operand(r[id].op) && !r.opaque(id)) {
    id = r[id].operands[0];
    moved = true;
  }
  if (!moved || r.opaque(id)) return false;
  const Node& node = r[id];
  if (node.op == Op::logistic) return true;
  return node.op == Op::divide && r[node.operands[0]].op == Op::exponential &&
         !r.opaque(node.operands[0]);
}

NodeId log_of_moved_probability(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[0];
  if (!is_moved_probability(r, inner)) return {};
  const Node movement = r[inner];
  const NodeId logarithm = r.make(Op::log, {movement.operands[0]});
  return r.make(movement.op, {logarithm}, movement.attributes, movement.type);
}

NodeId one_minus_moved_logistic(Rewriter& r, const Node& node) {
  const NodeId inner = node.operands[1];
  if (uniform_constant(r.graph(), node.operands[0]) != 1.0 || !is_real(node.type.dtype) ||
      !is_moved_probability(r, inner)) {
    return {};
  }
  const Node movement = r[inner];
  const Type& type = r[movement.operands[0]].type;
  const NodeId rest = r.make(Op::subtract, {r.constant(1, type), movement.operands[0]});
  return r.make(movement.op, {rest}, movement.attributes, movement.type);
}

}  // namespace

std::span<const StructuralRule> stability_movement_rules() {
  static constexpr StructuralRule table[] = {
      {"log_of_moved_probability", Op::log, log_of_moved_probability,
       "graph f(%1: f32[4,1]) {\n  %2 = logistic %1 : f32[4,1]\n  %3 = reshape %2 : f32[4]\n"
       "  %4 = log %3 : f32[4]\n  return \"out\": %4\n}\n"},
      {"one_minus_moved_logistic", Op::subtract, one_minus_moved_logistic,
       "graph f(%1: f32[4,1]) {\n  %2 = logistic %1 : f32[4,1]\n  %3 = reshape %2 : f32[4]\n"
       "  %4 = constant {values=[1]} : f32[4]\n  %5 = subtract %4, %3 : f32[4]\n"
       "  return \"out\": %5\n}\n"},
  };
  return table;
}

std::span<const StructuralRule> structural_rules() {
  using namespace rules;
  static constexpr std::string_view none = "";
  static const std::vector<StructuralRule> table = [] {
    std::vector<StructuralRule> all = {
        {"reshape_of_reshape", Op::reshape, reshape_of_reshape, none},
        {"transpose_of_transpose", Op::transpose, transpose_of_transpose, none},
        {"transpose_as_reshape", Op::transpose, transpose_as_reshape, none},
        {"broadcast_of_broadcast", Op::broadcast_in_dim, broadcast_of_broadcast, none},
        {"broadcast_as_reshape", Op::broadcast_in_dim, broadcast_as_reshape, none},
        {"broadcast_of_unit_reshape", Op::broadcast_in_dim, broadcast_of_unit_reshape, none},
        {"slice_of_all", Op::slice, slice_of_all, none},
        {"pad_of_nothing", Op::pad, pad_of_nothing, none},
        {"concatenate_of_one", Op::concatenate, concatenate_of_one, none},
        {"reverse_of_nothing", Op::reverse, reverse_of_nothing, none},
        {"convert_of_convert", Op::convert, convert_of_convert, none},
        {"select_known", Op::select, select_known, none},
        {"sum_of_units", Op::reduce_sum, reduce_of_units, none},
        {"max_of_units", Op::reduce_max, reduce_of_units, none},
        {"sum_of_sum", Op::reduce_sum, sum_of_sum, none},
        {"max_of_max", Op::reduce_max, sum_of_sum, none},
        {"sum_of_broadcast", Op::reduce_sum, sum_of_broadcast, none},
        {"scale_leaves_sum", Op::reduce_sum, scale_leaves_sum, none},
        {"dot_with_zeros", Op::dot_general, contraction_with_zeros, none},
        {"convolution_with_zeros", Op::convolution, contraction_with_zeros, none},
    };
    for (const OpDefinition* op : all_ops()) {
      if (op->op_class != OpClass::elementwise || op->op == Op::draw || op->op == Op::stop) continue;
      if (op->arity == 1) all.push_back({"unary_of_broadcast", op->op, unary_of_broadcast, none});
      if (op->arity == 2) all.push_back({"binary_of_broadcasts", op->op, binary_of_broadcasts, none});
    }
    return all;
  }();
  return table;
}

}  // namespace ganc
