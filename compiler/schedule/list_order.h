#pragma once

#include "compiler/schedule/dependences.h"

namespace ganc::planning {

// An order of the drafts in which less memory holds values at once, by list scheduling: of all
// drafts that wait for nothing else, one that leaves less alive than it finds comes next (what is
// summed up dies before more is made), then the one that reads the newest value, so that what is
// made of one batch goes back through a net before the next batch goes forward. What is made of
// variables alone, and further places of a value (a copy, a transformed filter, partial sums), is
// made where it is first read.
//   needs    drafts in an order in which every value comes before its readers
//   ensures  the same, and that a variable is written after all who read its old value, as before
Drafts list_order(const ProgramDraft& program);

}  // namespace ganc::planning
