#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

std::string variable_path(const Frame& frame, const std::string& name) {
  return frame.path.empty() ? name : frame.path + "." + name;
}

// The name of the same variable in the net that this one was copied from.
std::string original_name(const NetInstance* net, const std::string& name) {
  std::string result = name;
  for (; net && net->copied; net = net->copied.get()) {
    result = net->copied->name + result.substr(net->name.size());
  }
  return result;
}

}  // namespace

const Variable* Elaborator::variable(const std::string& name) const {
  const auto it = variables.find(name);
  return it == variables.end() ? nullptr : &model.variables[it->second.index];
}

// One call of a net makes a name once, but for what `as` shares.
void Elaborator::check_made_once(const Frame& frame, const std::string& name, Span span) {
  if (!frame.net_call) return;
  const auto [first, fresh] = frame.net_call->made.emplace(name, frame.call_span);
  if (fresh || frame.shared) return;
  fail(report_at(frame, Kind::weight_made_twice, span, name)
           .note("a loop meets one value twice, or one place is passed twice")
           .fix(user_place(frame, span),
                "name the instance to share its weights: `layer(..) as name`"));
}

// True where the variable is new.
bool Elaborator::declare_variable(Frame& frame, Variable v, const ast::Initialized& init,
                                  const std::string& init_name) {
  if (const Variable* known = variable(v.name)) {
    if (known->type.shape != v.type.shape) {
      fail(report_at(frame, Kind::weight_shapes_differ, v.span, v.name, print(known->type.shape),
                     print(v.type.shape))
               .label(known->span, "the first is made here"));
    }
    return false;
  }
  const std::string name = v.name;
  const NodeId value = initial_value(frame, v, init, init_name);
  variables[name] = {model.variables.size(), init_name};
  init_nodes[name] = value;
  model.variables.push_back(std::move(v));
  if (frame.net && model.variables.back().kind == VariableKind::weight) {
    frame.net->parameters += element_count(model.variables.back().type.shape);
  }
  return true;
}

NodeId Elaborator::initial_value(Frame& frame, const Variable& v, const ast::Initialized& init,
                                 const std::string& init_name) {
  Builder& ib = init_work->builder;
  if (const auto it = init_nodes.find(init_name); it != init_nodes.end()) return it->second;
  const Span span = (*frame.ast)[init.value].span;
  const Value value = eval(frame, init.value);
  if (init.random) {
    TypeSpec type;
    type.shape = v.type.shape;
    const Distribution d = distribution(frame, value, type, span);
    Work* const outer = std::exchange(work, init_work.get());
    NodeId node;
    try {
      node = sample(frame, d, type, -1, "init/" + init_name, ib.constant(0, {DType::u32, {}}), span,
                    nullptr);
    } catch (const Failed&) {
      work = outer;
      throw;
    }
    work = outer;
    return ib.convert(node, v.type.dtype);
  }
  if (const auto n = value.number()) return ib.constant(*n, v.type);
  if (value.is<NetValue>() || value.is<None>()) {
    error(frame, Kind::wrong_value, span, "an initial value",
          "a number, a tensor or a distribution", describe(value));
  }
  const Tensor t = to_tensor(frame, value, span, "an initial value");
  if (t.batched() || (t.shape != v.type.shape && !t.shape.empty())) {
    error(frame, Kind::wrong_shape, span, "an initial value", print(v.type.shape), describe(t));
  }
  const Tensor copied = make_tensor(copy_into_init(frame, node(t), span, v.name), t.shape, -1);
  const NodeId converted = ib.convert(copied.node, v.type.dtype);
  return t.shape == v.type.shape ? converted : ib.broadcast_scalar(converted, v.type.shape);
}

