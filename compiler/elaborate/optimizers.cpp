#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// An optimizer around another one keeps its own states apart from those.
bool wraps(const OptimizerInstance& optimizer) {
  for (const auto& [name, binding] : optimizer.arguments->names) {
    const Value* value = std::get_if<Value>(&binding.what);
    if (value && value->is<std::shared_ptr<OptimizerInstance>>()) return true;
  }
  return false;
}

void bind_name(const std::shared_ptr<Scope>& scope, const ast::Name& name, Value value) {
  Binding binding;
  binding.what = std::move(value);
  binding.span = name.span;
  scope->names.insert_or_assign(name.text, std::move(binding));
}

}  // namespace

Value Elaborator::instantiate(Frame& frame, const std::shared_ptr<OptimizerTemplate>& declaration,
                              Call& c) {
  Frame own = file_frame(*declaration->ast, declaration->scope);
  own.caller = &frame;
  own.call_span = c.span;
  own.name = declaration->declaration->name.text;
  bind_parameters(own, frame, declaration->declaration->parameters, c, own.name);
  return std::make_shared<OptimizerInstance>(OptimizerInstance{declaration, own.scope, {}});
}

std::shared_ptr<OptimizerInstance> Elaborator::optimizer_of(Frame& frame, const Value& value,
                                                            Span span) {
  if (const auto* instance = value.get<std::shared_ptr<OptimizerInstance>>()) return *instance;
  Report report = report_at(frame, Kind::not_an_optimizer, span, describe(value));
  if (value.is<std::shared_ptr<OptimizerTemplate>>()) {
    report.fix(span, "give it its arguments", text(span) + "(lr = 1e-3)");
  }
  fail(report);
}

// The new weights, each by the optimizer's body with its own states.
std::vector<NodeId> Elaborator::optimizer_step(Frame& frame, const OptimizerInstance& optimizer,
                                               const std::string& owner,
                                               std::vector<Step::Entry> entries, Span span) {
  auto step = std::make_shared<Step>();
  step->entries = std::move(entries);
  std::vector<NodeId> updated;
  for (const Step::Entry& entry : step->entries) {
    auto state = std::make_shared<OptimizerFrame>();
    state->step = step;
    state->slots = "slot/" + owner + "/" + entry.name + "/";
    state->weight = entry.name;
    state->given = [step](std::size_t j) {
      return std::pair(step->entries[j].weight, step->entries[j].gradient);
    };
    const Value result =
        apply_optimizer(frame, optimizer, state, entry.weight, entry.gradient, span);
    updated.push_back(real_node(*result.tensor()));
  }
  return updated;
}

Value Elaborator::apply_optimizer(Frame& frame, const OptimizerInstance& optimizer,
                                  std::shared_ptr<OptimizerFrame> state, const Value& weight,
                                  const Value& gradient, Span span) {
  const ast::Optimizer& declaration = *optimizer.declaration->declaration;
  const std::string& name = declaration.name.text;
  state->chain += "/" + name;
  if (wraps(optimizer)) {
    state->wrapper += name + ".";
  } else {
    state->wrapper.clear();  // the inner one's states have their plain names
  }
  state->arguments = optimizer.arguments;
  state->declaration = &declaration;
  Frame own;
  own.ast = optimizer.declaration->ast;
  own.scope = inner_scope(optimizer.arguments, true);
  own.sites = own.draw_sites = &sites(*own.ast, declaration.body);
  own.optimizer = state;
  own.overlay = frame.overlay;
  own.training = true;
  own.prelude = in_prelude(declaration.name.span);
  own.caller = &frame;
  own.name = name;
  own.call_span = span;
  own.draw_path = state->weight;
  bind_name(own.scope, declaration.weight, weight);
  bind_name(own.scope, declaration.gradient, gradient);
  charge(own, span);
  const Value result = eval_block(own, declaration.body);
  const Tensor t = real_tensor(own, result, span, "the result of `" + name + "`");
  if (t.batched() || t.shape != weight.tensor()->shape) {
    error(own, Kind::wrong_shape, declaration.name.span, "the weight that `" + name + "` makes",
          describe(*weight.tensor()), describe(t));
  }
  return t;
}

