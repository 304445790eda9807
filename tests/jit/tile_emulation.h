#pragma once

#include <utility>
#include <vector>

namespace ganc {

// What code with CodegenOptions::emulate_tiles calls, by name: AMX's operations on eight registers
// of 16 rows of 64 bytes, one set a thread.
std::vector<std::pair<const char*, void (*)()>> emulated_tile_operations();

}  // namespace ganc
