// Elementwise ops of two operands of one type, comparisons, and select.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/graph/comparison.h"
#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

using Scalars = std::span<const ScalarId>;

TypeOrError of_equal(Types operands, bool accepted, std::string_view needs) {
  if (operands[0] != operands[1]) {
    return wrong("needs equal types, but got {} and {}", to_string(operands[0]),
                 to_string(operands[1]));
  }
  if (!accepted) return wrong("needs {}, but got {}", needs, to_string(operands[0]));
  return {.type = operands[0], .error = {}};
}

TypeOrError of_numbers(Types operands, const Attributes&, const Type&) {
  return of_equal(operands, operands[0].dtype != DType::pred, "numbers");
}
TypeOrError of_reals(Types operands, const Attributes&, const Type&) {
  return of_equal(operands, is_real(operands[0].dtype), "reals");
}
TypeOrError of_bits(Types operands, const Attributes&, const Type&) {
  const DType dtype = operands[0].dtype;
  return of_equal(operands, dtype == DType::pred || dtype == DType::u32, "pred or u32");
}
TypeOrError of_u32(Types operands, const Attributes&, const Type&) {
  return of_equal(operands, operands[0].dtype == DType::u32, "u32");
}
TypeOrError compare_type(Types operands, const Attributes&, const Type&) {
  TypeOrError result = of_equal(operands, true, "");
  if (result.type) result.type->dtype = DType::pred;
  return result;
}

TypeOrError select_type(Types operands, const Attributes&, const Type&) {
  if (operands[1] != operands[2]) {
    return wrong("needs equal types, but got {} and {}", to_string(operands[1]),
                 to_string(operands[2]));
  }
  if (operands[0].dtype != DType::pred ||
      (!operands[0].shape.empty() && operands[0].shape != operands[1].shape)) {
    return wrong("needs a predicate of shape [] or {}, but got {}", to_string(operands[1].shape),
                 to_string(operands[0]));
  }
  return {.type = operands[1], .error = {}};
}

template <auto F>
ScalarId lowered(ScalarBuilder& s, const Node&, Scalars operands) {
  return F(s, operands[0], operands[1]);
}

// Real for doubles, Integer for int64 operands, whose result wraps into the dtype.
template <auto Real, auto Integer>
Value evaluated(const Node& node, Operands operands) {
  if (is_real(node.type.dtype)) return map_elements(node, *operands[0], *operands[1], Real);
  return map_elements(node, *operands[0], *operands[1], [&](double a, double b) {
    return wrapped(node.type.dtype,
                   Integer(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b)));
  });
}

