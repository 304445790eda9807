#pragma once

#include <cstdint>
#include <optional>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

// By how much the index `id` grows when `variable` grows by one; none: not by a constant.
std::optional<std::int64_t> lane_stride(const Kernel& kernel, ValueId id, VarId variable);

}  // namespace ganc::kernel
