#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <catch2/catch.hpp>

#include "compiler/graph/parse_text.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"

// Goldens of what turns a graph into a graph: tests/golden/<folder>/<behaviour>.graph holds the
// graph before, a line that begins with "# ----", and the graph behind. `./gan test --update
// <stage>` writes what stands below that line.
namespace ganc::test {

inline void check_goldens(const std::string& stage, const std::string& folder,
                          const std::function<Graph(const Graph&)>& change) {
  const std::string below = "# ---- below this line the update command writes\n";
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GANC_TESTS) + "/golden/" + folder)) {
    if (entry.path().extension() != ".graph") continue;
    ++count;
    std::ifstream stream(entry.path());
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    const std::string before = text.substr(0, text.find("# ----"));
    INFO(entry.path().string() << ", update: ./gan test --update " << stage);
    const auto graph = parse_graph(before);
    if (!graph) FAIL("line " << graph.error().line << ": " << graph.error().message);
    REQUIRE(verify(*graph).empty());
    const Graph changed = change(*graph);
    CHECK(verify(changed).empty());
    const std::string expected = before + below + print(changed);
    if (std::getenv("GANC_UPDATE_GOLDENS") != nullptr)
      std::ofstream(entry.path()) << expected;
    else
      CHECK(text == expected);
  }
  CHECK(count > 0);
}

}  // namespace ganc::test
