#pragma once

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Drops the calls whose values nobody needs: copies made for contractions that were written in
// another way after all.
//   needs    drafts in an order in which every value comes before its readers
//   ensures  every draft writes what a later one, a guard or a target reads
void drop_unread_drafts(ProgramDraft& program);

}  // namespace ganc::planning
