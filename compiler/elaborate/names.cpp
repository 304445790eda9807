#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// A `const` may be anything.
bool fits_role(const Binding& binding, NameRole role) {
  if (role == NameRole::any || std::get_if<std::shared_ptr<ConstantName>>(&binding.what))
    return true;
  const Value* value = std::get_if<Value>(&binding.what);
  if (!value) return false;
  if (value->is<std::shared_ptr<OptimizerTemplate>>()) return true;
  if (role == NameRole::optimizer) return value->is<std::shared_ptr<OptimizerInstance>>();
  return value->function() || value->is<const NativeFunction*>() || value->is<NetValue>() ||
         value->is<NetFamily>();
}

}  // namespace

std::shared_ptr<Scope> inner_scope(std::shared_ptr<Scope> parent, bool body) {
  auto scope = std::make_shared<Scope>();
  scope->parent = std::move(parent);
  scope->body = body;
  KeptValues::keep(scope);
  return scope;
}

void Elaborator::unknown_name(const Frame& frame, std::string_view name, Span span, NameRole role) {
  std::vector<std::string> fitting, others = {"step", "epoch", "progress", "batch", "training"};
  for (const Scope* s = frame.scope.get(); s; s = s->parent.get()) {
    for (const auto& [known, binding] : s->names)
      (fits_role(binding, role) ? fitting : others).push_back(known);
  }
  Report report = report_at(frame, Kind::unknown_name, span, name);
  std::string best = nearest(name, fitting);
  if (best.empty()) best = nearest(name, others);
  if (!best.empty()) report.fix(span, fmt::format("did you mean `{}`?", best), best);
  fail(report);
}

// Where an optimizer stands, an unknown name is a misspelt optimizer.
void Elaborator::check_optimizer_name(Frame& frame, ast::ExprId id) {
  const ast::Expr& expr = (*frame.ast)[id];
  if (const auto* arrow = std::get_if<ast::Arrow>(&expr.node)) {
    check_optimizer_name(frame, arrow->left);
    check_optimizer_name(frame, arrow->right);
  } else if (const auto* call = std::get_if<ast::Call>(&expr.node)) {
    check_optimizer_name(frame, call->callee);
  } else if (const auto* name = std::get_if<ast::NameUse>(&expr.node)) {
    if (!frame.scope->find(name->name))
      unknown_name(frame, name->name, expr.span, NameRole::optimizer);
  }
}

Value Elaborator::eval_name(Frame& frame, std::string_view name, Span span, NameRole role) {
  if (Binding* binding = frame.scope->find(name)) {
    if (binding->used) *binding->used = true;
    return read_binding(frame, *binding, name, span);
  }
  if (name == "training") return frame.training;
  if (name == "step" || name == "epoch" || name == "progress") {
    if (!work || !job) {
      error(frame, Kind::only_in_train, span, name);
    }
    ++dynamic_reads;
    return number_tensor(b().input(std::string(name), {DType::f64, {}}));
  }
  if (name == "batch") {
    if (!work || !job) error(frame, Kind::only_in_train, span, name);
    ++dynamic_reads;  // another train block may have another one
    return static_cast<double>(work->count);
  }
  if (nets.contains(std::string(name) + "[]")) return NetFamily{std::string(name)};
  unknown_name(frame, name, span, role);
}

Value Elaborator::read_binding(Frame& frame, Binding& binding, std::string_view name, Span span) {
  if (const Value* value = std::get_if<Value>(&binding.what)) {
    if (value->is<Unknown>()) throw Failed{};
    return *value;
  }
  if (auto* constant = std::get_if<std::shared_ptr<ConstantName>>(&binding.what)) {
    return eval_constant(frame, **constant, name, span);
  }
  if (const StateName* state = std::get_if<StateName>(&binding.what)) {
    ++dynamic_reads;
    return state_value(frame, state->variable);
  }
  if (!frame.sees_draws && !std::get_if<std::shared_ptr<FileState>>(&binding.what)) {
    fail(report_at(frame, Kind::not_visible, span, name)
             .label(binding.span, fmt::format("`{}` is declared here", name))
             .note("data and noise are drawn in train blocks, outputs, metrics and functions "
                   "inside them")
             .fix(span, fmt::format("take `{}` as a parameter", name)));
  }
  if (!work) error(frame, Kind::not_static, span, name);
  ++dynamic_reads;
  if (auto* file_state = std::get_if<std::shared_ptr<FileState>>(&binding.what)) {
    FileState& state = **file_state;
    Frame file = file_frame(*state.ast, state.scope);
    const std::string variable = declare_state(file, *state.declaration, state.span);
    return state_value(frame, variable);
  }
  if (auto* field = std::get_if<Binding::DataField>(&binding.what)) {
    return read_data(frame, *field, name, span);
  }
  return read_noise(frame, std::get<std::shared_ptr<NoiseName>>(binding.what), name, span);
}

Value Elaborator::eval_constant(const Frame& frame, ConstantName& constant, std::string_view name,
                                Span span) {
  constant.read = true;
  if (constant.known) return constant.value;
  if (constant.evaluating) error(frame, Kind::cyclic_constant, span, name);
  constant.evaluating = true;
  // A `const` names an expression: it is read with what is known where it is used.
  Frame own = file_frame(*constant.ast, constant.scope);
  own.prelude = constant.prelude;
  own.sees_draws = frame.sees_draws;
  own.count = frame.count;
  own.caller = &frame;
  own.call_span = span;
  own.path = frame.path;
  own.draw_path =
      frame.draw_path.empty() ? std::string(name) : frame.draw_path + "." + std::string(name);
  const std::uint64_t before = dynamic_reads;
  Value value;
  try {
    value = eval(own, constant.expr);
  } catch (const Failed&) {
    constant.evaluating = false;
    throw;
  }
  constant.evaluating = false;
  if (const auto* instance = value.get<std::shared_ptr<OptimizerInstance>>()) {
    auto owned = std::make_shared<OptimizerInstance>(**instance);
    owned->owner = name;
    value = std::move(owned);
  }
  if (dynamic_reads == before) {
    constant.known = true;
    constant.value = value;
  }
  return value;
}

void Elaborator::define(Frame& frame, const ast::Name& name, Binding binding) {
  const Binding* other = frame.scope->find_in_body(name.text);
  if (other && !other->dimension) {
    fail(report_at(frame, Kind::defined_twice, name.span, name.text)
             .label(other->span, "the first is here"));
  }
  frame.scope->names.insert_or_assign(name.text, std::move(binding));
}

}  // namespace ganc::elab