template <auto F>
Value evaluated_bits(const Node& node, Operands operands) {
  return map_elements(node, *operands[0], *operands[1], [](double a, double b) -> double {
    return F(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
  });
}

// The larger (smaller) operand gets the derivative, `b` where they are equal: so max(x, 0) has 0 at
// 0.
Gradients share_by(Comparison comparison, Builder& b, const Node& node, NodeId dy) {
  const NodeId first = b.compare(comparison, node.operands[0], node.operands[1]);
  const NodeId zero = b.like(dy, 0);
  return {b.select(first, dy, zero), b.select(first, zero, dy)};
}

double maximum_of(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::max(a, b);
}
double minimum_of(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::min(a, b);
}

std::uint32_t shifted(std::uint32_t a, std::uint32_t b) {
  return b < 32 ? a >> b : 0;
}

// Integers: truncating; by 0 it is 0. Never the processor's trap: neither by 0 nor of -2^31 by -1.
std::int64_t quotient(std::int64_t a, std::int64_t b) {
  return b == 0 ? 0 : a / b;
}

ScalarId integer_quotient(ScalarBuilder& s, ScalarId a, ScalarId b) {
  const DType dtype = s.dtype(a);
  const ScalarId zero = s.constant(0, dtype), one = s.constant(1, dtype);
  const ScalarId by_zero = s.compare(Comparison::equal, b, zero);
  if (dtype == DType::u32) return s.select(by_zero, zero, s.divide(a, s.select(by_zero, one, b)));
  const ScalarId by_minus_one = s.compare(Comparison::equal, b, s.constant(-1, dtype));
  const ScalarId safe = s.select(s.logical_or(by_zero, by_minus_one), one, b);
  const ScalarId signed_quotient = s.select(by_minus_one, s.subtract(zero, a), s.divide(a, safe));
  return s.select(by_zero, zero, signed_quotient);
}

ScalarId divide_scalar(ScalarBuilder& s, const Node& node, Scalars operands) {
  if (is_real(node.type.dtype)) return s.divide(operands[0], operands[1]);
  return integer_quotient(s, operands[0], operands[1]);
}

// y = a / b: da = dy / b, db = -da y.
Gradients divide_gradient(Builder& b, const Node& node, NodeId y, NodeId dy) {
  const NodeId da = b.divide(dy, node.operands[1]);
  return {da, b.negate(b.multiply(da, y))};
}

// a - floor(a / b) b: the sign of b. Integers by 0: a.
double floor_modulus(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
std::int64_t floor_modulus_of_integers(std::int64_t a, std::int64_t b) {
  if (b == 0) return a;
  const std::int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

ScalarId modulo_scalar(ScalarBuilder& s, const Node& node, Scalars operands) {
  const ScalarId a = operands[0], b = operands[1];
  if (is_real(node.type.dtype)) return s.subtract(a, s.multiply(s.floor(s.divide(a, b)), b));
  const ScalarId r = s.subtract(a, s.multiply(integer_quotient(s, a, b), b));
  if (node.type.dtype == DType::u32) return r;
  const ScalarId zero = s.constant(0, DType::i32);
  const ScalarId below =
      s.logical_and(s.compare(Comparison::less, r, zero), s.compare(Comparison::greater, b, zero));
  const ScalarId above =
      s.logical_and(s.compare(Comparison::greater, r, zero), s.compare(Comparison::less, b, zero));
  return s.select(s.logical_or(below, above), s.add(r, b), r);
}

Gradients modulo_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const NodeId turns = b.unary(Op::floor, b.divide(node.operands[0], node.operands[1]));
  return {dy, b.negate(b.multiply(dy, turns))};
}

// da = dy p a^(p - 1). For p = 0 it is 0, also at a = 0.
NodeId power_by_base(Builder& b, NodeId a, NodeId p, NodeId dy) {
  if (const std::optional<double> c = constant_value(b, p)) {
    if (*c == 0) return {};
    if (*c == 1) return dy;
    if (*c == 2) return b.multiply(dy, scale(b, a, 2));
    return b.multiply(scale(b, dy, *c), b.power(a, b.like(p, *c - 1)));
  }
  const NodeId product = b.multiply(p, b.power(a, b.subtract(p, b.like(p, 1))));
  const NodeId is_zero = b.compare(Comparison::equal, p, b.like(p, 0));
  return b.multiply(dy, b.select(is_zero, b.like(p, 0), product));
}

// dp = dy y log(a), 0 where a <= 0. The inner select keeps log away from there in the next
// derivative too.
NodeId power_by_exponent(Builder& b, NodeId a, NodeId p, NodeId y, NodeId dy) {
  if (constant_value(b, p)) return {};
  const NodeId positive = b.compare(Comparison::greater, a, b.like(a, 0));
  const NodeId log = b.log(b.select(positive, a, b.like(a, 1)));
  return b.multiply(dy, b.select(positive, b.multiply(y, log), b.like(a, 0)));
}

Gradients power_gradient(Builder& b, const Node& node, NodeId y, NodeId dy) {
  const NodeId a = node.operands[0], p = node.operands[1];
  return {power_by_base(b, a, p, dy), power_by_exponent(b, a, p, y, dy)};
}

Value compare_reference(const Node& node, Operands operands) {
  return map_elements(node, *operands[0], *operands[1], [&](double a, double b) {
    return holds(node.attributes.comparison, a, b) ? 1.0 : 0.0;
  });
}

Gradients select_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const NodeId zero = b.like(dy, 0);
  return {{}, b.select(node.operands[0], dy, zero), b.select(node.operands[0], zero, dy)};
}

Value select_reference(const Node& node, Operands operands) {
  const Value &predicate = *operands[0], &a = *operands[1], &b = *operands[2];
  if (predicate.type.shape.empty()) return {node.type, predicate.data[0] != 0 ? a.data : b.data};
  Value y{node.type, b.data};
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    if (predicate.data[i] != 0) y.data[i] = a.data[i];
  }
  return y;
}

