#include "compiler/schedule/order.h"

#include <algorithm>

namespace ganc::planning {

void drop_unread_drafts(ProgramDraft& program) {
  std::vector<bool> needed(program.tensors.size());
  for (const Target& target : program.targets) needed[program.tensor_of[target.node.index]] = true;
  for (const Group& group : program.groups)
    if (group.draw >= 0) needed[program.tensor_of[group.roots[0].index]] = true;
  for (std::size_t i = program.drafts.size(); i-- > 0;) {
    Draft& draft = program.drafts[i];
    bool writes = false;
    for (std::size_t b = 0; b < draft.buffers.size(); ++b)
      writes |= draft.kernel.buffers[b].written && needed[draft.buffers[b]];
    if (!writes) {
      draft.buffers.clear();  // marks it
      continue;
    }
    for (std::uint32_t tensor : draft.buffers) needed[tensor] = true;
    for (NodeId guard : draft.guards) needed[program.tensor_of[guard.index]] = true;
  }
  std::erase_if(program.drafts, [](const Draft& draft) { return draft.buffers.empty(); });
}

}  // namespace ganc::planning
