#pragma once

#include <string>
#include <vector>

#include "compiler/ops/op.h"
#include "tests/unit/ops/sample_graphs.h"

// Compares the gradients of one op, first and second order, with finite differences of the
// interpreter.
namespace ganc::test {

// What differs, one line each; empty: nothing.
std::vector<std::string> check_gradients(Op op, const Sample& sample, Random& random);

}  // namespace ganc::test
