#pragma once

#include <functional>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

// Puts `number(buffer)` wherever values and statements name a buffer.
void renumber_buffers(Kernel& kernel, const std::function<std::uint32_t(std::uint32_t)>& number);

}  // namespace ganc::kernel
