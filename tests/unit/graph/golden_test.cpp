#include "tests/unit/graph_golden.h"

namespace ganc::test {
namespace {

TEST_CASE("graph text by hand is printed in the one form that it has") {
  check_goldens("graph", "graph", [](const Graph& graph) { return graph; });
}

}  // namespace
}  // namespace ganc::test
