#include "compiler/schedule/lower.h"

namespace ganc::planning {

void lower_contraction(ProgramDraft& program, const Group& group, bool) { lower_products(program, group); }

}  // namespace ganc::planning
