// Elementwise ops of one operand. Each row is a whole op: derivative in terms of ops, one element
// of generated code, one element in float64.
#include <cmath>
#include <numbers>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

using Scalars = std::span<const ScalarId>;

TypeOrError of_reals(Types operands, const Attributes&, const Type&) {
  if (!is_real(operands[0].dtype)) return wrong("needs reals, but got {}", to_string(operands[0]));
  return {.type = operands[0], .error = {}};
}

TypeOrError of_signed(Types operands, const Attributes&, const Type&) {
  if (!is_real(operands[0].dtype) && operands[0].dtype != DType::i32) {
    return wrong("needs signed numbers, but got {}", to_string(operands[0]));
  }
  return {.type = operands[0], .error = {}};
}

TypeOrError of_bits(Types operands, const Attributes&, const Type&) {
  if (operands[0].dtype != DType::pred && operands[0].dtype != DType::u32) {
    return wrong("needs pred or u32, but got {}", to_string(operands[0]));
  }
  return {.type = operands[0], .error = {}};
}

TypeOrError of_any(Types operands, const Attributes&, const Type&) {
  return {.type = operands[0], .error = {}};
}

TypeOrError draw_type(Types operands, const Attributes& attributes, const Type&) {
  if (attributes.name.empty()) return wrong("needs a name");
  return {.type = operands[0], .error = {}};
}

TypeOrError convert_type(Types operands, const Attributes&, const Type& given) {
  return right(given.dtype, operands[0].shape);
}

// D(b, x, y, dy) is the derivative by x.
template <auto D>
Gradients derivative(Builder& b, const Node& node, NodeId y, NodeId dy) {
  return {D(b, node.operands[0], y, dy)};
}

template <auto F>
ScalarId lowered(ScalarBuilder& s, const Node&, Scalars operands) {
  return F(s, operands[0]);
}

ScalarId same_scalar(ScalarBuilder&, const Node&, Scalars operands) {
  return operands[0];
}

template <auto F>
Value evaluated(const Node& node, Operands operands) {
  return map_elements(node, *operands[0], F);
}

Value same_value(const Node& node, Operands operands) {
  return {node.type, operands[0]->data};
}

Value negate_reference(const Node& node, Operands operands) {
  if (is_real(node.type.dtype)) {
    return map_elements(node, *operands[0], [](double x) { return -x; });
  }
  return map_elements(node, *operands[0], [&](double x) {
    return wrapped(node.type.dtype, -static_cast<std::int64_t>(x));
  });
}

Value abs_reference(const Node& node, Operands operands) {
  if (is_real(node.type.dtype)) {
    return map_elements(node, *operands[0], [](double x) { return std::fabs(x); });
  }
  return map_elements(node, *operands[0], [&](double x) {
    return wrapped(node.type.dtype, std::llabs(static_cast<std::int64_t>(x)));
  });
}

Value logical_not_reference(const Node& node, Operands operands) {
  if (node.type.dtype == DType::pred) {
    return map_elements(node, *operands[0], [](double x) { return x == 0 ? 1.0 : 0.0; });
  }
  return map_elements(node, *operands[0],
                      [](double x) -> double { return ~static_cast<std::uint32_t>(x); });
}

Value convert_reference(const Node& node, Operands operands) {
  const DType from = operands[0]->type.dtype;
  return map_elements(node, *operands[0],
                      [&](double x) { return converted(x, from, node.type.dtype); });
}

Gradients convert_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const DType from = b.dtype(node.operands[0]);
  if (!is_real(node.type.dtype) || !is_real(from)) return {NodeId{}};
  return {b.convert(dy, from)};
}

double softplus_of(double x) {
  return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}

double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}

// 0.5, 1.5 and -0.5 go to their even neighbours; does not depend on the rounding mode.
double round_half_even(double x) {
  return x - std::remainder(x, 1.0);
}

std::vector<Sample> plain_and(double low, double high) {
  return {{{{f32({7})}}}, {{{f32({2, 1, 3}), low, high}}}, {{{f32({0, 2})}}}, {{{f32({})}}}};
}
std::vector<Sample> only(double low, double high) {
  return {{{{f32({7}), low, high}}}, {{{f32({2, 1, 3}), low, high}}}, {{{f32({0}), low, high}}}};
}
std::vector<Sample> with_signed_integers() {
  std::vector<Sample> samples = plain_and(-100, 100);
  samples.push_back({{{i32({5}), -9, 9}}});
  return samples;
}

const double two_by_sqrt_pi = 2 * std::numbers::inv_sqrtpi;

