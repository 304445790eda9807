#pragma once

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"
#include "compiler/source/source.h"

namespace ganc {

// The syntax of `file`. Recovers at statements and declarations, so that one run reports many
// errors. Nesting is bounded (256); deeper text is a diagnostic.
ast::Ast parse(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace ganc
