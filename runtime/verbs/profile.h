#pragma once

#include "runtime/verbs/verbs.h"

namespace ganc::runtime {

// `info --profile`: the time of every call of an iteration beside the time that the machine's
// limits allow.
Result<int> profile(VerbContext context);

}  // namespace ganc::runtime
