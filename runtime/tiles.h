#pragma once

namespace ganc::runtime {

// Whether the kernel lets this process use AMX's tile registers; asks for it on the first call,
// before which there must be no other threads. The CPU has AMX-TILE.
bool may_use_tiles();

// The calling thread's tile registers as the kernels of "amx" want them: 16 rows of 64 bytes each.
void configure_tiles();

}  // namespace ganc::runtime
