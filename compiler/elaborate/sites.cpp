#include "compiler/elaborate/sites.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

namespace ganc::elab {
namespace {

struct Found {
  std::uint32_t position;
  std::uint32_t expr;
  std::string name;
};

// What an arrow applies, below `with` and `as`.
ast::ExprId applied(const ast::Ast& ast, ast::ExprId expr) {
  for (;;) {
    if (const auto* with = std::get_if<ast::With>(&ast[expr].node)) {
      expr = with->call;
    } else if (const auto* as = std::get_if<ast::As>(&ast[expr].node)) {
      expr = as->call;
    } else {
      return expr;
    }
  }
}

struct Collector {
  const ast::Ast& ast;
  std::vector<Found> found;

  void expr(ast::ExprId id) {
    const auto& node = ast[id].node;
    if (const auto* call = std::get_if<ast::Call>(&node)) {
      site(id, call->callee);
    } else if (const auto* arrow = std::get_if<ast::Arrow>(&node)) {
      const ast::ExprId right = applied(ast, arrow->right);
      if (!std::holds_alternative<ast::Call>(ast[right].node)) site(right, right);
    } else if (const auto* with = std::get_if<ast::With>(&node)) {
      // A transformation is named by its place, its weight's path, not as a call.
      expr(with->call);
      if (const auto* t = std::get_if<ast::Call>(&ast[with->transformation].node)) {
        for (const ast::Argument& a : t->arguments) expr(a.value);
      }
      return;
    }
    add(parts_of(ast, id));
  }

  void block(ast::BlockId id) {
    for (const ast::StmtId stmt : ast[id].statements) add(parts_of(ast[stmt]));
  }

  void add(const Parts& parts) {
    for (const ast::ExprId e : parts.exprs) expr(e);
    for (const ast::BlockId b : parts.blocks) block(b);
  }

  void site(ast::ExprId id, ast::ExprId callee) {
    found.push_back({ast[callee].span.begin, id.index, callee_text(ast, callee)});
  }

  Sites number() {
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.position < b.position; });
    std::map<std::string, int> counts;
    Sites sites;
    for (const Found& f : found) {
      const int n = ++counts[f.name];
      sites.names[f.expr] = n == 1 ? f.name : fmt::format("{}_{}", f.name, n);
    }
    return sites;
  }
};

}  // namespace

std::string callee_text(const ast::Ast& ast, ast::ExprId callee) {
  const auto& node = ast[callee].node;
  if (const auto* name = std::get_if<ast::NameUse>(&node)) return name->name;
  if (const auto* index = std::get_if<ast::Index>(&node)) return callee_text(ast, index->object);
  if (const auto* member = std::get_if<ast::Member>(&node)) return member->name.text;
  return "call";
}

Sites sites_of_block(const ast::Ast& ast, ast::BlockId block) {
  Collector collector{ast, {}};
  collector.block(block);
  return collector.number();
}

Sites sites_of_exprs(const ast::Ast& ast, const std::vector<ast::ExprId>& exprs) {
  Collector collector{ast, {}};
  for (const ast::ExprId e : exprs) collector.expr(e);
  return collector.number();
}

}  // namespace ganc::elab
