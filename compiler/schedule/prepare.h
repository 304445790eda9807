#pragma once

#include <span>

#include "compiler/elaborate/model.h"
#include "compiler/schedule/program.h"

namespace ganc::planning {

// The start of a program's plan: what it must leave behind, and under which conditions each node is
// needed.
//   needs    a rewritten, verified graph
//   ensures  program.graph holds what the outputs need and no more, in an order in which operands
//   come first; beside
//            every run-time predicate of a `select` stands its negation.
//            select(p, new, old) as the new value of the variable whose old value `old` is has
//            become `new` under guard p; outside a fused plan (`guard` false) every node is
//            computed always. Every variable's new value is a node of its own, which is no input (a
//            `stop` is put in where needed).
ProgramDraft prepare(const Graph& graph, std::span<const Variable> variables, bool guard);

}  // namespace ganc::planning
