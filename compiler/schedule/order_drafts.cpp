#include "compiler/schedule/list_order.h"
#include "compiler/schedule/order.h"
#include "compiler/schedule/repeat_drafts.h"

namespace ganc::planning {

void order_drafts(ProgramDraft& program) {
  const std::vector<Draft> as_written = program.drafts;
  const std::size_t tensors = program.tensors.size();
  const std::int64_t without = repeat_drafts(program);
  std::vector<Draft> kept = std::move(program.drafts);
  std::vector<Tensor> kept_tensors = program.tensors;

  program.tensors.resize(tensors);
  program.drafts = as_written;
  std::vector<Draft> ordered;
  for (std::uint32_t i : list_order(program)) ordered.push_back(as_written[i]);
  program.drafts = std::move(ordered);
  if (repeat_drafts(program) < without) return;
  program.drafts = std::move(kept);
  program.tensors = std::move(kept_tensors);
}

}  // namespace ganc::planning
