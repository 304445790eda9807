#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

// A 64-bit integer of index arithmetic, not a number.
bool is_index(const Value& value);
bool is_predicate(const Value& value);
// A predicate of loop variables and constants alone: where something is, not what is read there.
bool is_of_indices(const Kernel& kernel, ValueId predicate);
// All that is wrong with the table of values and the buffers, apart from where the values are used.
std::vector<std::string> verify_values(const Kernel& kernel);

}  // namespace ganc::kernel
