#include "compiler/rewrite/rules.h"

namespace ganc {

// `k` is a constant, `c` a number that is the same in every element, `v` one that is not known to
// be; see pattern.h.
std::span<const PatternRule> algebra_rules() {
  static constexpr PatternRule rules[] = {
      // What differentiation leaves: ones, zeros and signs. Each saves the op.
      {"add_zero", "add(x, 0)", "x"},
      {"subtract_zero", "subtract(x, 0)", "x"},
      {"subtract_from_zero", "subtract(0, x)", "negate(x)"},
      {"multiply_one", "multiply(x, 1)", "x"},
      {"multiply_zero", "multiply(x, 0)", "0"},
      {"multiply_minus_one", "multiply(x, -1)", "negate(x)"},
      {"divide_by_one", "divide(x, 1)", "x"},
      {"zero_divided", "divide(0, x)", "0"},
      {"negate_twice", "negate(negate(x))", "x"},
      {"negate_difference", "negate(subtract(x, y))", "subtract(y, x)"},
      {"add_negated", "add(x, negate(y))", "subtract(x, y)"},
      {"subtract_negated", "subtract(x, negate(y))", "add(x, y)"},
      {"negated_minus", "subtract(negate(x), k)", "subtract(negate(k), x)"},
      {"multiply_negated", "multiply(negate(x), k)", "multiply(x, negate(k))"},
      {"product_of_negated", "multiply(negate(x), negate(y))", "multiply(x, y)"},
      {"negate_product", "negate(multiply(x, k))", "multiply(x, negate(k))"},
      {"square_of_abs", "multiply(abs(x), abs(x))", "multiply(x, x)"},
      // Powers by small exponents: a polynomial log and exp become one or two multiplies.
      {"power_zero", "power(x, 0)", "1"},
      {"power_one", "power(x, 1)", "x"},
      {"power_two", "power(x, 2)", "multiply(x, x)"},
      {"power_three", "power(x, 3)", "multiply(multiply(x, x), x)"},
      {"power_four", "power(x, 4)", "multiply(multiply(x, x), multiply(x, x))"},
      {"power_half", "power(x, 0.5)", "sqrt(x)"},
      {"power_minus_one", "power(x, -1)", "divide(1, x)"},
      {"power_minus_two", "power(x, -2)", "divide(1, multiply(x, x))"},
      // A division costs ten multiplies.
      {"divide_by_constant", "divide(x, k)", "multiply(x, divide(1, k))"},
      // Constants meet: one multiply in place of two, and the scale can leave sums.
      {"constants_meet", "multiply(multiply(x, k1), k2)", "multiply(x, multiply(k1, k2))"},
      {"constant_sums_meet", "add(add(x, k1), k2)", "add(x, add(k1, k2))"},
      {"uniform_factors_meet", "multiply(multiply(v, c1), c2)", "multiply(v, multiply(c1, c2))"},
      {"constant_over_scaled", "divide(k1, multiply(x, k2))", "divide(divide(k1, k2), x)"},
      // What the derivative of a division by x leaves.
      {"multiply_ratio", "multiply(divide(1, y), x)", "divide(x, y)"},
  };
  return rules;
}

}  // namespace ganc
