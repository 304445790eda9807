#pragma once

#include "compiler/graph/graph.h"

namespace ganc {

// Puts the derivative in place of every `grad` node, innermost first, by reverse walks over the
// graph with the ops' gradient rules. Any order: the result of one walk is an ordinary graph.
//   needs    a verified graph
//   ensures  no `grad` is left; same outputs; a `grad` that its y does not reach is zeros
//   after    elaborate; before rewrite, which makes the derivatives stable and drops what is dead
Graph differentiate(const Graph& graph);

}  // namespace ganc
