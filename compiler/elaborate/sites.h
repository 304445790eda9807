#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/parse/ast.h"

namespace ganc::elab {

// The names of a body's call sites, by place in its text: `dense`, `dense_2`. Nested functions are
// bodies of their own.
struct Sites {
  std::unordered_map<std::uint32_t, std::string>
      names;  // ExprId of a call, or of what an arrow applies
};

Sites sites_of_block(const ast::Ast& ast, ast::BlockId block);
Sites sites_of_exprs(const ast::Ast& ast, const std::vector<ast::ExprId>& exprs);

// The name by which the text calls `callee`: `dense`, `D` of `D[i]`, `f` of `t.f`; else "call".
std::string callee_text(const ast::Ast& ast, ast::ExprId callee);

// Every direct sub-expression and block of an expression or statement; see walk.cpp.
struct Parts {
  std::vector<ast::ExprId> exprs;
  std::vector<ast::BlockId> blocks;
  std::vector<ast::BlockId> functions;  // bodies of functions written here
};
Parts parts_of(const ast::Ast& ast, ast::ExprId expr);
Parts parts_of(const ast::Stmt& stmt);

}  // namespace ganc::elab