const OpDefinition definitions[] = {
    {.op = Op::negate,
     .name = "negate",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_signed,
     .gradient = derivative<[](Builder& b, NodeId, NodeId, NodeId dy) { return b.negate(dy); }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.negate(x); }>,
     .reference = negate_reference,
     .samples = with_signed_integers()},
    // dx = sign(x) dy, 0 at 0.
    {.op = Op::abs,
     .name = "abs",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_signed,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.multiply(dy, b.unary(Op::sign, x));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.abs(x); }>,
     .reference = abs_reference,
     .samples = with_signed_integers()},
    // -1, 0 or 1; a NaN stays one.
    {.op = Op::sign,
     .name = "sign",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_signed,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) {
       const DType dtype = s.dtype(x);
       const ScalarId zero = s.constant(0, dtype);
       const ScalarId below =
           s.select(s.compare(Comparison::less, x, zero), s.constant(-1, dtype), x);
       return s.select(s.compare(Comparison::greater, x, zero), s.constant(1, dtype), below);
     }>,
     .reference = evaluated<sign_of>,
     .samples = with_signed_integers()},
    {.op = Op::exponential,
     .name = "exponential",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient =
         derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) { return b.multiply(dy, y); }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.exponential(x); }>,
     .reference = evaluated<[](double x) { return std::exp(x); }>,
     .samples = plain_and(-30, 3)},
    {.op = Op::log,
     .name = "log",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient =
         derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) { return b.divide(dy, x); }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.log(x); }>,
     .reference = evaluated<[](double x) { return std::log(x); }>,
     .samples = only(0.1, 10)},
    {.op = Op::log_plus_one,
     .name = "log_plus_one",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.divide(dy, b.add(x, b.like(x, 1)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.log_plus_one(x); }>,
     .reference = evaluated<[](double x) { return std::log1p(x); }>,
     .samples = only(-0.8, 10)},
    {.op = Op::exponential_minus_one,
     .name = "exponential_minus_one",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) {
       return b.multiply(dy, b.add(y, b.like(y, 1)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.exponential_minus_one(x); }>,
     .reference = evaluated<[](double x) { return std::expm1(x); }>,
     .samples = plain_and(-30, 3)},
    // 1 / (1 + e^-x), below 0 e^x / (1 + e^x): neither end overflows, and softplus, whose
    // derivative it is, has the same power of e. dx = y (1 - y) dy.
    {.op = Op::logistic,
     .name = "logistic",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) {
       return b.multiply(dy, b.multiply(y, b.subtract(b.like(y, 1), y)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) {
       const ScalarId one = s.constant(1, s.dtype(x)), zero = s.constant(0, s.dtype(x)),
                      tail = s.exponential(s.negate(s.abs(x)));
       const ScalarId below = s.compare(Comparison::less, x, zero);
       return s.divide(s.select(below, tail, one), s.add(one, tail));
     }>,
     .reference = evaluated<[](double x) { return 1 / (1 + std::exp(-x)); }>,
     .samples = plain_and(-30, 30)},
    // dx = (1 - y y) dy: in y, not x, so there is no second tanh and the rule itself differentiates
    // again.
    {.op = Op::tanh,
     .name = "tanh",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) {
       return b.multiply(dy, b.subtract(b.like(y, 1), b.multiply(y, y)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.tanh(x); }>,
     .reference = evaluated<[](double x) { return std::tanh(x); }>,
     .samples = plain_and(-20, 20)},
    // dx = (dy / 2) / y, and 0 at 0, where the limit is infinite: so the norm, sqrt(sum(x x)), has
    // the derivative 0 at 0, of any order. The divisor is chosen too: else the second derivative
    // would be 0 times infinity there.
    {.op = Op::sqrt,
     .name = "sqrt",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) {
       const NodeId at_zero = b.compare(Comparison::equal, y, b.like(y, 0));
       const NodeId divisor = b.select(at_zero, b.like(y, 1), y);
       return b.select(at_zero, b.like(y, 0), b.divide(scale(b, dy, 0.5), divisor));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.sqrt(x); }>,
     .reference = evaluated<[](double x) { return std::sqrt(x); }>,
     .samples = only(0.1, 10)},
    // dx = -y y y dy / 2
    {.op = Op::rsqrt,
     .name = "rsqrt",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId, NodeId y, NodeId dy) {
       return b.multiply(scale(b, dy, -0.5), b.multiply(y, b.multiply(y, y)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) {
       return s.divide(s.constant(1, s.dtype(x)), s.sqrt(x));
     }>,
     .reference = evaluated<[](double x) { return 1 / std::sqrt(x); }>,
     .samples = only(0.1, 10)},
    // log(1 + e^x) = max(x, 0) + log1p(e^-|x|): neither end overflows. dx = logistic(x) dy.
    {.op = Op::softplus,
     .name = "softplus",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.multiply(dy, b.unary(Op::logistic, x));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) {
       const ScalarId tail = s.log_plus_one(s.exponential(s.negate(s.abs(x))));
       return s.add(s.maximum(x, s.constant(0, s.dtype(x))), tail);
     }>,
     .reference = evaluated<softplus_of>,
     .samples = plain_and(-800, 800)},
    {.op = Op::sine,
     .name = "sine",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.multiply(dy, b.unary(Op::cosine, x));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.sine(x); }>,
     .reference = evaluated<[](double x) { return std::sin(x); }>,
     .samples = plain_and(-20, 20)},
    {.op = Op::cosine,
     .name = "cosine",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.negate(b.multiply(dy, b.unary(Op::sine, x)));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.cosine(x); }>,
     .reference = evaluated<[](double x) { return std::cos(x); }>,
     .samples = plain_and(-20, 20)},
    // dx = 2 / sqrt(pi) e^(-x x) dy
    {.op = Op::erf,
     .name = "erf",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .gradient = derivative<[](Builder& b, NodeId x, NodeId, NodeId dy) {
       return b.multiply(scale(b, dy, two_by_sqrt_pi), b.exponential(b.negate(b.multiply(x, x))));
     }>,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.erf(x); }>,
     .reference = evaluated<[](double x) { return std::erf(x); }>,
     .samples = plain_and(-6, 6)},
    {.op = Op::floor,
     .name = "floor",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.floor(x); }>,
     .reference = evaluated<[](double x) { return std::floor(x); }>,
     .samples = plain_and(-100, 100)},
    {.op = Op::round_nearest_even,
     .name = "round_nearest_even",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_reals,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.round_nearest_even(x); }>,
     .reference = evaluated<[](double x) { return std::isinf(x) ? x : round_half_even(x); }>,
     .samples = plain_and(-100, 100)},
    {.op = Op::logical_not,
     .name = "logical_not",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_bits,
     .scalar = lowered<[](ScalarBuilder& s, ScalarId x) { return s.logical_not(x); }>,
     .reference = logical_not_reference,
     .samples = {{{{pred({6}), 0, 1}}}, {{{u32({2, 2}), 0, 1e6}}}, {{{pred({0}), 0, 1}}}}},
    {.op = Op::convert,
     .name = "convert",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = convert_type,
     .gradient = convert_gradient,
     .scalar =
         [](ScalarBuilder& s, const Node& node, Scalars operands) {
           if (node.type.dtype != DType::pred) return s.convert(operands[0], node.type.dtype);
           const ScalarId zero = s.constant(0, s.dtype(operands[0]));
           return s.compare(Comparison::not_equal, operands[0], zero);
         },
     .reference = convert_reference,
     .samples = {{{{f32({3, 2})}}, {}, {DType::f64, {}}},
                 {{{f32({9}), -20, 20}}, {}, {DType::i32, {}}},
                 {{{f32({9}), 0, 20}}, {}, {DType::u32, {}}},
                 {{{f32({9})}}, {}, {DType::pred, {}}},
                 {{{i32({9}), -5, 5}}, {}, {DType::f32, {}}},
                 {{{i32({9}), -5, 5}}, {}, {DType::u32, {}}},
                 {{{u32({9}), 0, 4294967295}}, {}, {DType::i32, {}}},
                 {{{u32({9}), 0, 16777215}}, {}, {DType::f32, {}}},
                 {{{pred({9}), 0, 1}}, {}, {DType::f32, {}}},
                 {{{pred({9}), 0, 1}}, {}, {DType::i32, {}}},
                 {{{i32({9}), -2, 2}}, {}, {DType::pred, {}}}}},
    {.op = Op::stop,
     .name = "stop",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = of_any,
     .scalar = same_scalar,
     .reference = same_value,
     .samples = plain_and(-100, 100)},
    // No derivative: a draw is a constant to its distribution's parameters.
    {.op = Op::draw,
     .name = "draw",
     .op_class = OpClass::elementwise,
     .arity = 1,
     .type = draw_type,
     .scalar = same_scalar,
     .reference = same_value,
     .samples = {{{{f32({2, 3})}}, {.name = "draw/D/z"}}},
     .attributes = reads::name},
};

}  // namespace

std::span<const OpDefinition> elementwise_unary_ops() {
  return definitions;
}

}  // namespace ganc
