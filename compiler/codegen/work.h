#pragma once

#include <vector>

#include "compiler/kernel/work.h"

// What the statements of a block hold and cost: for choices of width, unrolling and the form of an
// epilogue.
namespace ganc {

struct Mentioned {
  std::vector<kernel::ValueId> values;
  std::vector<std::uint32_t> accumulators;  // whose statements stand in it
  bool accumulates = false;
};
Mentioned mentioned(const kernel::Block& block);

// All that the statements compute, operands included, once each.
std::vector<kernel::ValueId> computed(const kernel::Kernel& kernel, const kernel::Block& block);

// Roughly the instructions that one vector of all that the block computes takes.
using kernel::work_of;
unsigned work_of(const kernel::Kernel& kernel, const kernel::Block& block);

}  // namespace ganc
