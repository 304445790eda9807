#pragma once

#include <cstdint>
#include <vector>

#include "runtime/description.h"
#include "runtime/pool.h"

namespace ganc::runtime {

// True if none of `count` numbers is NaN or infinite. Integers always are finite.
bool all_finite(const char* numbers, std::int64_t count, DType dtype);

// The first weight or state in the arena with a number that is not finite, or null; on all threads
// of the pool.
const Variable* first_not_finite(const Description& description, const char* arena, Pool& pool);

}  // namespace ganc::runtime
