#include "tests/unit/graph_golden.h"

#include "compiler/autodiff/differentiate.h"

namespace ganc::test {
namespace {

TEST_CASE("derivatives are the graphs of the goldens") {
  check_goldens("autodiff", "autodiff", differentiate);
}

}  // namespace
}  // namespace ganc::test
