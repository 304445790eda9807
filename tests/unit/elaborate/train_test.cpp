#include <algorithm>
#include <cmath>

#include "tests/unit/elaborate/iteration.h"

namespace ganc::testing {
namespace {

const std::string two_nets =
    "data x: [2] from ring()\n"
    "noise z: [3] ~ normal\n"
    "net G(z: [3]) -> [2] { dense(z, 2) }\n"
    "net D(x: [2]) -> [1] { dense(x, 1) }\n";

TEST_CASE("every update draws its own noise, and reads it under one name") {
  Iteration it(two_nets +
               "train for 1 steps, batch 4 {\n"
               "  D minimizes E[D(G(z))] + E[D(G(z))^2] - E[D(x)] by sgd(0.1)\n"
               "  G minimizes -E[D(G(z))] by sgd(0.1)\n"
               "}\n");
  REQUIRE(it.train->draws.size() == 2);
  CHECK(it.draw("draw/D/z"));
  CHECK(it.draw("draw/G/z"));
  CHECK_FALSE(it.draw("draw/D/z")->held);
  CHECK(it.draw("draw/D/z")->readers == std::vector<std::string>{"D"});
  CHECK(it.has_input("data/x"));
}

TEST_CASE("what a let reads is held for the block") {
  Iteration it(two_nets +
               "train for 1 steps, batch 4 {\n"
               "  D minimizes E[D(G(z))] - E[D(x)] by sgd(0.1)\n"
               "  let fake = G(z)\n"
               "  G minimizes -E[D(fake)] by sgd(0.1)\n"
               "}\n");
  REQUIRE(it.train->draws.size() == 1);
  const Draw* z = it.draw("draw/z");
  REQUIRE(z);
  CHECK(z->held);
  CHECK(z->held_why == "read by `let fake`");
  CHECK(z->readers == std::vector<std::string>{"D", "G"});
}

TEST_CASE("reading a shape draws nothing") {
  Iteration it(two_nets +
               "train for 1 steps, batch 4 {\n"
               "  let n = count(z) + size(z) + shape(x)[0]\n"
               "  D minimizes n * E[D(x)] by sgd(0.1)\n"
               "}\n");
  CHECK(it.train->draws.empty());
}

TEST_CASE("a repetition reads its own batch, other statements the first") {
  Iteration it(two_nets +
               "train for 1 steps, batch 4 {\n"
               "  D minimizes E[D(G(z))] - E[D(x)] by sgd(0.1), 3 times\n"
               "  G minimizes -E[D(G(z))] + E[D(x)] by sgd(0.1)\n"
               "}\n");
  std::vector<std::string> names;
  for (const UpdateInfo& update : it.train->updates) names.push_back(update.name);
  CHECK(names == std::vector<std::string>{"D#0", "D#1", "D#2", "G"});
  for (const std::string input : {"data/D#0/x", "data/D#1/x", "data/D#2/x", "data/x"})
    CHECK(it.has_input(input));
  CHECK(it.draw("draw/D#1/z"));
  REQUIRE(it.train->sources.size() == 1);
  CHECK(it.train->sources[0].batches == 3);
  CHECK(it.program.model.gradients.size() == 2);  // of the repeats the first stands for all
}

TEST_CASE("a block of times is an iteration of its own") {
  Iteration it(two_nets +
               "train for 1 steps, batch 4 {\n"
               "  2 times {\n"
               "    let fake = G(z)\n"
               "    D minimizes E[D(fake)] - E[D(x)] by sgd(0.1)\n"
               "  }\n"
               "  G minimizes -E[D(G(z))] by sgd(0.1)\n"
               "}\n");
  CHECK(it.draw("draw/times#0/z"));
  CHECK(it.draw("draw/times#1/z"));
  CHECK(it.draw("draw/G/z"));
  CHECK(it.has_input("data/D#1/x"));
  REQUIRE(it.train->updates.size() == 3);
  CHECK(it.train->updates[1].name == "D#1");
}

TEST_CASE("a maximized objective is minimized with its sign turned") {
  Iteration up(two_nets + "train for 1 steps, batch 2 { D maximizes E[D(x)] by sgd(0.1) }\n");
  Iteration down(two_nets + "train for 1 steps, batch 2 { D minimizes -E[D(x)] by sgd(0.1) }\n");
  const Numbers x = numbers(4);
  const Values a = up.run(up.with_data("data/x", x));
  const Values b = down.run(down.with_data("data/x", x));
  CHECK(a.at("loss/D").data == b.at("loss/D").data);
  check_close(up.get("D.dense.w"), down.get("D.dense.w"));
  CHECK(up.train->updates[0].maximize);
}

TEST_CASE("players move in turn: the second sees what the first has done") {
  Iteration it(
      "data x: [] from ring()\n"
      "net A(x: []) -> [] { param a: [] = 1; a + 0 * x }\n"
      "net B(x: []) -> [] { param b: [] = 1; b + 0 * x }\n"
      "train for 1 steps, batch 1 { min A max B E[A(x) * B(x)] by sgd(0.5) }\n");
  it.run();
  check_close(it.get("B.b"), {1.5});
  check_close(it.get("A.a"), {1 - 0.5 * 1.5});
}

TEST_CASE("a held value keeps the weights of its time and is differentiated by them") {
  Iteration it(
      "data x: [] from ring()\n"
      "net A(x: []) -> [] { param a: [] = 2; a^2 + 0 * x }\n"
      "train for 1 steps, batch 1 {\n"
      "  let y = A(x)\n"
      "  A minimizes E[y] by sgd(0.1)\n"
      "  A minimizes E[y] + E[A(x)] by sgd(0.1)\n"
      "}\n");
  it.run();
  const double first = 2 - 0.1 * 4;
  check_close(it.get("A.a"), {first - 0.1 * (4 + 2 * first)});
}

TEST_CASE("states pass through an update in the order written, and are saved at its end") {
  Iteration it(
      "data x: [] from ring()\n"
      "state s: [] = 1\n"
      "net A(x: []) -> [] { param a: [] = 3; a + 0 * x }\n"
      "train for 1 steps, batch 1 {\n"
      "  A minimizes {\n"
      "    let before = s\n"
      "    update s = 2 * E[A(x)]\n"
      "    s + before * E[A(x)]\n"
      "  } by sgd(0.1)\n"
      "  watch after = s\n"
      "  update s = s + 10\n"
      "}\n");
  const Values first = it.run();
  check_close(first.at("loss/A").data, {6 + 3});
  check_close(first.at("grad/A/A.a").data,
              {2 + 1});  // through the new s, not through the saved one
  check_close(first.at("watch/after").data, {6});
  check_close(it.get("s"), {16});
  CHECK(it.variables.at("variable/s").type.dtype == DType::f64);
}

TEST_CASE(
    "batch norm's statistics: each pass moves them, in order; evaluation and loaded nets do not") {
  Iteration it(
      "data x: [1] from ring()\n"
      "net D(x: [1]) -> [1] { x -> batchnorm -> dense(1) }\n"
      "net C(x: [1]) -> [1] { x -> batchnorm }\n"
      "train for 1 steps, batch 2 { D minimizes E[D(x)] + E[D(3 * x)] + 0 * E[C(x)] by sgd(0.1) "
      "}\n");
  it.run(it.with_data("data/x", {1, 3}));
  // means 2 and 6, unbiased variances 2 and 18
  check_close(it.get("D.batchnorm.running_mean"), {0.9 * (0.1 * 2) + 0.1 * 6});
  check_close(it.get("D.batchnorm.running_var"), {0.9 * (0.9 + 0.1 * 2) + 0.1 * 18});
  check_close(it.get("C.batchnorm.running_mean"), {0});
}

TEST_CASE("spectral norm moves its vector once an update, however often the net is called") {
  const auto vector_after = [](const std::string& objective) {
    Iteration it(
        "data x: [3] from ring()\n"
        "net D(x: [3]) -> [2] with spectral_norm { dense(x, 2) }\n"
        "train for 1 steps, batch 1 { D minimizes " +
        objective + " by sgd(0.1) }\n");
    it.run(it.with_data("data/x", {1, 2, 3}));
    return it.get("D.dense.w.spectral_norm.u");
  };
  check_close(vector_after("E[D(x)] + E[D(2 * x)] + E[D(x)^2]"), vector_after("E[D(x)]"), 1e-14);
}

TEST_CASE("a statement under a runtime condition changes nothing where it does not hold") {
  const std::string head =
      "data x: [] from ring()\n"
      "state s: [] = 0\n"
      "net A(x: []) -> [] { param a: [] = 0; a + 0 * x }\n";
  Iteration every(head +
                  "train for 9 steps, batch 1 {\n"
                  "  A minimizes E[A(x)] by adam(1), every 3 steps\n"
                  "  every 2 steps { update s = s + 1 }\n"
                  "}\n");
  for (int step = 0; step < 6; ++step) {
    const Values results = every.run();
    CHECK(results.at("ran/A").data[0] == (step % 3 == 0));
  }
  CHECK(every.get("slot/A/A.a/t")[0] == 2);
  CHECK(every.get("s")[0] == 3);
  check_close(every.get("A.a"), {-2}, 1e-6);

  Iteration choice(head +
                   "train for 9 steps, batch 1 {\n"
                   "  let y = E[A(x)]\n"
                   "  if y > -1.5 { A minimizes E[A(x)] by sgd(1) } else { update s = s + 1 }\n"
                   "}\n");
  for (int step = 0; step < 5; ++step) choice.run();
  check_close(choice.get("A.a"), {-2});
  check_close(choice.get("s"), {3});
}

TEST_CASE("every some epochs runs once in each") {
  Iteration it(
      "data x: [] from ring()\n"
      "state s: [] = 0\n"
      "train for 9 steps, batch 1 { every 2 epochs { update s = s + 1 } }\n");
  for (const double epoch : {0.0, 0.5, 1.0, 2.0, 2.5, 3.9, 4.0})
    it.run({{"epoch", value_of({DType::f64, {}}, {epoch})}});
  CHECK(it.get("s")[0] == 3);
}

TEST_CASE("an average starts equal, follows the weights and copies the states") {
  Iteration it(
      "data x: [1] from ring()\n"
      "net D(x: [1]) -> [1] { x -> batchnorm(affine = false) -> dense(1) }\n"
      "net D_avg = copy(D)\n"
      "train for 1 steps, batch 2 {\n"
      "  D minimizes E[D(x)^2] by sgd(0.1)\n"
      "  average D into D_avg, decay 0.75\n"
      "}\n"
      "output o = D_avg(x)\n");
  const Numbers before = it.get("D.dense.w");
  check_close(it.get("D_avg.dense.w"), before);
  it.run(it.with_data("data/x", {1, 5}));
  check_close(it.get("D_avg.dense.w"), {0.75 * before[0] + 0.25 * it.get("D.dense.w")[0]});
  check_close(it.get("D_avg.batchnorm.running_mean"), {0.3});
}

TEST_CASE("descend differentiates through its steps, states of Adam included, and saves nothing") {
  const std::string text =
      "data x: [] from ring()\n"
      "const opt = adam(lr = 0.1, beta1 = 0.5)\n"
      "net A(x: []) -> [] { param a: [] = 0.7; a + 0 * x }\n"
      "net B(x: []) -> [] { param b: [] = 0.3; b + 0 * x }\n"
      "train for 1 steps, batch 1 {\n"
      "  fn loss(B) { E[(B(x) * A(x) - 2)^2] }\n"
      "  B minimizes loss(B) by opt\n"
      "  A minimizes E[descend(B, loss, by = opt, steps = 3)(x)] by sgd(0.01)\n"
      "}\n";
  Iteration it(text);
  const auto loss_at = [&](double a, double b, double m, double v, double t) {
    for (int k = 0; k < 3; ++k) {
      const double g = 2 * (b * a - 2) * a;
      m = 0.5 * m + 0.5 * g;
      v = 0.999 * v + 0.001 * g * g;
      ++t;
      b -= 0.1 * (m / (1 - std::pow(0.5, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    }
    return b;
  };
  const Values results = it.run();
  const double b = it.get("B.b")[0], m = it.get("slot/opt/B.b/m")[0],
               v = it.get("slot/opt/B.b/v")[0];
  CHECK(it.get("slot/opt/B.b/t")[0] == 1);
  check_close(results.at("loss/A").data, {loss_at(0.7, b, m, v, 1)}, 1e-9);
  const double slope = (loss_at(0.7 + 1e-5, b, m, v, 1) - loss_at(0.7 - 1e-5, b, m, v, 1)) / 2e-5;
  CHECK(std::abs(slope) > 1e-3);
  check_close(results.at("grad/A/A.a").data, {slope}, 1e-6);
}

TEST_CASE("a gradient of a gradient: the penalty of WGAN-GP for a linear critic") {
  Iteration it(
      "data x: [2] from ring()\n"
      "noise z: [2] ~ normal\n"
      "net D(x: [2]) -> [1] { dense(x, 1) }\n"
      "train for 1 steps, batch 4 { D minimizes gradient_penalty(D, x, z) + r1(D, x) by sgd(0.1) "
      "}\n");
  it.set("D.dense.w", {3, 4});
  const Values results = it.run(it.with_data("data/x", numbers(8)));
  check_close(results.at("loss/D").data, {16 + 25}, 1e-9);
  check_close(results.at("grad/D/D.dense.w").data, {2 * 4 * 3 / 5.0 + 6, 2 * 4 * 4 / 5.0 + 8},
              1e-9);
  CHECK(it.draw("draw/D/gradient_penalty.t"));
}

TEST_CASE("the pool of past fakes fills, then hands out old ones") {
  Iteration it(
      "data x: [1] from ring()\n"
      "net D(x: [1]) -> [1] { param a: [1] = 1; a * x }\n"
      "train for 1 steps, batch 1 { D minimizes E[D(history(x, 2))] by sgd(0) }\n");
  const auto step = [&](double x, double swap, double slot) {
    Values v = it.with_data("data/x", {x});
    for (Node& node : it.graph.nodes) {  // the draws as they are fed
      if (node.op != Op::draw) continue;
      const std::string name = node.attributes.name;
      if (name == "draw/D/history.swap" || name == "draw/D/history.slot") {
        node.op = Op::input;
        node.operands.clear();
      }
    }
    v["draw/D/history.swap"] = value_of({DType::f64, {1}}, {swap});
    v["draw/D/history.slot"] = value_of({DType::i32, {1}}, {slot});
    return it.run(v).at("loss/D").data[0];
  };
  CHECK(step(1, 1, 0) == 1);  // fills
  CHECK(step(2, 1, 0) == 2);
  check_close(it.get("train.history.pool"), {1, 2});
  CHECK(step(3, 1, 1) == 2);  // an old one, and the new one in its place
  check_close(it.get("train.history.pool"), {1, 3});
  CHECK(step(4, 0, 0) == 4);  // the new one passes
  check_close(it.get("train.history.pool"), {1, 3});
}

TEST_CASE("stages have their own nets in training, and names of their own") {
  Elaborated e(
      two_nets +
      "train first for 1 steps, batch 4 { D minimizes E[D(x)] - E[D(G(z))] by adam(0.1) }\n"
      "train second for 2 epochs, batch 8 { G minimizes -E[D(G(z))] by adam(0.1) }\n"
      "output o = G(z)\n");
  INFO(e.messages());
  REQUIRE(e.model.trains.size() == 2);
  CHECK(e.model.trains[0].updates[0].name == "first.D");
  CHECK(e.model.trains[1].updates[0].name == "second.G");
  CHECK(e.model.trains[1].batch == 8);
  CHECK(e.model.trains[1].epochs);
  CHECK(e.model.gradients.size() == 2);
  CHECK(e.model.outputs[0].kind == OutputProgram::Kind::points);
}

TEST_CASE("settings replace consts, and only those that there are") {
  ElaborateOptions options;
  options.set = {{"n", "2 * 4"}};
  const Elaborated e("const n = 3\nnoise z: [n] ~ normal\noutput o = z\n", options);
  REQUIRE(e.model.outputs.size() == 1);
  CHECK(e.model.outputs[0].program.draws[0].type.shape == Shape{64, 8});
  options.set = {{"m", "1"}};
  const Elaborated none("const n = 3\nnoise z: [n] ~ normal\noutput o = z\n", options);
  CHECK(none.diagnostics.all().front().kind == Kind::unknown_setting);
  options.set = {{"n", "1 +"}};
  const Elaborated wrong("const n = 3\nnoise z: [n] ~ normal\noutput o = z\n", options);
  CHECK(wrong.diagnostics.has_error());
}

TEST_CASE("an output computes no more samples at once than training, and shows fewer large ones") {
  const auto outputs = [](const std::string& batch, const std::string& side) {
    const Elaborated e("data x: [3, " + side + ", " + side + "] from images(\"x\")\nnet D(x: [3, " +
                       side + ", " + side +
                       "]) -> [1] { x -> flatten -> dense(1) }\ntrain for 9 steps, batch " + batch +
                       " { D minimizes E[D(x)^2] by sgd(lr = 1) }\noutput o = [x, x, x]\n");
    REQUIRE(e.diagnostics.error_count() == 0);
    return std::pair(e.model.outputs.at(0).count, e.model.outputs.at(0).shown);
  };
  CHECK(outputs("128", "32") == std::pair<std::int64_t, std::int64_t>{64, 64});
  CHECK(outputs("4", "32") == std::pair<std::int64_t, std::int64_t>{4, 64});
  CHECK(outputs("1", "256") == std::pair<std::int64_t, std::int64_t>{1, 16});
}

}  // namespace
}  // namespace ganc::testing
