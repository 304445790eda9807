#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// FLOP of the contractions among the nodes from `first` on.
double contraction_flop(const Graph& graph, std::size_t first) {
  double flop = 0;
  for (std::size_t i = first; i < graph.nodes.size(); ++i) {
    const Node& n = graph.nodes[i];
    if (n.op != Op::dot_general && n.op != Op::convolution) continue;
    double one = 2 * static_cast<double>(element_count(n.type.shape));
    if (n.op == Op::dot_general) {
      const Shape& left = graph[n.operands[0]].type.shape;
      for (const std::int64_t axis : n.attributes.lhs_contract)
        one *= static_cast<double>(left[axis]);
    } else {
      const Shape& kernel = graph[n.operands[1]].type.shape;
      for (std::size_t k = 1; k < kernel.size(); ++k) one *= static_cast<double>(kernel[k]);
      // Holes of a transposed convolution are not multiplied.
      for (const Window& w : n.attributes.windows) one /= static_cast<double>(w.lhs_dilation);
    }
    flop += one;
  }
  return flop;
}

// A value that leaves a net is there: what was not read until now is.
void force(Elaborator& e, const Value& value) {
  if (const Tensor* t = value.tensor()) {
    if (!t->node) e.node(*t);
  } else if (const List* list = value.list()) {
    for (const Value& v : *list) force(e, v);
  } else if (const Record* record = value.record()) {
    for (const auto& [name, v] : record->fields) force(e, v);
  }
}

std::string describe_result(const Value& value) {
  if (const Record* record = value.record()) {
    std::string text = "(";
    for (const auto& [name, field] : record->fields) {
      text += (text.size() > 1 ? ", " : "") + name + ": " + describe_result(field);
    }
    return text + ")";
  }
  return describe(value);
}

}  // namespace

Value Elaborator::call_net(Frame& frame, const NetValue& value, Call& c) {
  const std::shared_ptr<NetInstance>& net = value.net;
  const NetInstance& body = net->body();
  if (!work) error(frame, Kind::not_static, c.span, "`" + net->name + "(..)`");
  Frame callee = file_frame(*body.ast, body.scope);
  callee.scope = inner_scope(body.scope, true);
  callee.sites = callee.draw_sites = &sites(*body.ast, body.declaration->body);
  callee.path = net->name;
  callee.draw_path = frame.draw_path.empty() ? c.draw_site : frame.draw_path + "." + c.draw_site;
  callee.net = net;
  callee.net_call = std::make_shared<NetCall>();
  callee.overlay = value.overlay;
  callee.count = frame.count;
  const auto training = take_training(frame, c, &body.declaration->parameters);
  callee.training = training.value_or(job && job->trained.contains(net->name));
  callee.caller = &frame;
  callee.name = net->name;
  callee.call_span = c.span;
  callee.net_body = true;
  charge(callee, c.span);
  for (const auto& [name, argument] : c.arguments) {
    if (const std::int64_t n = samples_in(argument); n >= 0) callee.count = n;
  }
  Frame declared = file_frame(*body.ast, body.scope);
  for (const ast::ExprId t : body.declaration->transformations)
    callee.with.push_back(transformation(declared, t));
  bind_parameters(callee, frame, body.declaration->parameters, c, net->name);
  const std::uint32_t origin = b().origin();
  b().set_origin({user_place(callee, c.span), callee.path});
  Value result = eval_block(callee, body.declaration->body, false);
  if (body.declaration->result) {
    result =
        match_type(callee, body.declaration->result, result, "the result of `" + net->name + "`",
                   (*body.ast)[body.declaration->body].span);
  }
  for (std::size_t i = 0; i < body.declaration->parameters.size(); ++i) {
    const ast::Parameter& p = body.declaration->parameters[i];
    const Binding* bound = callee.scope->find(p.name.text);
    if (const Value* v = bound ? std::get_if<Value>(&bound->what) : nullptr) {
      check_range(frame, *net, p, *v, i < c.spans.size() ? c.spans[i] : c.span);
    }
  }
  force(*this, result);
  b().set_origin(origin);
  net->called = true;
  net->rows_complete = true;
  return result;
}

// One row for a layer that a net's body calls, the first time.
void Elaborator::add_layer_row(Frame& frame, const Call& c, const std::string& path,
                               std::size_t first_node, std::size_t first_variable,
                               const Value& result) {
  if (!frame.net_body || !frame.net || path.empty()) return;
  const Function* function = c.callee.function();
  if (!function || !function->layer) return;
  LayerRow row;
  row.net = frame.net->name;
  row.call = path.size() > frame.path.size() ? path.substr(frame.path.size() + 1) : path;
  row.text = text(c.span);
  row.output = describe_result(result);
  for (std::size_t i = first_variable; i < model.variables.size(); ++i) {
    const Variable& v = model.variables[i];
    if (v.kind == VariableKind::weight && v.net == frame.net->name)
      row.parameters += element_count(v.type.shape);
  }
  if (frame.net->rows_complete && row.parameters == 0)
    return;  // a layer that the first call has shown
  const std::int64_t samples = frame.count > 0 ? frame.count : 1;
  row.flop = contraction_flop(work->graph, first_node) / static_cast<double>(samples);
  row.span = c.span;
  frame.net->rows.push_back(std::move(row));
}

// Makes a net's weights by calling it beside the program, where its parameters have types.
void Elaborator::declare_weights(Frame& frame, const std::shared_ptr<NetInstance>& net, Span span) {
  Work beside("weights");
  beside.count = 2;
  Work* const outer = std::exchange(work, &beside);
  Unit once;
  Unit* const outer_unit = std::exchange(unit, &once);
  const auto restore = [&] {
    work = outer;
    unit = outer_unit;
  };
  try {
    const NetInstance& body = net->body();
    Frame probe = file_frame(*body.ast, body.scope);
    probe.scope = inner_scope(body.scope, true);
    Call c;
    c.span = span;
    c.site = c.draw_site = net->name;
    for (const ast::Parameter& p : body.declaration->parameters) {
      if (!p.type) error(frame, Kind::weights_unknown, span, net->name);
      const TypeSpec type = eval_type(probe, p.type);
      Shape full = type.shape;
      full.insert(full.begin(), beside.count);
      const DType dtype = type.kind == ElementKind::real ? real() : DType::i32;
      c.arguments.emplace_back("", make_tensor(b().constant(0, {dtype, full}), type.shape,
                                               beside.count, type.kind, type.classes));
      c.spans.push_back(span);
      c.names.push_back({});
    }
    call_net(probe, NetValue{net, nullptr}, c);
  } catch (const Failed&) {
    restore();
    throw;
  }
  restore();
}

std::vector<std::string> Elaborator::weights_of(const NetInstance& net) const {
  std::vector<std::string> names;
  for (const Variable& v : model.variables) {
    if (v.kind == VariableKind::weight && v.net == net.name) names.push_back(v.name);
  }
  return names;
}

}  // namespace ganc::elab