// `inner(w, g)` in the body of an optimizer around another one.
Value Elaborator::call_optimizer(Frame& frame, const OptimizerInstance& optimizer, Call& c) {
  if (!frame.optimizer) {
    // `adam(lr = 1e-3)(..)`, or an instance as the first argument of an arrow.
    error(frame, Kind::not_callable, c.span, "an optimizer outside of an optimizer");
  }
  if (c.arguments.size() != 2 || !c.arguments[0].second.tensor() ||
      !c.arguments[1].second.tensor()) {
    error(frame, Kind::wrong_value, c.span, "an optimizer", "a weight and its gradient",
          fmt::format("{} arguments", c.arguments.size()));
  }
  auto state = std::make_shared<OptimizerFrame>(*frame.optimizer);
  const auto* written = std::get_if<ast::Call>(&(*frame.ast)[c.expr].node);
  Frame outer = frame;
  outer.caller = nullptr;
  const auto given = frame.optimizer->given;
  state->given = [this, outer, given, written](std::size_t j) mutable {
    Frame at = outer;
    at.scope = inner_scope(outer.optimizer->arguments, true);
    const auto [w, g] = given(j);
    bind_name(at.scope, outer.optimizer->declaration->weight, w);
    bind_name(at.scope, outer.optimizer->declaration->gradient, g);
    if (!written || written->arguments.size() != 2)
      error(at, Kind::misplaced, outer.call_span, "`total`", "`inner(w, g)`");
    return std::pair(eval(at, written->arguments[0].value), eval(at, written->arguments[1].value));
  };
  return apply_optimizer(frame, optimizer, state, c.arguments[0].second, c.arguments[1].second,
                         c.span);
}

// `total(e)`: the sum of all elements of e over all weights of the update.
Value Elaborator::total(Frame& frame, ast::ExprId argument, Span span) {
  OptimizerFrame& state = *frame.optimizer;
  const std::string key = fmt::format("{}:{}", state.chain, argument.index);
  if (const auto it = state.step->totals.find(key); it != state.step->totals.end())
    return it->second;
  NodeId sum;
  for (std::size_t j = 0; j < state.step->entries.size(); ++j) {
    Frame own = frame;
    own.scope = inner_scope(state.arguments, true);
    const auto [w, g] = state.given(j);
    bind_name(own.scope, state.declaration->weight, w);
    bind_name(own.scope, state.declaration->gradient, g);
    const Tensor t = real_tensor(own, eval(own, argument), span, "`total`");
    const NodeId x = real_node(t);
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < b().shape(x).size(); ++i)
      axes.push_back(static_cast<std::int64_t>(i));
    const NodeId one = b().reduce_sum(x, axes);
    sum = sum ? b().add(sum, one) : one;
  }
  const Value result = make_tensor(sum, {}, -1);
  state.step->totals[key] = result;
  return result;
}

// The net after some virtual steps of an optimizer on loss(net). States are carried along, nothing
// is saved.
Value Elaborator::descend(Frame& frame, const Arguments& a) {
  const NetValue* net = a[0].get<NetValue>();
  if (!net) error(frame, Kind::wrong_value, a.spans[0], "descend", "a net", describe(a[0]));
  const auto optimizer = optimizer_of(frame, a[2], a.spans[2]);
  const std::int64_t steps = whole(frame, a[3], a.spans[3], "the steps of `descend`");
  if (steps < 0 || steps > 1000)
    error(frame, Kind::wrong_value, a.spans[3], "descend", "0 to 1000 steps", steps);
  const std::string owner =
      optimizer->owner.empty() ? unit->draw_label + ".descend" : optimizer->owner;
  const auto pending = unit->pending;
  const auto order = unit->order;
  auto overlay =
      net->overlay ? std::make_shared<Overlay>(*net->overlay) : std::make_shared<Overlay>();
  for (std::int64_t k = 0; k < steps; ++k) {
    overlay->transformed.clear();
    const Value value = call_with(frame, a[1], {NetValue{net->net, overlay}}, a.spans[1],
                                  fmt::format("descend[{}]", k));
    const Tensor* loss = value.tensor();
    if (!loss || loss->number || loss->batched() || !loss->shape.empty()) {
      error(frame, Kind::objective_no_number, a.spans[1], describe(value));
    }
    const NodeId y = real_node(*loss);
    const std::vector<bool> reached = cone({y}, true);
    std::vector<Step::Entry> entries;
    for (const std::string& name : weights_of(*net->net)) {
      const NodeId x = read_variable(name, overlay);
      if (x.index >= reached.size() || !reached[x.index]) continue;
      const Shape& shape = variable(name)->type.shape;
      entries.push_back(
          {name, Value(make_tensor(x, shape, -1)), Value(make_tensor(b().grad(y, x), shape, -1))});
    }
    Frame inside = frame;
    inside.overlay = overlay;
    const std::vector<NodeId> updated = optimizer_step(inside, *optimizer, owner, entries, a.call);
    for (std::size_t i = 0; i < entries.size(); ++i) overlay->values[entries[i].name] = updated[i];
  }
  overlay->transformed.clear();
  unit->pending = pending;
  unit->order = order;
  return NetValue{net->net, overlay};
}

}  // namespace ganc::elab
