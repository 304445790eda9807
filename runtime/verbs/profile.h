#pragma once

#include "runtime/verbs/verbs.h"

namespace ganc::runtime {

// `info --profile`: the time of every call of an iteration beside the least time that the machine's
// limits, measured by the same process, allow; the most expensive calls first.
Result<int> profile(VerbContext context);

}  // namespace ganc::runtime
