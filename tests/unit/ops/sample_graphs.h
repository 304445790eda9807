#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/ops/op.h"
#include "tests/unit/random_value.h"

// One op over a sample as a graph with its derivatives, for whoever checks them: the unit tests by
// finite differences, tests/numeric by PyTorch.
namespace ganc::test {

struct SampleGraph {
  Graph graph;  // holds grads; outputs "y", "f" (a number) and "d <input>" for each real input
  std::vector<std::string> reals;
  std::map<std::string, Value> values;  // of all inputs
};

// f = sum(y * weights) over inputs "x0", "x1", ... and "weights". Where y is not real: "y" alone,
// and no reals.
SampleGraph first_order(Op op, const Sample& sample, Random& random);

// f = sum over the real inputs x of sum(d x * v x), with inputs "v <x>": its derivatives are of the
// second order.
SampleGraph second_order(const SampleGraph& first, Random& random);

// Windows of every kind, also with negative padding and no room for the kernel, in one to three
// dimensions.
Sample random_convolution(Random& random);

}  // namespace ganc::test
