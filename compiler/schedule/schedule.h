#pragma once

#include <span>
#include <vector>

#include "compiler/elaborate/model.h"
#include "compiler/schedule/plan.h"

namespace ganc {

struct ScheduleOptions {
  bool fuse = true;  // false (-O0): one kernel an op
  // Of each graph: convolutions in f32 with fewer multiplications where that is faster, within a
  // relative error (L2) of 1e-5. Empty: of none.
  std::vector<bool> fewer_products;
  // What fewer products must gain over the direct way, by the cost model, to be chosen; 0: always.
  double least_gain = 1.15;
};

// Kernels, layouts, order and memory for all programs of a model over one arena.
//   needs    rewritten, verified graphs
//   ensures  every buffer has a layout and an offset; a variable lies in the same place in every
//   program
Plan schedule(std::span<const Variable> variables, std::span<const Graph* const> graphs,
              const ScheduleOptions& options);

}  // namespace ganc
