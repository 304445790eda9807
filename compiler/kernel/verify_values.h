#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

// A 64-bit integer of index arithmetic, not a number.
bool is_index(const Value& value);
bool is_predicate(const Value& value);
// By value: whether it is an index or a predicate made of loop variables and constants alone.
std::vector<bool> made_of_indices(const Kernel& kernel);
// All that is wrong with the table of values and the buffers, apart from where the values are used.
std::vector<std::string> verify_values(const Kernel& kernel);

}  // namespace ganc::kernel
