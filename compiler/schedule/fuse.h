#pragma once

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Something in memory that a root reads.
struct Read {
  NodeId node;
  bool in_place;  // only ever at the element that the root itself has
};
// Of a root of `program`: each node once. A reduction's element is that of its operand.
std::vector<Read> reads_of(const ProgramDraft& program, NodeId root);
// What a kernel of the group computes: the roots and all between them and what they read, in graph
// order, without movements and leaves.
std::vector<NodeId> computed_by(const ProgramDraft& program, const Group& group);

// Fills in `groups` (in an order in which every value comes before its readers) and `stored`.
//   needs    roots and layouts
//   ensures  each root is in one group; a group's roots have equal guards, a draw is alone in its
//   group;
//            what a group reads comes from groups before it, or from itself at the same element;
//            a root that only its own group reads is not stored
//   rule     elementwise roots over one shape join where they read one another or the same tensors;
//   they join the
//            contraction or reduction whose result they read; reductions of the same axes of
//            tensors of one shape join where they share an operand. Without `fuse` each root is a
//            group.
void form_groups(ProgramDraft& program, bool fuse);

}  // namespace ganc::planning
