#pragma once

#include <utility>
#include <vector>

#include "compiler/schedule/pack.h"
#include "compiler/schedule/program.h"

namespace ganc::planning {

using Drafts = std::vector<std::uint32_t>;

// What must come before what, by the number of the draft.
struct Dependences {
  std::vector<Drafts> before, after;
  std::vector<Drafts> sources;  // those before a draft whose values it reads
};
//   needs    drafts in an order in which every value comes before its readers
//   ensures  any order that follows them computes the same: a variable's new value is written after
//            all who read the old one
Dependences dependences(const ProgramDraft& program);

// Guards included.
std::vector<std::uint32_t> tensors_read(const ProgramDraft& program, const Draft& draft);
std::vector<std::uint32_t> tensors_written(const Draft& draft);

// The new value of each variable that is computed in a tensor of its own: (old, new).
std::vector<std::pair<std::uint32_t, std::uint32_t>> renewed(const ProgramDraft& program);

}  // namespace ganc::planning
