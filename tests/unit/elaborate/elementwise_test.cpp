#include <cmath>

#include "tests/unit/elaborate/forward.h"

namespace ganc::testing {
namespace {

struct Row {
  std::string expression;  // of x
  std::function<double(double)> formula;
  double low = -2, high = 2;
};

const std::vector<Row>& table() {
  static const auto s = [](double x) { return 1 / (1 + std::exp(-x)); };
  static const std::vector<Row> rows = {
      {"relu(x)", [](double x) { return x > 0 ? x : 0; }},
      {"leaky_relu(x)", [](double x) { return x > 0 ? x : 0.2 * x; }},
      {"leaky_relu(x, 0.1)", [](double x) { return x > 0 ? x : 0.1 * x; }},
      {"elu(x)", [](double x) { return x > 0 ? x : std::exp(x) - 1; }},
      {"softplus(x)", [](double x) { return std::log1p(std::exp(x)); }},
      {"sigmoid(x)", s},
      {"silu(x)", [](double x) { return x * s(x); }},
      {"gelu(x)", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
      {"tanh(x)", [](double x) { return std::tanh(x); }},
      {"exp(x)", [](double x) { return std::exp(x); }},
      {"log(x)", [](double x) { return std::log(x); }, 0.1, 3},
      {"sqrt(x)", [](double x) { return std::sqrt(x); }, 0.1, 3},
      {"abs(x)", [](double x) { return std::abs(x); }},
      {"sign(x)", [](double x) { return x > 0 ? 1 : -1; }},
      {"sin(x)", [](double x) { return std::sin(x); }},
      {"cos(x)", [](double x) { return std::cos(x); }},
      {"erf(x)", [](double x) { return std::erf(x); }},
      {"floor(x)", [](double x) { return std::floor(x); }},
      {"round(x)", [](double x) { return std::nearbyint(x); }},
      {"clamp(x, -0.5, 1)", [](double x) { return std::min(std::max(x, -0.5), 1.0); }},
      {"lerp(x, 3, 0.25)", [](double x) { return x + 0.25 * (3 - x); }},
      {"-x", [](double x) { return -x; }},
      {"x^2 + x^3 - x^5", [](double x) { return x * x + x * x * x - std::pow(x, 5); }},
      {"x^-2", [](double x) { return 1 / (x * x); }, 0.5, 2},
      {"x^0.5", [](double x) { return std::sqrt(x); }, 0.1, 2},
      {"x^1.7", [](double x) { return std::pow(x, 1.7); }, 0.1, 2},
      {"2^x", [](double x) { return std::pow(2, x); }},
      {"x % 0.7", [](double x) { return x - 0.7 * std::floor(x / 0.7); }},
      {"5 / x", [](double x) { return 5 / x; }, 0.5, 2},
      {"where(x > 0, 1, x)", [](double x) { return x > 0 ? 1 : x; }},
      {"x > 0 and x < 1", [](double x) { return x > 0 && x < 1; }},
      {"x > 1 or x < -1", [](double x) { return x > 1 || x < -1; }},
      {"not (x > 1)", [](double x) { return !(x > 1); }},
      {"(x >= 0) + (x <= 1) * 2", [](double x) { return (x >= 0) + 2 * (x <= 1); }},
      {"(x == x) - (x != x)", [](double) { return 1; }},
      {"min(x, 0.5) + max(0.25, x)", [](double x) { return std::min(x, 0.5) + std::max(0.25, x); }},
      {"bce(sigmoid(x), 0.3)",
       [](double x) { return -(0.3 * std::log(s(x)) + 0.7 * std::log(1 - s(x))); }},
      {"bce_with_logits(x, 0.3)",
       [](double x) { return -(0.3 * std::log(s(x)) + 0.7 * std::log(1 - s(x))); }},
      {"hinge(x, 1)", [](double x) { return std::max(0.0, 1 - x); }},
      {"hinge(x, -1)", [](double x) { return std::max(0.0, 1 + x); }},
      {"real(int(x))", [](double x) { return std::trunc(x); }},
      {"cast(x, f64)", [](double x) { return x; }},
      {"stop(x) + x", [](double x) { return 2 * x; }},
  };
  return rows;
}

TEST_CASE("functions of one element are their formulas") {
  for (const Row& row : table()) {
    INFO(row.expression);
    Forward f("net F(x: [3, 4]) { " + row.expression + " }");
    const Numbers x = numbers(24, row.low, row.high);
    Numbers expected;
    for (const double v : x) expected.push_back(row.formula(v));
    check_close(f.set("arg/x", x).run(), expected);
  }
}

TEST_CASE("the derivatives of functions of one element are those of their formulas") {
  for (const Row& row : table()) {
    INFO(row.expression);
    const bool flat = row.expression.find_first_of("><=") != std::string::npos ||
                      row.expression.starts_with("round") || row.expression.starts_with("floor") ||
                      row.expression.starts_with("sign") || row.expression.starts_with("real") ||
                      row.expression.starts_with("stop") || row.expression.starts_with("cast");
    if (flat) continue;
    Forward f("net F(x: [4]) { grad(" + row.expression + ", x) }");
    const Numbers x = numbers(8, row.low, row.high, 3);
    Numbers expected;
    for (const double v : x)
      expected.push_back((row.formula(v + 1e-6) - row.formula(v - 1e-6)) / 2e-6);
    check_close(f.set("arg/x", x).run(), expected, 1e-6);
  }
}

TEST_CASE("static arithmetic happens when the program is compiled") {
  Forward f(
      "const n = 7 % 4\n"
      "const list = [1, 2, 3]\n"
      "net F(x: [1]) { concat(x, [n, min(list), max(list), sum(list), mean(list), length(list), "
      "list[-1], -7 % 4,\n"
      "  if n == 3 and not false { 10 } else { 20 }, 2^10, length(append(list, 4)), fold(list, 0, "
      "fn(a, b) { a * 10 + b }),\n"
      "  sum(map(list, fn(v) { v * v })), length(list[1:]), exp(0) + sqrt(4)]) }");
  const Numbers out = f.set("arg/x", {0, 0}).run();
  check_close(Numbers(out.begin(), out.begin() + 16),
              {0, 3, 1, 3, 6, 2, 3, 3, 1, 10, 1024, 4, 123, 14, 2, 3});
}

TEST_CASE("shapes broadcast from the right and the batch is never written") {
  Forward f("net F(x: [2, 3], y: [3], t: []) { x * y + t }");
  const Numbers x = numbers(12);
  const Numbers y = numbers(6, -1, 1, 2);
  const Numbers t = {0.5, -0.25};
  Numbers expected;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t i = 0; i < 6; ++i) expected.push_back(x[n * 6 + i] * y[n * 3 + i % 3] + t[n]);
  }
  check_close(f.set("arg/x", x).set("arg/y", y).set("arg/t", t).run(), expected);
}

}  // namespace
}  // namespace ganc::testing
