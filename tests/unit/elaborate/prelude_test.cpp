#include <cmath>
#include <filesystem>
#include <regex>

#include "compiler/prelude/prelude.h"
#include "tests/unit/elaborate/iteration.h"

namespace ganc::testing {
namespace {

// The names that the prelude declares, by the words at the start of its lines.
std::vector<std::string> declared_names() {
  std::vector<std::string> names;
  for (const PreludeFile& file : prelude_files_embedded()) {
    std::istringstream lines{std::string(file.text)};
    for (std::string line; std::getline(lines, line);) {
      for (const std::string word : {"fn ", "layer ", "optimizer "}) {
        if (line.starts_with(word))
          names.push_back(line.substr(word.size(), line.find('(') - word.size()));
      }
    }
  }
  return names;
}

TEST_CASE("every name of the prelude stands in a test") {
  std::string tests;
  for (const auto& entry : std::filesystem::directory_iterator(GANC_TESTS "/unit/elaborate")) {
    if (entry.path().extension() == ".cpp") tests += read_text(entry.path());
  }
  const std::vector<std::string> names = declared_names();
  REQUIRE(names.size() > 60);
  for (const std::string& name : names) {
    INFO(name);
    CHECK(std::regex_search(tests, std::regex("\\b" + name + "\\b")));
  }
}

TEST_CASE("small functions of a sample") {
  Forward glu("net F(x: [4]) { glu(x) }", 1);
  check_close(glu.set("arg/x", {1, 2, 0, 1}).run(), {0.5, 2 / (1 + std::exp(-1.0))});
  Forward total("net F(x: [2, 2, 1]) { global_sum(x) }", 1);
  check_close(total.set("arg/x", {1, 2, 3, 4}).run(), {3, 7});
  Forward kernel("net F(x: [1, 3, 4]) { conv(x, 1, [2, 3], bias = false) }", 1);
  check_close(
      kernel.set("arg/x", Numbers(12, 1)).set("variable/F.conv.w", {1, 2, 3, 4, 5, 6}).run(),
      {21, 21, 21, 21});
  Forward mark("net F(x: [3]) { x * one_hot_at(1, 3) + along([1, 2, 3], x) }", 1);
  check_close(mark.set("arg/x", {5, 6, 7}).run(), {1, 8, 3});
  Forward sizes(
      "net F(x: [1, 4]) { concat(resize(x, 2), resize(x, 8)[:, :2], axis = 1) + 0 * restore(sum(x, "
      "axis = 1), x, 1) }",
      1);
  check_close(sizes.set("arg/x", {1, 3, 5, 7}).run(), {2, 6, 1, 1});
  Forward cell("net F(x: [1], h: [1], c: [1]) { lstm_cell(x, h, c).c }", 1);
  cell.set("arg/x", {0})
      .set("arg/h", {0})
      .set("arg/c", {3})
      .set("variable/F.lstm_cell.dense.b", {0, 0, 0, 0});
  check_close(cell.run(), {1.5});
}

TEST_CASE("schedules ramp up over the steps that they name") {
  Iteration it(
      "data x: [] from ring()\n"
      "state s: [] = 0\n"
      "train for 9 steps, batch 1 { update s = ramp(2, 6) }\n");
  for (const double expected : {0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0}) {
    it.run();
    CHECK(it.get("s")[0] == expected);
  }
}

TEST_CASE("penalties of a linear critic are known") {
  const auto loss = [](const std::string& penalty) {
    Iteration it(
        "data x: [2] from ring()\n"
        "net D(x: [2]) -> [1] { dense(x, 1) }\n"
        "train for 1 steps, batch 4 { D minimizes " +
        penalty + " by sgd(0.1) }\n");
    it.set("D.dense.w", {3, 4});
    it.set("D.dense.b", {0.5});
    return it.run(it.with_data("data/x", {1, 0, 0, 1, -1, 0, 0, -1})).at("loss/D").data[0];
  };
  CHECK(loss("dragan_penalty(D, x)") == Approx(16).epsilon(1e-9));
  CHECK(loss("r1(D, x)") == Approx(25).epsilon(1e-9));
  // D of the four points: 3.5, 4.5, -2.5, -3.5
  CHECK(loss("hinge_discriminator(D(x), D(x))") ==
        Approx((0 + 0 + 3.5 + 4.5) / 4 + (4.5 + 5.5) / 4));
  CHECK(loss("E[hinge(D(x), 1)]") == Approx(2));
}

TEST_CASE("the probability of augmentation follows the critic's sign") {
  Iteration it(
      "data x: [1] from ring()\n"
      "net D(x: [1]) -> [1] { param a: [1] = 1; a * x }\n"
      "train for 1 steps, batch 2 {\n"
      "  let p = ada(D(x), images = 10)\n"
      "  D minimizes E[D(x)] * (1 + p) by sgd(0)\n"
      "}\n");
  it.run(it.with_data("data/x", {1, 2}));
  CHECK(it.get("train.ada.p")[0] == Approx(0.2));
  it.run(it.with_data("data/x", {1, 2}));
  CHECK(it.get("train.ada.p")[0] == Approx(0.4));
  it.run(it.with_data("data/x", {1, -2}));
  CHECK(it.get("train.ada.p")[0] == Approx(0.2));
}

TEST_CASE("a part of a net is a player: only its weights move") {
  Iteration it(
      "data x: [2] from ring()\n"
      "net D(x: [2]) -> [1] { x -> dense(3) as trunk -> dense(1) as head }\n"
      "train for 1 steps, batch 2 {\n"
      "  D.head minimizes E[D(x)] by sgd(0.1)\n"
      "  D.trunk minimizes E[D(x)] by sgd(0.1)\n"
      "}\n");
  REQUIRE(it.train->updates.size() == 2);
  CHECK(it.train->updates[0].name == "D.head");
  CHECK(it.train->updates[0].weights == std::vector<std::string>{"D.head.w", "D.head.b"});
  CHECK(it.train->updates[1].weights == std::vector<std::string>{"D.trunk.w", "D.trunk.b"});
}

TEST_CASE("nets, trains and outputs may be indexed") {
  Elaborated e(
      "data x: [2] from ring()\n"
      "for i in 0..2 { net D[i](x: [2]) -> [1] { dense(x, i + 1) -> dense(1) } }\n"
      "for s in [1, 3] {\n"
      "  train grow[s] for s steps, batch 4 { for i in 0..2 { D[i] minimizes E[D[i](x)] by "
      "adam(0.1) } }\n"
      "}\n"
      "for i in 0..2 { output o[i] = D[i](x) }\n");
  INFO(e.messages());
  REQUIRE(e.model.trains.size() == 2);
  CHECK(e.model.trains[1].name == "grow[3]");
  CHECK(e.model.trains[1].count == 3);
  CHECK(e.model.trains[1].updates[1].name == "grow[3].D[1]");
  CHECK(e.model.trains[1].updates[1].weights.front() == "D[1].dense.w");
  CHECK(e.model.outputs[1].program.name == "o[1]");
  CHECK(e.model.nets[1].parameters == 2 * 2 + 2 + 2 + 1);
  REQUIRE(e.model.nets[1].layers.size() == 2);
  CHECK(e.model.nets[1].layers[0].call == "dense");
  CHECK(e.model.nets[1].layers[0].output == "[2]");
  CHECK(e.model.nets[1].layers[0].parameters == 6);
  CHECK(e.model.nets[1].layers[0].flop == 8);
}

}  // namespace
}  // namespace ganc::testing
