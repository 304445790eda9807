#pragma once

#include <string>

#include "compiler/parse/ast.h"

namespace ganc {

// The tree of one file, what `ganc emit ast` shows: a node a line, its parts below it, two spaces
// deeper. Spans and comments are left out.
std::string print_ast(const ast::Ast& tree);

// Whether two files say the same: equal trees but for places and comments.
bool same_meaning(const ast::Ast& a, const ast::Ast& b);

}  // namespace ganc
