#include <catch2/catch.hpp>

#include <limits>

#include "compiler/ops/op.h"
#include "tests/unit/ops/evaluating_scalars.h"
#include "tests/unit/random_value.h"

namespace ganc::test {
namespace {

// Compares the scalar lowering of one op with its reference for given operands, element by element.
void check_lowering(const OpDefinition& op, const Node& node, const std::vector<Value>& operands) {
  std::vector<const Value*> pointers;
  for (const Value& operand : operands) pointers.push_back(&operand);
  const Value expected = op.reference(node, pointers);
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    EvaluatingScalars s;
    std::vector<ScalarId> scalars;
    for (const Value& operand : operands) {
      scalars.push_back(
          s.number(operand.data[operand.type.shape.empty() ? 0 : i], operand.type.dtype));
    }
    const ScalarId result = op.scalar(s, node, scalars);
    INFO(op.name << " of " << operands[0].data[operands[0].type.shape.empty() ? 0 : i]
                 << " (element " << i << ") is " << expected.data[i] << ", lowered "
                 << s.value(result));
    CHECK(s.faults() == 0);
    CHECK(s.dtype(result) == expected.type.dtype);
    const bool both_nan = std::isnan(expected.data[i]) && std::isnan(s.value(result));
    CHECK((both_nan || s.value(result) == Approx(expected.data[i]).epsilon(1e-12).margin(1e-300)));
  }
}

Node node_of(Op op, const std::vector<Value>& operands, const Attributes& attributes,
             const Type& given) {
  std::vector<Type> types;
  for (const Value& operand : operands) types.push_back(operand.type);
  const TypeOrError inferred = infer_type(op, types, attributes, given);
  REQUIRE(inferred.type);
  return {op, *inferred.type, {}, attributes};
}

TEST_CASE("every elementwise op has a lowering, which agrees with its reference") {
  Random random(3);
  for (const OpDefinition* op : all_ops()) {
    CHECK((op->scalar != nullptr) == (op->op_class == OpClass::elementwise));
    if (op->scalar == nullptr) continue;
    for (const Sample& sample : op->samples) {
      std::vector<Value> operands;
      for (const auto& operand : sample.operands) {
        operands.push_back(random_value(random, operand.type, operand.low, operand.high));
      }
      check_lowering(*op, node_of(op->op, operands, sample.attributes, sample.type), operands);
    }
  }
}

TEST_CASE("lowerings at the ends of what a number can be") {
  const double inf = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> ends = {0.0,   -0.0,   1,      -1,  inf, -inf, nan,
                                    1e300, -1e300, 5e-324, 0.5, 2.5, -0.5};
  for (const OpDefinition* op : all_ops()) {
    if (op->scalar == nullptr || op->op == Op::convert || op->op == Op::select) continue;
    if (op->op == Op::modulo)
      continue;  // through floor, not fmod: exact for moderate quotients alone
    if (op->op == Op::round_nearest_even || op->op == Op::floor)
      continue;  // 1e300: the same in both, but by remainder
    for (double other : ends) {
      std::vector<Value> operands = {
          {{DType::f64, {static_cast<std::int64_t>(ends.size())}}, ends}};
      if (op->arity == 2)
        operands.push_back({operands[0].type, std::vector<double>(ends.size(), other)});
      std::vector<Type> types(operands.size(), operands[0].type);
      Attributes attributes;
      if (op->op == Op::draw) attributes.name = "d";
      if (!infer_type(op->op, types, attributes, {}).type) continue;  // not of reals
      check_lowering(*op, node_of(op->op, operands, attributes, {}), operands);
      if (op->arity != 2) break;
    }
  }
}

TEST_CASE("integer quotients and remainders never trap and wrap around") {
  const std::vector<double> i32_ends = {0, 1, -1, 2, -2, 7, -7, 2147483647, -2147483648.0};
  const std::vector<double> u32_ends = {0, 1, 2, 7, 2147483648.0, 4294967295.0};
  for (const auto& [dtype, ends] :
       {std::pair(DType::i32, i32_ends), std::pair(DType::u32, u32_ends)}) {
    const Type type = {dtype, {static_cast<std::int64_t>(ends.size())}};
    for (Op op :
         {Op::divide, Op::modulo, Op::add, Op::subtract, Op::multiply, Op::maximum, Op::minimum}) {
      for (double other : ends) {
        const std::vector<Value> operands = {{type, ends},
                                             {type, std::vector<double>(ends.size(), other)}};
        check_lowering(definition(op), node_of(op, operands, {}, {}), operands);
      }
    }
  }
}

}  // namespace
}  // namespace ganc::test
