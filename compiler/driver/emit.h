#pragma once

#include <string>

#include "compiler/driver/compile.h"

namespace ganc {

// The arena: what lies where, from which call to which. Sorted by the first call, then by offset.
std::string memory_text(const Compilation& compilation,
                        const std::vector<const CompiledProgram*>& programs, bool f64);

// The graph for `dot -Tsvg`.
std::string dot_text(const CompiledProgram& program);

// The calls of a program in order: kernel, units, offsets, guards, source line.
std::string calls_text(const Compilation& compilation, std::size_t program, const Sources& sources);

}  // namespace ganc
