#pragma once

#include "compiler/graph/graph.h"

namespace ganc {

// The graph made stable, smaller and cheaper: rules of rules.def-like rows (stability, algebra), constant folding,
// common subexpressions, dead nodes, to a fixed point within a bound.
//   needs    a verified graph without `grad`
//   ensures  same outputs by name and type, same values (up to rounding; more exact where a rule says so)
//   after    differentiate; before schedule
Graph rewrite(const Graph& graph);

}  // namespace ganc