// The nodes that an initial value is computed by, over initial values in place of saved ones.
NodeId Elaborator::copy_into_init(const Frame& frame, NodeId id, Span span,
                                  const std::string& name) {
  if (const auto it = work->in_init.find(id.index); it != work->in_init.end()) return it->second;
  const Node n = work->graph[id];
  charge(frame, span);
  NodeId result;
  if (n.op == Op::input) {
    const std::string prefix = "variable/";
    const auto it = init_nodes.find(
        n.attributes.name.substr(std::min(prefix.size(), n.attributes.name.size())));
    if (!n.attributes.name.starts_with(prefix) || it == init_nodes.end()) {
      error(frame, Kind::initial_value_depends, span, name, n.attributes.name);
    }
    result = it->second;
  } else if (n.op == Op::random_bits || n.op == Op::draw) {
    error(frame, Kind::initial_value_depends, span, name, "a draw");
  } else {
    std::vector<NodeId> operands;
    for (const NodeId operand : n.operands)
      operands.push_back(copy_into_init(frame, operand, span, name));
    result = init_work->builder.add_node(n.op, std::move(operands), n.attributes, n.type);
  }
  work->in_init[id.index] = result;
  return result;
}

Value Elaborator::make_param(Frame& frame, const ast::Initialized& init, Span span) {
  if (!frame.net) {
    fail(report_at(frame, Kind::weight_outside_net, span,
                   frame.name.empty() ? "this block" : frame.name, init.name.text)
             .note("calling a layer makes new weights, which a net owns"));
  }
  const TypeSpec type = eval_type(frame, init.type);
  if (type.kind != ElementKind::real) {
    error(frame, Kind::wrong_value, span, "a weight", "real numbers",
          text((*frame.ast)[init.type].span));
  }
  // Made when it is read: a weight that nothing reads is none.
  Frame kept = frame;
  kept.caller = nullptr;
  kept.call_span = user_place(frame, span);
  auto lazy = std::make_shared<Lazy>();
  const std::string name = variable_path(frame, init.name.text);
  check_made_once(frame, name, span);
  Tensor raw;
  raw.shape = type.shape;
  raw.lazy = lazy;
  lazy->make = [this, kept, &init, type, name, span]() mutable {
    Variable v;
    v.name = name;
    v.kind = VariableKind::weight;
    v.type = {real(), type.shape};
    v.net = kept.net->name;
    v.from = kept.net->from.empty() && kept.net->copied ? kept.net->body().from : kept.net->from;
    v.span = span;
    declare_variable(kept, v, init, original_name(kept.net.get(), name));
    return read_variable(name, kept.overlay);
  };
  ++dynamic_reads;
  if (frame.with.empty()) return raw;
  Tensor shown = raw;
  shown.lazy = std::make_shared<Lazy>();
  shown.lazy->make = [this, kept, name, raw]() mutable {
    return node(transformed_weight(kept, name, raw));
  };
  return shown;
}

// T(w), computed once for an update, and once for the lets between two updates.
Tensor Elaborator::transformed_weight(Frame& frame, const std::string& name, const Tensor& weight) {
  auto& cache = frame.overlay ? frame.overlay->transformed : unit->transformed;
  const std::string key = name + print(weight.shape) + (frame.training ? " in training" : "");
  if (const auto it = cache.find(key); it != cache.end()) return it->second;
  Frame own = frame;
  own.with.clear();
  own.path = name;
  own.draw_path = frame.draw_path + "." + name.substr(name.rfind('.') + 1);
  own.loops.clear();
  own.shared = true;  // the same weight may be transformed for several reads
  own.net_body = false;
  Value value = weight;
  for (const Transformation& t : frame.with) {
    Call c;
    c.callee = t.layer;
    c.span = t.span;
    c.site = c.draw_site = t.name;
    c.arguments.emplace_back("", value);
    c.spans.push_back(t.span);
    c.names.push_back({});
    for (const auto& argument : t.arguments) {
      c.arguments.push_back(argument);
      c.spans.push_back(t.span);
      c.names.push_back(t.span);
    }
    value = call(own, c);
    const Tensor* result = value.tensor();
    if (!result || result->batched() || result->shape != weight.shape) {
      error(own, Kind::transformed_shape, t.span, t.name, describe(value), print(weight.shape));
    }
  }
  Tensor result = *value.tensor();
  result.node = node(result);
  result.lazy = nullptr;
  cache[key] = result;
  return result;
}

