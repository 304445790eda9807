#pragma once

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Fills in `root`: which nodes are values of their own, in memory or in a kernel's registers, and
// which are written out in the expressions of those that read them.
//   needs    a prepared program
//   ensures  roots are the targets, contractions and their operands (behind views), reductions,
//   scatter_adds and draws,
//            what gather reads, constants that differ between elements, and what several roots read
//            unless computing it again is cheaper than keeping it; no expression grows beyond a
//            bound. Without `fuse` every node but inputs and plain constants is one.
void choose_roots(ProgramDraft& program, bool fuse);

// The node whose memory an operand of a contraction is read from: behind transposes, reverses,
// reshapes and slices.
NodeId behind_views(const Graph& graph, NodeId id);

}  // namespace ganc::planning
