#include <fmt/format.h>

#include <cmath>
#include <set>

#include "tests/unit/elaborate/forward.h"

namespace ganc::testing {
namespace {

// What a program's output draws.
Numbers drawn(const std::string& noise, const std::string& shown = "z", std::uint32_t seed = 7) {
  const Elaborated e("noise " + noise + "\noutput o = " + shown + "\n",
                     {.set = {}, .batch = {}, .real = DType::f64});
  INFO(e.messages());
  REQUIRE(e.model.outputs.size() == 1);
  const Values results =
      run_graph(e.model, e.model.outputs[0].program.graph,
                {{"seed", value_of({DType::u32, {2}}, {static_cast<double>(seed), 0})}});
  return results.at("out").data;
}

double mean(const Numbers& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}
double moment(const Numbers& x, double centre, int power) {
  double sum = 0;
  for (const double v : x) sum += std::pow(v - centre, power);
  return sum / static_cast<double>(x.size());
}

TEST_CASE("distributions have their moments") {
  const Numbers n = drawn("z: [1000] ~ normal");
  CHECK(n.size() == 64000);
  CHECK(std::abs(mean(n)) < 0.02);
  CHECK(moment(n, 0, 2) == Approx(1).margin(0.03));
  CHECK(moment(n, 0, 4) == Approx(3).margin(0.25));
  const Numbers m = drawn("z: [1000] ~ normal(2, 0.5)");
  CHECK(mean(m) == Approx(2).margin(0.01));
  CHECK(moment(m, 2, 2) == Approx(0.25).margin(0.01));
  const Numbers u = drawn("z: [1000] ~ uniform(-1, 3)");
  CHECK(mean(u) == Approx(1).margin(0.03));
  CHECK(moment(u, 1, 2) == Approx(16 / 12.0).margin(0.03));
  CHECK(*std::min_element(u.begin(), u.end()) >= -1);
  CHECK(*std::max_element(u.begin(), u.end()) < 3);
  const Numbers b = drawn("z: [1000] ~ bernoulli(0.3)");
  CHECK(mean(b) == Approx(0.3).margin(0.01));
  CHECK(std::set<double>(b.begin(), b.end()) == std::set<double>{0, 1});
  const Numbers t = drawn("z: [1000] ~ truncated_normal(0.5)");
  CHECK(std::abs(mean(t)) < 0.01);
  CHECK(*std::max_element(t.begin(), t.end()) <= 0.5);
  CHECK(*std::min_element(t.begin(), t.end()) < -0.499);
  // The variance of a normal cut at a: 1 - 2 a phi(a) / (2 Phi(a) - 1).
  const double phi = std::exp(-0.125) / std::sqrt(2 * M_PI);
  CHECK(moment(t, 0, 2) == Approx(1 - phi / std::erf(0.5 / std::sqrt(2.0))).margin(0.002));
  const Numbers wide = drawn("z: [1000] ~ truncated_normal(4)");
  CHECK(moment(wide, 0, 2) == Approx(1).margin(0.03));
}

TEST_CASE("classes are drawn evenly, or by their probabilities") {
  const Numbers even = drawn("z: [1000] of class[4] ~ categorical", "real(int(z))");
  for (int k = 0; k < 4; ++k) {
    CHECK(std::count(even.begin(), even.end(), k) / 64000.0 == Approx(0.25).margin(0.01));
  }
  const Numbers given =
      drawn("z: [1000] of class[3] ~ categorical([0.2, 0.5, 0.3])", "real(int(z))");
  CHECK(std::count(given.begin(), given.end(), 0) / 64000.0 == Approx(0.2).margin(0.01));
  CHECK(std::count(given.begin(), given.end(), 1) / 64000.0 == Approx(0.5).margin(0.01));
  CHECK(std::count(given.begin(), given.end(), 2) / 64000.0 == Approx(0.3).margin(0.01));
}

TEST_CASE("a draw tells how many classes it has") {
  for (const auto& [noise, classes] :
       {std::pair{"[5] of class[3] ~ categorical([0.2, 0.5, 0.3])", 3},
        std::pair{"[5] of class[4] ~ categorical", 4}, std::pair{"[2] ~ normal", 0}}) {
    const Elaborated e(
        fmt::format("noise z: {}\noutput o = {}\n", noise, classes == 0 ? "z" : "real(int(z))"));
    INFO(e.messages());
    REQUIRE(e.model.outputs.size() == 1);
    REQUIRE(e.model.outputs[0].program.draws.size() == 1);
    CHECK(e.model.outputs[0].program.draws[0].classes == classes);
  }
}

TEST_CASE("draws differ by name and seed, and repeat") {
  const Numbers a = drawn("z: [4] ~ normal");
  CHECK(a == drawn("z: [4] ~ normal"));
  CHECK(a != drawn("z: [4] ~ normal", "z", 8));
  CHECK(a != drawn("y: [4] ~ normal", "y"));
}

TEST_CASE("a sample does not depend on the size of the batch") {
  const auto of_batch = [](std::int64_t batch) {
    const Elaborated e(
        "noise z: [3] ~ normal\nnet D(z: [3]) -> [1] { dense(z, 1) }\n"
        "train for 1 steps { watch w = E[z[0]]; D minimizes E[D(z)] by sgd(0.1) }\n",
        {.set = {}, .batch = batch, .real = DType::f64});
    REQUIRE(e.model.trains.size() == 1);
    Graph graph = e.model.trains[0].iteration;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].op == Op::draw)
        graph.outputs = {{"z", NodeId{static_cast<std::uint32_t>(i)}}};
    }
    return run_graph(e.model, graph, {}).at("z").data;
  };
  const Numbers small = of_batch(2);
  Numbers large = of_batch(5);
  large.resize(small.size());
  CHECK(small == large);
}

TEST_CASE("initial values follow their distributions, and a copy starts equal") {
  const Elaborated e(
      "net F(x: [100]) { x -> dense(200, init = glorot_uniform) -> reshape([2, 10, 10]) -> "
      "conv(64, 3, init = he_normal) -> flatten -> "
      "dense(1, init = normal(1, 0.1)) }\n"
      "net C = copy(F)\n",
      {.set = {}, .batch = 2, .real = DType::f64});
  INFO(e.messages());
  const Values v = interpret(e.model.init, {{"seed", value_of({DType::u32, {2}}, {3, 0})}});
  const Numbers& glorot = v.at("variable/F.dense.w").data;
  CHECK(*std::max_element(glorot.begin(), glorot.end()) <= std::sqrt(6.0 / 300));
  CHECK(moment(glorot, 0, 2) == Approx(6.0 / 300 / 3).epsilon(0.03));
  CHECK(moment(v.at("variable/F.conv.w").data, 0, 2) == Approx(2.0 / 18).epsilon(0.1));
  CHECK(mean(v.at("variable/F.dense_2.w").data) == Approx(1).margin(0.01));
  CHECK(v.at("variable/F.dense.b").data == Numbers(200, 0));
  for (const std::string name : {"dense.w", "conv.w", "dense_2.w"}) {
    CHECK(v.at("variable/C." + name).data == v.at("variable/F." + name).data);
  }
}

}  // namespace
}  // namespace ganc::testing
