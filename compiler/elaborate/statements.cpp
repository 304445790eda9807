#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// Statements of any body; those that only a train block has are refused.
struct Statement {
  Elaborator& e;
  Frame& frame;
  const ast::Stmt& stmt;
  ast::StmtId id;
  bool last;
  Value* result;

  void bind(const ast::Name& name, Value value, bool rebindable) const {
    Binding binding;
    binding.what = std::move(value);
    binding.span = name.span;
    binding.rebindable = rebindable;
    e.note_use(*frame.ast, id, "`" + name.text + "`", name.span, &binding.used);
    e.define(frame, name, std::move(binding));
  }
  // After an error the name is known, and what uses it stays silent.
  template <typename Make>
  void known_after(const ast::Name& name, bool rebindable, const Make& make) const {
    try {
      make();
    } catch (const Failed&) {
      Binding binding;
      binding.what = Value{};
      binding.span = name.span;
      binding.rebindable = rebindable;
      frame.scope->names.emplace(name.text, std::move(binding));
      throw;
    }
  }
  void bind_value(const ast::Name& name, ast::ExprId expr, bool rebindable) const {
    known_after(name, rebindable, [&] { bind(name, e.eval(frame, expr), rebindable); });
  }

  void operator()(const ast::Invalid&) const { throw Failed{}; }
  void operator()(const ast::Let& s) const { bind_value(s.name, s.value, false); }
  void operator()(const ast::Var& s) const { bind_value(s.name, s.value, true); }
  void operator()(const ast::Assign& s) const {
    Binding* binding = frame.scope->find_in_body(s.name.text);
    if (!binding) {
      if (!frame.scope->find(s.name.text)) e.unknown_name(frame, s.name.text, s.name.span);
      e.error(frame, Kind::not_a_variable, s.name.span, s.name.text);
    }
    if (!binding->rebindable) {
      e.fail(e.report_at(frame, Kind::not_a_variable, s.name.span, s.name.text)
                 .label(binding->span, "declared here; `var` makes a name that may be rebound"));
    }
    Value value = e.eval(frame, s.value);
    frame.scope->find_in_body(s.name.text)->what = std::move(value);
  }
  void operator()(const ast::Update& s) const {
    const Binding* binding = frame.scope->find(s.name.text);
    if (!binding) e.unknown_name(frame, s.name.text, s.name.span);
    std::string variable;
    if (const auto* state = std::get_if<StateName>(&binding->what)) {
      variable = state->variable;
    } else if (const auto* file = std::get_if<std::shared_ptr<FileState>>(&binding->what)) {
      Frame own = e.file_frame(*(*file)->ast, (*file)->scope);
      variable = e.declare_state(own, *(*file)->declaration, (*file)->span);
    } else {
      e.error(frame, Kind::wrong_value, s.name.span, "update", "a state", "`" + s.name.text + "`");
    }
    const Value value = e.eval(frame, s.value);
    if (frame.training || frame.optimizer)
      e.write_state(frame, variable, value, (*frame.ast)[s.value].span);
  }
  void operator()(const ast::Param& s) const {
    known_after(s.init.name, false,
                [&] { bind(s.init.name, e.make_param(frame, s.init, stmt.span), false); });
  }
  void operator()(const ast::State& s) const {
    known_after(s.init.name, false, [&] { e.make_state(frame, s.init, stmt.span); });
  }
  void operator()(const ast::Noise& s) const {
    known_after(s.name, false, [&] { e.make_noise(frame, s, stmt.span); });
  }
  void operator()(const ast::Fn& s) const {
    Function f{s.name.text, frame.ast, &s.parameters, s.result, s.body, frame.scope};
    f.sees_draws = frame.sees_draws;
    f.prelude = frame.prelude;
    f.span = stmt.span;
    Binding binding;
    binding.what = Value(std::make_shared<const Function>(std::move(f)));
    binding.span = s.name.span;
    e.define(frame, s.name, std::move(binding));
  }
  void operator()(const ast::ExprStmt& s) const {
    const auto& node = (*frame.ast)[s.value].node;
    Value value = e.eval(frame, s.value);
    if (last) {
      *result = std::move(value);
      return;
    }
    // A loop or an `if` may stand for what its body assigns.
    const bool control = std::holds_alternative<ast::If>(node) ||
                         std::holds_alternative<ast::For>(node) ||
                         std::holds_alternative<ast::BlockExpr>(node);
    if (!control && !frame.prelude) {
      e.fail(e.report_at(frame, Kind::unused_value, stmt.span, "this expression")
                 .note("only the last expression of a block is its result"));
    }
  }
  void misplaced(std::string_view what) const {
    e.error(frame, Kind::misplaced, stmt.span, what, "a train block");
  }
  void operator()(const ast::Watch&) const { misplaced("`watch`"); }
  void operator()(const ast::Every&) const { misplaced("`every`"); }
  void operator()(const ast::Times&) const { misplaced("`times`"); }
  void operator()(const ast::Objective&) const { misplaced("an objective"); }
  void operator()(const ast::MinMax&) const { misplaced("an objective"); }
  void operator()(const ast::Average&) const { misplaced("`average`"); }
};

}  // namespace

void Elaborator::eval_statement(Frame& frame, ast::StmtId id, bool last, Value* result) {
  const ast::Stmt& stmt = (*frame.ast)[id];
  charge(frame, stmt.span);
  std::visit(Statement{*this, frame, stmt, id, last, result}, stmt.node);
}

Value Elaborator::eval_block(Frame& frame, ast::BlockId id, bool own_scope) {
  const ast::Block& block = (*frame.ast)[id];
  const auto outer = frame.scope;
  if (own_scope) frame.scope = inner_scope(outer, false);
  Value result = None{};
  bool failed = false;
  for (std::size_t i = 0; i < block.statements.size(); ++i) {
    try {
      eval_statement(frame, block.statements[i], i + 1 == block.statements.size(), &result);
    } catch (const Failed&) {
      failed = true;  // the next statement may have a fault of its own, but not one of the prelude
      if (diagnostics.full() || frame.prelude) break;
    }
  }
  frame.scope = outer;
  if (failed) throw Failed{};
  return result;
}

}  // namespace ganc::elab
