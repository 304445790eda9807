#pragma once

#include <cmath>
#include <cstdlib>
#include <vector>

#include "compiler/ops/reference.h"
#include "compiler/ops/scalar.h"

namespace ganc::test {

// A ScalarBuilder whose scalars are numbers: a lowering evaluated at once, as generated code would.
// What generated code must not do (divide integers by 0, shift by 32, mix types) counts as a fault.
class EvaluatingScalars final : public ScalarBuilder {
 public:
  ScalarId number(double value, DType dtype) {
    scalars_.push_back(
        {is_integer(dtype) ? wrapped(dtype, static_cast<std::int64_t>(value)) : value, dtype});
    return {static_cast<std::uint32_t>(scalars_.size() - 1)};
  }
  double value(ScalarId x) const { return scalars_[x.index].value; }
  int faults() const { return faults_; }

  ScalarId constant(double value, DType dtype) override { return number(value, dtype); }
  DType dtype(ScalarId x) const override { return scalars_[x.index].dtype; }
  ScalarId add(ScalarId a, ScalarId b) override { return both(a, b, value(a) + value(b)); }
  ScalarId subtract(ScalarId a, ScalarId b) override { return both(a, b, value(a) - value(b)); }
  ScalarId multiply(ScalarId a, ScalarId b) override {
    if (is_real(dtype(a))) return both(a, b, value(a) * value(b));
    const auto product = static_cast<std::uint64_t>(static_cast<std::int64_t>(value(a))) *
                         static_cast<std::uint64_t>(static_cast<std::int64_t>(value(b)));
    return both(a, b, wrapped(dtype(a), static_cast<std::int64_t>(product)));
  }
  ScalarId divide(ScalarId a, ScalarId b) override {
    if (is_real(dtype(a))) return both(a, b, value(a) / value(b));
    const bool traps = value(b) == 0 || (value(a) == -0x1p31 && value(b) == -1);
    if (traps) ++faults_;
    return both(a, b, traps ? 0 : std::trunc(value(a) / value(b)));
  }
  ScalarId maximum(ScalarId a, ScalarId b) override {
    return both(a, b, std::isnan(value(a)) ? value(a) : value(a) > value(b) ? value(a) : value(b));
  }
  ScalarId minimum(ScalarId a, ScalarId b) override {
    return both(a, b, std::isnan(value(a)) ? value(a) : value(a) < value(b) ? value(a) : value(b));
  }
  ScalarId negate(ScalarId x) override { return number(-value(x), dtype(x)); }
  ScalarId abs(ScalarId x) override { return number(std::fabs(value(x)), dtype(x)); }
  ScalarId sqrt(ScalarId x) override { return real(x, std::sqrt(value(x))); }
  ScalarId floor(ScalarId x) override { return real(x, std::floor(value(x))); }
  ScalarId round_nearest_even(ScalarId x) override { return real(x, std::nearbyint(value(x))); }
  ScalarId exponential(ScalarId x) override { return real(x, std::exp(value(x))); }
  ScalarId exponential_minus_one(ScalarId x) override { return real(x, std::expm1(value(x))); }
  ScalarId log(ScalarId x) override { return real(x, std::log(value(x))); }
  ScalarId log_plus_one(ScalarId x) override { return real(x, std::log1p(value(x))); }
  ScalarId tanh(ScalarId x) override { return real(x, std::tanh(value(x))); }
  ScalarId erf(ScalarId x) override { return real(x, std::erf(value(x))); }
  ScalarId sine(ScalarId x) override { return real(x, std::sin(value(x))); }
  ScalarId cosine(ScalarId x) override { return real(x, std::cos(value(x))); }
  ScalarId power(ScalarId a, ScalarId b) override {
    return both(a, b, std::pow(value(a), value(b)));
  }
  ScalarId compare(Comparison comparison, ScalarId a, ScalarId b) override {
    if (dtype(a) != dtype(b)) ++faults_;
    const double x = value(a), y = value(b);
    switch (comparison) {
      case Comparison::equal:
        return number(x == y, DType::pred);
      case Comparison::not_equal:
        return number(x != y, DType::pred);
      case Comparison::less:
        return number(x < y, DType::pred);
      case Comparison::less_equal:
        return number(x <= y, DType::pred);
      case Comparison::greater:
        return number(x > y, DType::pred);
      case Comparison::greater_equal:
        return number(x >= y, DType::pred);
    }
    __builtin_unreachable();
  }
  ScalarId select(ScalarId predicate, ScalarId a, ScalarId b) override {
    if (dtype(predicate) != DType::pred) ++faults_;
    return both(a, b, value(predicate) != 0 ? value(a) : value(b));
  }
  ScalarId logical_and(ScalarId a, ScalarId b) override { return both(a, b, word(a) & word(b)); }
  ScalarId logical_or(ScalarId a, ScalarId b) override { return both(a, b, word(a) | word(b)); }
  ScalarId logical_not(ScalarId x) override {
    return number(dtype(x) == DType::pred ? 1 - value(x) : ~word(x), dtype(x));
  }
  ScalarId shift_right_logical(ScalarId a, ScalarId b) override {
    return both(a, b, word(b) < 32 ? word(a) >> word(b) : 12345);  // anything: nobody may look
  }
  ScalarId convert(ScalarId x, DType to) override {
    if (to == DType::pred) ++faults_;
    return number(converted(value(x), dtype(x), to), to);
  }

 private:
  struct Scalar {
    double value;
    DType dtype;
  };
  std::uint32_t word(ScalarId x) const { return static_cast<std::uint32_t>(value(x)); }
  ScalarId both(ScalarId a, ScalarId b, double result) {
    if (dtype(a) != dtype(b)) ++faults_;
    return number(result, dtype(a));
  }
  ScalarId real(ScalarId x, double result) {
    if (!is_real(dtype(x))) ++faults_;
    return number(result, dtype(x));
  }

  std::vector<Scalar> scalars_;
  int faults_ = 0;
};

}  // namespace ganc::test
