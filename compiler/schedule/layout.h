#pragma once

#include <span>

#include "compiler/elaborate/model.h"
#include "compiler/schedule/program.h"

namespace ganc::planning {

// Fills in `layouts` of all programs and says how the variables lie.
//   needs    prepared programs
//   ensures  a variable has one layout in all programs, and so have its gradient, its slots and all
//   that elementwise
//            operations of equal shape join with it; layouts are permutations of the axes, dense
//   rule     weights of convolutions [taps..][inputs][outputs], of few outputs [outputs][inputs];
//            other variables row-major; what contractions read and write with 16 samples or more
//            batch innermost, [spatial..][channels][batch], with fewer channels innermost; all else
//            row-major. Without `fuse` all is row-major.
std::vector<AxisOrder> assign_layouts(std::span<ProgramDraft> programs,
                                      std::span<const Variable> variables, bool fuse);

}  // namespace ganc::planning