NodeId Elaborator::read_variable(const std::string& name, const std::shared_ptr<Overlay>& overlay) {
  ++dynamic_reads;
  if (overlay) {
    if (const auto it = overlay->values.find(name); it != overlay->values.end()) return it->second;
  }
  if (unit) {
    if (const auto it = unit->pending.find(name); it != unit->pending.end()) return it->second;
  }
  auto& current = work->current[name];
  if (!current) {
    current = b().input("variable/" + name, variable(name)->type);
    work->versions[name].push_back(current);
  }
  return current;
}

Value Elaborator::state_value(const Frame& frame, const std::string& name) {
  const Variable* v = variable(name);
  const NodeId value = read_variable(name, frame.overlay);
  if (v->type.dtype == DType::i32)
    return make_tensor(value, v->type.shape, -1, ElementKind::integer);
  Tensor t = make_tensor(value, v->type.shape, -1);
  t.number = v->type.shape.empty() && v->type.dtype == DType::f64 && v->scalar;
  return t;
}

std::string Elaborator::declare_state(Frame& frame, const ast::Initialized& init, Span span) {
  const TypeSpec type = eval_type(frame, init.type);
  Variable v;
  v.kind = VariableKind::state;
  v.name = variable_path(frame, init.name.text);
  v.scalar = type.scalar_literal && type.kind == ElementKind::real;
  v.type = {type.kind != ElementKind::real ? DType::i32
            : v.scalar                     ? DType::f64
                                           : real(),
            type.shape};
  v.span = span;
  if (frame.optimizer) {
    v.kind = VariableKind::slot;
    v.name = frame.optimizer->slots + frame.optimizer->wrapper + init.name.text;
    v.weight = frame.optimizer->weight;
  } else if (frame.net) {
    v.net = frame.net->name;
    v.from = frame.net->body().from;
  }
  const std::string name = v.name;
  check_made_once(frame, name, span);
  declare_variable(frame, v, init, original_name(frame.net.get(), name));
  return name;
}

void Elaborator::make_state(Frame& frame, const ast::Initialized& init, Span span) {
  Binding binding;
  binding.what = StateName{declare_state(frame, init, span)};
  binding.span = init.name.span;
  define(frame, init.name, std::move(binding));
}

void Elaborator::write_state(Frame& frame, const std::string& name, const Value& value, Span span) {
  const Variable* v = variable(name);
  NodeId node;
  if (value.number() ||
      (value.tensor() && value.tensor()->shape.empty() && v->type.shape.empty())) {
    const Tensor* t = value.tensor();
    if (t && t->batched())
      error(frame, Kind::wrong_shape, span, "a state", print(v->type.shape), "a batch of []");
    const NodeId scalar = value.number() ? b().constant(*value.number(), {v->type.dtype, {}})
                                         : b().convert(this->node(*t), v->type.dtype);
    node = v->type.shape.empty() ? scalar : b().broadcast_scalar(scalar, v->type.shape);
  } else {
    const Tensor t = to_tensor(frame, value, span, "a state");
    if (t.batched() || t.shape != v->type.shape) {
      fail(report_at(frame, Kind::wrong_shape, span, "the state `" + name + "`",
                     print(v->type.shape), t.batched() ? "a batch of " + describe(t) : describe(t))
               .label(v->span, "declared here"));
    }
    node = b().convert(this->node(t), v->type.dtype);
  }
  if (frame.overlay) {
    frame.overlay->values[name] = node;
    return;
  }
  read_variable(name, nullptr);  // the saved value is the first version
  if (!unit->pending.contains(name)) unit->order.push_back(name);
  unit->pending[name] = node;
}

// From here on the program reads `value`; it is a constant to derivatives. What is guarded keeps
// the old value.
void Elaborator::save(const std::string& name, NodeId value) {
  NodeId& current = work->current[name];
  for (const NodeId condition : work->conditions) value = b().select(condition, value, current);
  value = b().stop(value);
  if (value == current) return;
  current = value;
  work->versions[name].push_back(value);
  if (std::find(work->changed.begin(), work->changed.end(), name) == work->changed.end()) {
    work->changed.push_back(name);
  }
}

void Elaborator::save_pending() {
  const std::vector<std::string> order = std::exchange(unit->order, {});
  const std::map<std::string, NodeId> pending = std::exchange(unit->pending, {});
  for (const std::string& name : order) save(name, pending.at(name));
}

}  // namespace ganc::elab
