#include "compiler/elaborate/sites.h"

namespace ganc::elab {
namespace {

struct PartsOfExpr {
  Parts& out;
  const ast::Ast& ast;

  void add(ast::ExprId id) const {
    if (id) out.exprs.push_back(id);
  }
  void add(const std::vector<ast::Argument>& arguments) const {
    for (const ast::Argument& a : arguments) add(a.value);
  }
  void operator()(const ast::Invalid&) const {}
  void operator()(const ast::Number&) const {}
  void operator()(const ast::String&) const {}
  void operator()(const ast::Boolean&) const {}
  void operator()(const ast::NameUse&) const {}
  void operator()(const ast::Expectation& e) const { add(e.operand); }
  void operator()(const ast::Record& e) const { add(e.fields); }
  void operator()(const ast::Paren& e) const { add(e.operand); }
  void operator()(const ast::List& e) const { add(e.elements); }
  void operator()(const ast::BlockExpr& e) const { out.blocks.push_back(e.block); }
  void operator()(const ast::If& e) const {
    add(e.condition);
    out.blocks.push_back(e.then);
    add(e.otherwise);
  }
  void operator()(const ast::For& e) const {
    add(e.list);
    out.blocks.push_back(e.body);
  }
  void operator()(const ast::Lambda& e) const { out.functions.push_back(e.body); }
  void operator()(const ast::Call& e) const {
    add(e.callee);
    add(e.arguments);
  }
  void operator()(const ast::Member& e) const { add(e.object); }
  void operator()(const ast::Index& e) const {
    add(e.object);
    for (const ast::IndexPart& part : e.parts) {
      add(part.at);
      add(part.begin);
      add(part.end);
    }
  }
  void operator()(const ast::Unary& e) const { add(e.operand); }
  void operator()(const ast::Binary& e) const {
    add(e.left);
    add(e.right);
  }
  void operator()(const ast::Arrow& e) const {
    add(e.left);
    add(e.right);
  }
  void operator()(const ast::With& e) const {
    add(e.call);
    add(e.transformation);
  }
  void operator()(const ast::As& e) const {
    add(e.call);
    for (const ast::ExprId index : e.path.indices) add(index);
  }
};

struct PartsOfStmt {
  Parts& out;

  void add(ast::ExprId id) const {
    if (id) out.exprs.push_back(id);
  }
  void add(const std::vector<ast::Clause>& clauses) const {
    for (const ast::Clause& c : clauses) add(c.value);
  }
  void operator()(const ast::Invalid&) const {}
  void operator()(const ast::Let& s) const { add(s.value); }
  void operator()(const ast::Var& s) const { add(s.value); }
  void operator()(const ast::Assign& s) const { add(s.value); }
  void operator()(const ast::Update& s) const { add(s.value); }
  void operator()(const ast::Watch& s) const { add(s.value); }
  void operator()(const ast::Param& s) const { add(s.init.value); }
  void operator()(const ast::State& s) const { add(s.init.value); }
  void operator()(const ast::Noise& s) const { add(s.distribution); }
  void operator()(const ast::Fn& s) const { out.functions.push_back(s.body); }
  void operator()(const ast::Every& s) const {
    add(s.period);
    out.blocks.push_back(s.body);
  }
  void operator()(const ast::Times& s) const {
    add(s.count);
    out.blocks.push_back(s.body);
  }
  void operator()(const ast::ExprStmt& s) const { add(s.value); }
  void operator()(const ast::Objective& s) const {
    add(s.objective);
    add(s.by);
    add(s.clauses);
  }
  void operator()(const ast::MinMax& s) const {
    add(s.objective);
    add(s.by);
    add(s.clauses);
  }
  void operator()(const ast::Average& s) const {
    add(s.decay);
    add(s.clauses);
  }
};

}  // namespace

Parts parts_of(const ast::Ast& ast, ast::ExprId expr) {
  Parts parts;
  std::visit(PartsOfExpr{parts, ast}, ast[expr].node);
  return parts;
}

Parts parts_of(const ast::Stmt& stmt) {
  Parts parts;
  std::visit(PartsOfStmt{parts}, stmt.node);
  return parts;
}

}  // namespace ganc::elab