std::vector<Sample> pairs(Sample::Operand a, Sample::Operand b) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{7}, Shape{2, 1, 3}, Shape{0, 2}, Shape{}}) {
    a.type.shape = b.type.shape = shape;
    samples.push_back({{a, b}});
  }
  return samples;
}
std::vector<Sample> reals() {
  return pairs({f32({})}, {f32({})});
}
std::vector<Sample> reals_and_integers() {
  std::vector<Sample> samples = reals();
  samples.push_back({{{i32({9}), -9, 9}, {i32({9}), -9, 9}}});
  samples.push_back({{{u32({9}), 0, 4294967295}, {u32({9}), 0, 4294967295}}});
  return samples;
}
// A divisor away from 0 for reals, with both signs; integers may meet it.
std::vector<Sample> divisions() {
  std::vector<Sample> samples = pairs({f32({})}, {f32({}), 0.5, 3});
  samples.push_back({{{f32({9}), -50, 50}, {f32({9}), -3, -0.5}}});
  samples.push_back({{{i32({20}), -9, 9}, {i32({20}), -2, 2}}});
  samples.push_back({{{u32({20}), 0, 4294967295}, {u32({20}), 0, 3}}});
  return samples;
}
std::vector<Sample> powers() {
  std::vector<Sample> samples = pairs({f32({}), 0.2, 3}, {f32({}), -2, 3});
  samples.push_back({{{f32({5}), 0.01, 0.1}, {f32({5}), 2.5, 4}}});
  return samples;
}
std::vector<Sample> bits() {
  return {{{{pred({9}), 0, 1}, {pred({9}), 0, 1}}},
          {{{u32({9}), 0, 4294967295}, {u32({9}), 0, 4294967295}}},
          {{{pred({0}), 0, 1}, {pred({0}), 0, 1}}}};
}
std::vector<Sample> comparisons() {
  std::vector<Sample> samples;
  for (Comparison comparison :
       {Comparison::equal, Comparison::not_equal, Comparison::less, Comparison::less_equal,
        Comparison::greater, Comparison::greater_equal}) {
    samples.push_back({{{f32({3, 2})}, {f32({3, 2})}}, {.comparison = comparison}});
    samples.push_back({{{i32({9}), -1, 1}, {i32({9}), -1, 1}}, {.comparison = comparison}});
    samples.push_back(
        {{{u32({9}), 0, 4294967295}, {u32({9}), 0, 4294967295}}, {.comparison = comparison}});
  }
  return samples;
}

