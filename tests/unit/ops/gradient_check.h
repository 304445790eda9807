#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/ops/op.h"
#include "tests/unit/random_value.h"

// Compares the gradients of one op, first and second order, with finite differences of the interpreter.
namespace ganc::test {

// What differs, one line each; empty: nothing.
std::vector<std::string> check_gradients(Op op, const Sample& sample, Random& random);

// Windows of every kind, also with negative padding and no room for the kernel, in one to three dimensions.
Sample random_convolution(Random& random);

}  // namespace ganc::test
