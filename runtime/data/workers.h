#pragma once

#include <cstdint>
#include <functional>

#include "runtime/result.h"

namespace ganc::runtime {

// Does work(0) to work(count - 1) on up to `threads` threads, the caller's among them. After a
// failure no new piece is begun; of several failures that of the lowest number is returned,
// whatever the number of threads.
Result<void> share_work(std::int64_t count, unsigned threads,
                        const std::function<Result<void>(std::int64_t)>& work);

}  // namespace ganc::runtime
