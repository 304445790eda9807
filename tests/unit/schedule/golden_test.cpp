#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/graph/parse_text.h"
#include "compiler/graph/verify.h"
#include "compiler/schedule/print.h"
#include "compiler/schedule/schedule.h"

// tests/golden/kernels/<behaviour>.graph: a graph, and below the line its kernels. Update: ./gan
// test --update schedule

using namespace ganc;

namespace {

std::vector<Variable> variables_of(const Graph& graph) {
  std::vector<Variable> variables;
  for (const Node& node : graph.nodes)
    if (node.op == Op::input && node.attributes.name.starts_with("variable/"))
      variables.push_back({.name = node.attributes.name.substr(9),
                           .kind = VariableKind::weight,
                           .type = node.type});
  return variables;
}

}  // namespace

TEST_CASE("the kernels of the goldens") {
  const std::string below = "# ---- below this line the update command writes\n";
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GANC_TESTS) + "/golden/kernels")) {
    if (entry.path().extension() != ".graph") continue;
    ++count;
    std::ifstream stream(entry.path());
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    const std::string before = text.substr(0, text.find("# ----"));
    INFO(entry.path().string() << ", update: ./gan test --update schedule");
    const auto graph = parse_graph(before);
    if (!graph) FAIL("line " << graph.error().line << ": " << graph.error().message);
    REQUIRE(verify(*graph).empty());
    const Graph* graphs[] = {&*graph};
    const Plan plan = schedule(variables_of(*graph), graphs, {});
    const std::string expected = before + below + print_kernels(plan, plan.programs[0]);
    if (std::getenv("GANC_UPDATE_GOLDENS") != nullptr)
      std::ofstream(entry.path()) << expected;
    else
      CHECK(text == expected);
  }
  CHECK(count > 0);
}
