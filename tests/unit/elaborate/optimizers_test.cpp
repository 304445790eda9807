#include <cmath>

#include "tests/unit/elaborate/iteration.h"

namespace ganc::testing {
namespace {

// One net with the weights a = [1, -2] and b = 3; the gradient of a is c * a, that of b is 4, at
// every step.
std::string program(const std::string& optimizer) {
  return "data x: [] from ring()\n"
         "net P(x: []) -> [] { param a: [2] = 1; param b: [] = 3; sum([0.5, -0.25] * a^2) / 2 + 4 "
         "* b + 0 * x }\n"
         "train for 3 steps, batch 1 { P minimizes E[P(x)] by " +
         optimizer + " }\n";
}

struct Rule {
  std::string optimizer;
  // One element: its value and gradient, its slots, the step from 1; `total` is the norm of all
  // gradients.
  std::function<double(double w, double g, Numbers& slots, double t, double total)> step;
};

TEST_CASE("optimizers are their formulas, for three steps") {
  const auto adam = [](double w, double g, Numbers& s, double t, double lr, double b1, double b2) {
    s[0] = b1 * s[0] + (1 - b1) * g;
    s[1] = b2 * s[1] + (1 - b2) * g * g;
    return w -
           lr * (s[0] / (1 - std::pow(b1, t))) / (std::sqrt(s[1] / (1 - std::pow(b2, t))) + 1e-8);
  };
  const std::vector<Rule> rules = {
      {"sgd(0.1)", [](double w, double g, Numbers&, double, double) { return w - 0.1 * g; }},
      {"sgd(0.1, momentum = 0.9)", [](double w, double g, Numbers& s, double,
                                      double) { return w - 0.1 * (s[0] = 0.9 * s[0] + g); }},
      {"rmsprop(0.01)",
       [](double w, double g, Numbers& s, double, double) {
         s[0] = 0.99 * s[0] + 0.01 * g * g;
         return w - 0.01 * g / (std::sqrt(s[0]) + 1e-8);
       }},
      {"adam(0.01)", [&](double w, double g, Numbers& s, double t,
                         double) { return adam(w, g, s, t, 0.01, 0.9, 0.999); }},
      {"adam(lr = 2e-4, beta1 = 0.5)", [&](double w, double g, Numbers& s, double t,
                                           double) { return adam(w, g, s, t, 2e-4, 0.5, 0.999); }},
      {"adamw(0.01, decay = 0.1)",
       [&](double w, double g, Numbers& s, double t, double) {
         return adam(w * (1 - 0.001), g, s, t, 0.01, 0.9, 0.999);
       }},
      {"sgd(0.1) -> within(1.5)", [](double w, double g, Numbers&, double,
                                     double) { return std::clamp(w - 0.1 * g, -1.5, 1.5); }},
      {"adam(0.01) -> weight_decay(0.1)",
       [&](double w, double g, Numbers& s, double t, double) {
         return adam(w, g + 0.1 * w, s, t, 0.01, 0.9, 0.999);
       }},
      {"sgd(0.1) -> clip_gradient(2)",
       [](double w, double g, Numbers&, double, double total) {
         return w - 0.1 * g * std::min(1.0, 2 / total);
       }},
  };
  for (const Rule& rule : rules) {
    INFO(rule.optimizer);
    Iteration it(program(rule.optimizer));
    it.set("P.a", {1, -2});
    Numbers w = {1, -2, 3};
    std::vector<Numbers> slots(3, Numbers(2, 0));
    for (int t = 1; t <= 3; ++t) {
      const Numbers g = {0.5 * w[0], -0.25 * w[1], 4};
      const double total = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
      const Values results = it.run();
      CHECK(results.at("grad_norm/P").data[0] == Approx(total).epsilon(1e-12));
      for (std::size_t i = 0; i < 3; ++i) w[i] = rule.step(w[i], g[i], slots[i], t, total);
      check_close({it.get("P.a")[0], it.get("P.a")[1], it.get("P.b")[0]}, w, 1e-12);
    }
  }
}

TEST_CASE("total sees the gradients that the optimizer around it hands on") {
  Iteration it(program("sgd(0.1) -> clip_gradient(2) -> weight_decay(10)"));
  it.set("P.a", {1, -2});
  it.run();
  const Numbers g = {0.5 + 10, 0.5 - 20, 4 + 30};
  const double total = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  check_close({it.get("P.a")[0], it.get("P.a")[1], it.get("P.b")[0]},
              {1 - 0.2 * g[0] / total, -2 - 0.2 * g[1] / total, 3 - 0.2 * g[2] / total}, 1e-12);
}

TEST_CASE("slots are named by the update, or by the const that names the instance") {
  Iteration it(
      "data x: [2] from ring()\n"
      "const opt = adam(0.1)\n"
      "optimizer around(inner) updates w from g { state m: shape(w) = 5; inner(w, g + 0 * m) }\n"
      "net D(x: [2]) -> [1] { dense(x, 1, bias = false) }\n"
      "train for 1 steps, batch 2 {\n"
      "  D minimizes E[D(x)] by opt\n"
      "  D minimizes E[D(x)^2] by opt\n"
      "  D minimizes E[D(x)] by adam(0.1) -> around\n"
      "}\n");
  CHECK(it.variables.contains("variable/slot/opt/D.dense.w/m"));
  CHECK(it.variables.contains("variable/slot/D[2]/D.dense.w/m"));
  CHECK(it.variables.contains("variable/slot/D[2]/D.dense.w/around.m"));
  CHECK(it.variables.size() == 1 + 3 + 4);
  it.run(it.with_data("data/x", {1, 2, 3, 4}));
  CHECK(it.get("slot/opt/D.dense.w/t")[0] == 2);  // both statements count
  CHECK(it.get("slot/D[2]/D.dense.w/t")[0] == 1);
}

TEST_CASE("a learning rate may follow a schedule") {
  Iteration it(
      "const rate = 0.1 * 0.5^step\n"
      "data x: [] from ring()\n"
      "net P(x: []) -> [] { param b: [] = 0; b + 0 * x }\n"
      "train for 3 steps, batch 1 { P minimizes E[P(x)] by sgd(rate) }\n");
  it.run();
  it.run();
  it.run();
  check_close(it.get("P.b"), {-0.1 - 0.05 - 0.025});
}

}  // namespace
}  // namespace ganc::testing
