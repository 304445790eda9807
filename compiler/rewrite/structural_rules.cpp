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
        {"reshape_of_reshape", Op::reshape, reshape_of_reshape,
         "graph f(%x: f32[2,6]) {\n"
         "  %a = reshape %x : f32[12]\n"
         "  %b = reshape %a : f32[3,4]\n"
         "  return %b\n"
         "}\n"},
        {"transpose_of_transpose", Op::transpose, transpose_of_transpose,
         "graph f(%x: f32[2,3,4]) {\n"
         "  %a = transpose %x {axes=[2, 0, 1]}\n"
         "  %b = transpose %a {axes=[1, 0, 2]}\n"
         "  return %b\n"
         "}\n"},
        {"transpose_as_reshape", Op::transpose, transpose_as_reshape,
         "graph f(%x: f32[2,1,4]) {\n"
         "  %a = transpose %x {axes=[1, 0, 2]}\n"
         "  return %a\n"
         "}\n"},
        {"broadcast_of_broadcast", Op::broadcast_in_dim, broadcast_of_broadcast,
         "graph f(%x: f32[3]) {\n"
         "  %a = broadcast_in_dim %x {axes=[1]} : f32[2,3]\n"
         "  %b = broadcast_in_dim %a {axes=[0, 2]} : f32[2,4,3]\n"
         "  return %b\n"
         "}\n"},
        {"broadcast_as_reshape", Op::broadcast_in_dim, broadcast_as_reshape,
         "graph f(%x: f32[3]) {\n"
         "  %a = broadcast_in_dim %x {axes=[1]} : f32[1,3]\n"
         "  return %a\n"
         "}\n"},
        {"broadcast_of_unit_reshape", Op::broadcast_in_dim, broadcast_of_unit_reshape,
         "graph f(%x: f32[3]) {\n"
         "  %a = reshape %x : f32[3,1]\n"
         "  %b = broadcast_in_dim %a {axes=[0, 1]} : f32[3,4]\n"
         "  return %b\n"
         "}\n"},
        {"slice_of_all", Op::slice, slice_of_all,
         "graph f(%x: f32[3]) {\n"
         "  %a = slice %x {start=[0], limit=[3], stride=[1]}\n"
         "  return %a\n"
         "}\n"},
        {"pad_of_nothing", Op::pad, pad_of_nothing,
         "graph f(%x: f32[3]) {\n"
         "  %z = constant {values=[0]} : f32[]\n"
         "  %a = pad %x, %z {low=[0], high=[0], interior=[0]}\n"
         "  return %a\n"
         "}\n"},
        {"concatenate_of_one", Op::concatenate, concatenate_of_one,
         "graph f(%x: f32[3]) {\n"
         "  %a = concatenate %x {axes=[0]}\n"
         "  return %a\n"
         "}\n"},
        {"reverse_of_nothing", Op::reverse, reverse_of_nothing,
         "graph f(%x: f32[3,1]) {\n"
         "  %a = reverse %x {axes=[1]}\n"
         "  return %a\n"
         "}\n"},
        {"convert_of_convert", Op::convert, convert_of_convert,
         "graph f(%x: f32[3]) {\n"
         "  %a = convert %x : f32[3]\n"
         "  return %a\n"
         "}\n"},
        {"select_known", Op::select, select_known,
         "graph f(%x: f32[3], %y: f32[3]) {\n"
         "  %p = constant {values=[1]} : pred[]\n"
         "  %a = select %p, %x, %y\n"
         "  return %a\n"
         "}\n"},
        {"divide_by_number", Op::divide, divide_by_number,
         "graph f(%x: f32[3,2], %t: f64[]) {\n"
         "  %c = convert %t : f32[]\n"
         "  %b = broadcast_in_dim %c : f32[3,2]\n"
         "  %a = divide %x, %b\n"
         "  return %a\n"
         "}\n"},
        {"sum_of_units", Op::reduce_sum, reduce_of_units,
         "graph f(%x: f32[3,1]) {\n"
         "  %a = reduce_sum %x {axes=[1]}\n"
         "  return %a\n"
         "}\n"},
        {"max_of_units", Op::reduce_max, reduce_of_units,
         "graph f(%x: f32[3,1]) {\n"
         "  %a = reduce_max %x {axes=[1]}\n"
         "  return %a\n"
         "}\n"},
        {"sum_of_sum", Op::reduce_sum, sum_of_sum,
         "graph f(%x: f32[2,3,4]) {\n"
         "  %a = reduce_sum %x {axes=[1]}\n"
         "  %b = reduce_sum %a {axes=[1]}\n"
         "  return %b\n"
         "}\n"},
        {"max_of_max", Op::reduce_max, sum_of_sum,
         "graph f(%x: f32[2,3,4]) {\n"
         "  %a = reduce_max %x {axes=[0]}\n"
         "  %b = reduce_max %a {axes=[1]}\n"
         "  return %b\n"
         "}\n"},
        {"sum_of_broadcast", Op::reduce_sum, sum_of_broadcast,
         "graph f(%x: f32[3,5]) {\n"
         "  %a = broadcast_in_dim %x {axes=[1, 3]} : f32[2,3,4,5]\n"
         "  %b = reduce_sum %a {axes=[0, 3]}\n"
         "  return %b\n"
         "}\n"},
        {"sum_of_centred", Op::reduce_sum, sum_of_centred,
         "graph f(%x: f32[3,4], %y: f32[3,4], %c: f32[3]) {\n"
         "  %s = reduce_sum %x {axes=[1]}\n"
         "  %q = constant {values=[0.25]} : f32[3]\n"
         "  %m = multiply %s, %q\n"
         "  %b = broadcast_in_dim %m {axes=[0]} : f32[3,4]\n"
         "  %d = subtract %x, %b\n"
         "  %e = broadcast_in_dim %c {axes=[0]} : f32[3,4]\n"
         "  %p = multiply %e, %d\n"
         "  %a = add %y, %p\n"
         "  %r = reduce_sum %a {axes=[1]}\n"
         "  return %r\n"
         "}\n"},
        {"squares_of_centred", Op::reduce_sum, squares_of_centred,
         "graph f(%x: f32[256,3]) {\n"
         "  %s = reduce_sum %x {axes=[0]}\n"
         "  %q = constant {values=[0.00390625]} : f32[3]\n"
         "  %m = multiply %s, %q\n"
         "  %b = broadcast_in_dim %m {axes=[1]} : f32[256,3]\n"
         "  %d = subtract %x, %b\n"
         "  %e = multiply %d, %d\n"
         "  %r = reduce_sum %e {axes=[0]}\n"
         "  return %r\n"
         "}\n"},
        {"factors_leave_sum", Op::reduce_sum, factors_leave_sum,
         "graph f(%x: f32[3,4], %y: f32[3,4], %c: f32[3], %d: f32[3]) {\n"
         "  %a = broadcast_in_dim %c {axes=[0]} : f32[3,4]\n"
         "  %b = broadcast_in_dim %d {axes=[0]} : f32[3,4]\n"
         "  %e = multiply %x, %a\n"
         "  %f = negate %y\n"
         "  %g = divide %f, %b\n"
         "  %h = multiply %e, %g\n"
         "  %s = reduce_sum %h {axes=[1]}\n"
         "  return %s\n"
         "}\n"},
        {"sum_of_known_sums", Op::reduce_sum, sum_of_known_sums,
         "graph f(%x: f32[3,4], %y: f32[3,4]) {\n"
         "  %s = reduce_sum %x {axes=[1]}\n"
         "  %t = reduce_sum %y {axes=[1]}\n"
         "  %u = multiply %s, %t\n"
         "  %a = add %x, %y\n"
         "  %r = reduce_sum %a {axes=[1]}\n"
         "  return %u, %r\n"
         "}\n"},
        {"dot_with_zeros", Op::dot_general, contraction_with_zeros,
         "graph f(%x: f32[3,4]) {\n"
         "  %z = constant {values=[0]} : f32[4,2]\n"
         "  %a = dot_general %x, %z {lhs_contract=[1], rhs_contract=[0]}\n"
         "  return %a\n"
         "}\n"},
        {"convolution_with_zeros", Op::convolution, contraction_with_zeros,
         "graph f(%x: f32[1,2,5]) {\n"
         "  %z = constant {values=[0]} : f32[3,2,3]\n"
         "  %a = convolution %x, %z {windows=[{}]}\n"
         "  return %a\n"
         "}\n"},
    };
    for (const OpDefinition* op : all_ops()) {
      if (op->op_class != OpClass::elementwise || op->op == Op::draw || op->op == Op::stop)
        continue;
      if (op->arity == 1) all.push_back({"unary_of_broadcast", op->op, unary_of_broadcast, none});
      if (op->arity == 2)
        all.push_back({"binary_of_broadcasts", op->op, binary_of_broadcasts, none});
    }
    return all;
  }();
  return table;
}

}  // namespace ganc
