#pragma once

#include <cstdint>

#include "compiler/schedule/program.h"

namespace ganc::planning {

// Makes values that lie idle while most is alive again where they are read next, or, where nobody
// reads them before, there for the first time; what takes the least time for its bytes first.
//   needs    drafts in an order in which every value comes before its readers
//   ensures  the same, and no more bytes alive at once. What is made again reads what it read
//            before, which is unchanged, and kept where that takes fewer bytes. Results and draws
//            are made once; repeats take at most a few hundredths of the program's time
//   returns  the most bytes that are alive at once, those of variables left out
std::int64_t repeat_drafts(ProgramDraft& program);

}  // namespace ganc::planning
