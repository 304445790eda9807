#pragma once

#include <map>
#include <set>
#include <string>

#include "compiler/parse/ast.h"

namespace ganc::elab {

// What the `let`s of a train block read, by name, and which of them does: "`let fake`". Names of
// functions that the block declares stand for what their bodies read. Blocks of `every` and `times`
// hold on their own. `shape(x)` and the like read no value.
std::map<std::string, std::string> names_held(const ast::Ast& ast, ast::BlockId block);

// The names that an expression reads, and where it does first.
std::map<std::string, ast::ExprId> first_uses(const ast::Ast& ast, ast::ExprId expr);
std::set<std::string> names_read(const ast::Ast& ast, ast::ExprId expr);

}  // namespace ganc::elab
