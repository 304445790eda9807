#pragma once

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Drops the calls whose values nobody needs: copies made for contractions that were written in
// another way after all.
//   needs    drafts in an order in which every value comes before its readers
//   ensures  every draft writes what a later one, a guard or a target reads
void drop_unread_drafts(ProgramDraft& program);

// Orders the drafts so that less memory holds values at once (list_order.h), and makes again what
// would lie idle while most is alive (repeat_drafts.h).
//   needs    drafts in an order in which every value comes before its readers
//   ensures  the same, and that a variable is written after all who read its old value, as before;
//            the order stays, but for repeats, where the other needs no less
void order_drafts(ProgramDraft& program);

}  // namespace ganc::planning