const OpDefinition definitions[] = {
    {.op = Op::add,
     .name = "add",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = [](Builder&, const Node&, NodeId, NodeId dy) -> Gradients { return {dy, dy}; },
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.add(a, b); }>,
     .reference = evaluated<[](double a, double b) { return a + b; },
                            [](std::int64_t a, std::int64_t b) { return a + b; }>,
     .samples = reals_and_integers()},
    {.op = Op::subtract,
     .name = "subtract",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = [](Builder& b, const Node&, NodeId, NodeId dy) -> Gradients {
       return {dy, b.negate(dy)};
     },
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.subtract(a, b); }>,
     .reference = evaluated<[](double a, double b) { return a - b; },
                            [](std::int64_t a, std::int64_t b) { return a - b; }>,
     .samples = reals_and_integers()},
    {.op = Op::multiply,
     .name = "multiply",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = [](Builder& b, const Node& node, NodeId, NodeId dy) -> Gradients {
       return {b.multiply(dy, node.operands[1]), b.multiply(dy, node.operands[0])};
     },
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.multiply(a, b); }>,
     .reference = evaluated<[](double a, double b) { return a * b; },
                            [](std::int64_t a, std::int64_t b) {
                              return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) *
                                                               static_cast<std::uint64_t>(b));
                            }>,
     .samples = reals_and_integers()},
    {.op = Op::divide,
     .name = "divide",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = divide_gradient,
     .scalar = divide_scalar,
     .reference = evaluated<[](double a, double b) { return a / b; }, quotient>,
     .samples = divisions()},
    {.op = Op::maximum,
     .name = "maximum",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = [](Builder& b, const Node& node, NodeId,
                    NodeId dy) { return share_by(Comparison::greater, b, node, dy); },
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.maximum(a, b); }>,
     .reference =
         evaluated<maximum_of, [](std::int64_t a, std::int64_t b) { return std::max(a, b); }>,
     .samples = reals_and_integers()},
    {.op = Op::minimum,
     .name = "minimum",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = [](Builder& b, const Node& node, NodeId,
                    NodeId dy) { return share_by(Comparison::less, b, node, dy); },
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.minimum(a, b); }>,
     .reference =
         evaluated<minimum_of, [](std::int64_t a, std::int64_t b) { return std::min(a, b); }>,
     .samples = reals_and_integers()},
    {.op = Op::power,
     .name = "power",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_reals,
     .gradient = power_gradient,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.power(a, b); }>,
     .reference = evaluated<[](double a, double b) { return std::pow(a, b); },
                            [](std::int64_t a, std::int64_t) { return a; }>,  // reals only
     .samples = powers()},
    {.op = Op::modulo,
     .name = "modulo",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_numbers,
     .gradient = modulo_gradient,
     .scalar = modulo_scalar,
     .reference = evaluated<floor_modulus, floor_modulus_of_integers>,
     .samples = divisions()},
    {.op = Op::logical_and,
     .name = "logical_and",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_bits,
     .scalar =
         lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.logical_and(a, b); }>,
     .reference = evaluated_bits<[](std::uint32_t a, std::uint32_t b) { return a & b; }>,
     .samples = bits()},
    {.op = Op::logical_or,
     .name = "logical_or",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_bits,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) { return s.logical_or(a, b); }>,
     .reference = evaluated_bits<[](std::uint32_t a, std::uint32_t b) { return a | b; }>,
     .samples = bits()},
    // By 32 and more it is 0.
    {.op = Op::shift_right_logical,
     .name = "shift_right_logical",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = of_u32,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId a, ScalarId b) {
       const ScalarId within = s.compare(Comparison::less, b, s.constant(32, DType::u32));
       return s.select(within, s.shift_right_logical(a, b), s.constant(0, DType::u32));
     }>,
     .reference = evaluated_bits<shifted>,
     .samples = {{{{u32({30}), 0, 4294967295}, {u32({30}), 0, 40}}}}},
    {.op = Op::compare,
     .name = "compare",
     .op_class = OpClass::elementwise,
     .arity = 2,
     .type = compare_type,
     .scalar =
         [](ScalarBuilder& s, const Node& node, Scalars operands) {
           return s.compare(node.attributes.comparison, operands[0], operands[1]);
         },
     .reference = compare_reference,
     .samples = comparisons(),
     .attributes = reads::comparison},
    {.op = Op::select,
     .name = "select",
     .op_class = OpClass::elementwise,
     .arity = 3,
     .type = select_type,
     .gradient = select_gradient,
     .scalar = [](ScalarBuilder& s, const Node&,
                  Scalars operands) { return s.select(operands[0], operands[1], operands[2]); },
     .reference = select_reference,
     .samples = {{{{pred({7}), 0, 1}, {f32({7})}, {f32({7})}}},
                 {{{pred({}), 0, 1}, {f32({2, 3})}, {f32({2, 3})}}},
                 {{{pred({2, 2}), 0, 1}, {i32({2, 2}), -9, 9}, {i32({2, 2}), -9, 9}}},
                 {{{pred({0}), 0, 1}, {f32({0})}, {f32({0})}}}}},
};

}  // namespace

std::span<const OpDefinition> elementwise_binary_ops() {
  return definitions;
}

}  // namespace ganc
