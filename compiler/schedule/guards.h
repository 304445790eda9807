#pragma once

#include <vector>

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Fills in guard_sets and guards: for each node the predicates under which, alone, its value is
// used: as the chosen side of every `select` with a predicate [] on each of its ways to the
// targets, and under the guards of those.
//   needs    the negation of each such predicate right behind it (prepare does that)
//   ensures  where all guards of a node hold, the guards of its operands hold too
void find_guards(ProgramDraft& program, const std::vector<std::vector<NodeId>>& of_targets,
                 bool guard);

}  // namespace ganc::planning
