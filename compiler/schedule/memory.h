#pragma once

#include "compiler/schedule/program.h"

namespace ganc::planning {

// When a tensor holds its value: from draft `birth` (-1: before the first) to draft `death`; in no
// order where nothing reads or writes it.
struct Life {
  std::int64_t birth = INT64_MAX, death = -1;
};
std::vector<Life> find_lives(const ProgramDraft& program);

struct MemoryPlan {
  std::vector<std::int64_t> offsets;     // of each tensor, from the start of the arena
  std::vector<std::int32_t> written_by;  // of each tensor, the last draft that writes it; -1: none
  std::int64_t bytes = 0;                // of the whole arena
  std::int64_t alive_bytes = 0;          // the most that hold a value at once: no plan needs less
};

// Gives every tensor a place; variables have theirs at `variable_offsets` already.
//   needs    drafts in order
//   ensures  no two tensors that live at the same time overlap; inputs live from the start, results
//            until they are written, for then they are read.
//            A variable's new value is computed in the place of the old one where nobody reads that
//            afterwards, else beside it and copied by a last call. Where an output takes the place
//            of an input of the same call, the two buffers of the kernel are one.
MemoryPlan plan_memory(ProgramDraft& program, const std::vector<std::int64_t>& variable_offsets,
                       std::int64_t persistent_bytes);

inline constexpr std::int64_t alignment = 64;
std::int64_t aligned(std::int64_t bytes);
// At least one byte, so that every tensor has an address of its own.
std::int64_t bytes_of(const Tensor& tensor);

}  // namespace ganc::planning
