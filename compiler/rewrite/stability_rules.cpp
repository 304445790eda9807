#include "compiler/rewrite/rules.h"

namespace ganc {

// In f32 the left sides overflow, cancel to 0 or take log(0) somewhere in [-200, 200]; the right
// sides nowhere, and neither do the derivatives that are made from them.
std::span<const PatternRule> stability_rules() {
  static constexpr PatternRule rules[] = {
      // 1 / (1 + e^-x): the derivative as written is inf / inf^2 below -88.
      {"logistic", "divide(1, add(1, exponential(negate(x))))", "logistic(x)"},
      // log(1 + e^x) is inf above 88.
      {"softplus", "log(add(1, exponential(x)))", "softplus(x)"},
      {"softplus_of_log_plus_one", "log_plus_one(exponential(x))", "softplus(x)"},
      // 1 - s(x) cancels to 0 above 17.
      {"one_minus_logistic", "subtract(1, logistic(x))", "logistic(negate(x))"},
      // log s(x) is -inf below -104.
      {"log_logistic", "log(logistic(x))", "negate(softplus(negate(x)))"},
      // log(e^x / s) is -inf where e^x is 0: the softmax, whose s is at least 1.
      {"log_of_exponential_ratio", "log(divide(exponential(x), s))", "subtract(x, log(s))"},
      {"log_of_exponential", "log(exponential(x))", "x"},
  };
  return rules;
}

}  // namespace ganc
