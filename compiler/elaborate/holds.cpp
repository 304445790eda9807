#include "compiler/elaborate/holds.h"

#include <array>

#include "compiler/elaborate/sites.h"

namespace ganc::elab {
namespace {

constexpr std::array shape_functions = {"shape", "rank", "size", "count", "classes"};

bool reads_shape_only(const std::string& function) {
  for (const char* name : shape_functions) {
    if (function == name) return true;
  }
  return false;
}

struct Reader {
  const ast::Ast& ast;
  std::map<std::string, ast::ExprId> names;  // by their first use
  std::multiset<std::string> hidden;         // parameters and lets between here and the reader

  void expr(ast::ExprId id) {
    const auto& node = ast[id].node;
    if (const auto* use = std::get_if<ast::NameUse>(&node)) {
      if (!hidden.contains(use->name)) names.emplace(use->name, id);
      return;
    }
    if (const auto* call = std::get_if<ast::Call>(&node);
        call && reads_shape_only(callee_text(ast, call->callee))) {
      for (const ast::Argument& a : call->arguments) {
        if (!std::holds_alternative<ast::NameUse>(ast[a.value].node)) expr(a.value);
      }
      return;
    }
    if (const auto* lambda = std::get_if<ast::Lambda>(&node))
      return function(lambda->parameters, lambda->body);
    const auto* loop = std::get_if<ast::For>(&node);
    const Parts parts = parts_of(ast, id);
    for (const ast::ExprId e : parts.exprs) expr(e);
    if (loop) hidden.insert(loop->variable.text);
    for (const ast::BlockId b : parts.blocks) block(b);
    if (loop) hidden.erase(hidden.find(loop->variable.text));
  }

  void function(const std::vector<ast::Parameter>& parameters, ast::BlockId body) {
    std::vector<std::string> own;
    for (const ast::Parameter& p : parameters) {
      own.push_back(p.name.text);
      const auto* type = p.type ? std::get_if<ast::TensorType>(&ast[p.type].node) : nullptr;
      if (!type) continue;
      for (const ast::Dim& dim : type->dims) {  // a dimension's name is bound by the argument
        if (dim.ellipsis) continue;
        if (const auto* name = std::get_if<ast::NameUse>(&ast[dim.size].node))
          own.push_back(name->name);
      }
    }
    for (const std::string& name : own) hidden.insert(name);
    block(body);
    for (const std::string& name : own) hidden.erase(hidden.find(name));
  }

  void block(ast::BlockId id) {
    std::vector<std::string> own;
    const auto hide = [&](const ast::Name& name) {
      own.push_back(name.text);
      hidden.insert(name.text);
    };
    for (const ast::StmtId s : ast[id].statements) {
      const ast::Stmt& stmt = ast[s];
      if (const auto* fn = std::get_if<ast::Fn>(&stmt.node)) {
        hide(fn->name);
        function(fn->parameters, fn->body);
      }
      const Parts parts = parts_of(stmt);
      for (const ast::ExprId e : parts.exprs) expr(e);
      for (const ast::BlockId b : parts.blocks) block(b);
      if (const auto* let = std::get_if<ast::Let>(&stmt.node)) hide(let->name);
      if (const auto* var = std::get_if<ast::Var>(&stmt.node)) hide(var->name);
      if (const auto* noise = std::get_if<ast::Noise>(&stmt.node)) hide(noise->name);
    }
    for (const std::string& name : own) hidden.erase(hidden.find(name));
  }
};

std::set<std::string> keys(const std::map<std::string, ast::ExprId>& names) {
  std::set<std::string> result;
  for (const auto& [name, use] : names) result.insert(name);
  return result;
}

struct Holder {
  const ast::Ast& ast;
  std::map<std::string, std::set<std::string>> functions;  // of the block: what their bodies read
  std::map<std::string, std::string> held;

  void collect_functions(ast::BlockId id) {
    for (const ast::StmtId s : ast[id].statements) {
      if (const auto* fn = std::get_if<ast::Fn>(&ast[s].node)) {
        Reader reader{ast, {}, {}};
        reader.function(fn->parameters, fn->body);
        functions[fn->name.text] = keys(reader.names);
      }
    }
  }

  void hold(const std::string& let, const std::set<std::string>& names, int depth) {
    for (const std::string& name : names) {
      if (!held.emplace(name, let).second) continue;
      if (const auto it = functions.find(name); it != functions.end() && depth < 64)
        hold(let, it->second, depth + 1);
    }
  }

  void block(ast::BlockId id) {
    for (const ast::StmtId s : ast[id].statements) {
      const ast::Stmt& stmt = ast[s];
      const ast::Name* name = nullptr;
      ast::ExprId value;
      if (const auto* let = std::get_if<ast::Let>(&stmt.node)) {
        name = &let->name;
        value = let->value;
      } else if (const auto* var = std::get_if<ast::Var>(&stmt.node)) {
        name = &var->name;
        value = var->value;
      } else if (const auto* assign = std::get_if<ast::Assign>(&stmt.node)) {
        name = &assign->name;
        value = assign->value;
      } else if (const auto* expr = std::get_if<ast::ExprStmt>(&stmt.node)) {
        nested(expr->value);
      }
      if (name) hold("`let " + name->text + "`", names_read(ast, value), 0);
    }
  }

  // `if` and `for` as statements: their lets are the block's.
  void nested(ast::ExprId id) {
    const auto& node = ast[id].node;
    const bool control = std::holds_alternative<ast::If>(node) ||
                         std::holds_alternative<ast::For>(node) ||
                         std::holds_alternative<ast::BlockExpr>(node);
    if (!control) return;
    const Parts parts = parts_of(ast, id);
    for (const ast::ExprId e : parts.exprs) nested(e);
    for (const ast::BlockId b : parts.blocks) block(b);
  }
};

}  // namespace

std::map<std::string, ast::ExprId> first_uses(const ast::Ast& ast, ast::ExprId expr) {
  Reader reader{ast, {}, {}};
  reader.expr(expr);
  return reader.names;
}

std::set<std::string> names_read(const ast::Ast& ast, ast::ExprId expr) {
  return keys(first_uses(ast, expr));
}

std::map<std::string, std::string> names_held(const ast::Ast& ast, ast::BlockId block) {
  Holder holder{ast, {}, {}};
  holder.collect_functions(block);
  holder.block(block);
  return holder.held;
}

}  // namespace ganc::elab
