#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

std::string join_path(const std::string& path, const std::string& component) {
  return path.empty() ? component : path + "." + component;
}

}  // namespace

void Elaborator::add_arguments(Frame& frame, const std::vector<ast::Argument>& arguments,
                               Call& call) {
  std::vector<ast::ExprId> written;
  for (const ast::Argument& a : arguments) written.push_back(a.value);
  std::vector<Value> values = eval_each(frame, written);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    call.arguments.emplace_back(arguments[i].name.text, std::move(values[i]));
    call.spans.push_back((*frame.ast)[written[i]].span);
    call.names.push_back(arguments[i].name.span);
  }
}

Transformation Elaborator::transformation(Frame& frame, ast::ExprId id) {
  Transformation t;
  t.span = (*frame.ast)[id].span;
  ast::ExprId callee = id;
  if (const auto* with_arguments = std::get_if<ast::Call>(&(*frame.ast)[id].node)) {
    callee = with_arguments->callee;
    for (const ast::Argument& a : with_arguments->arguments) {
      t.arguments.emplace_back(a.name.text, eval(frame, a.value));
    }
  }
  t.name = callee_text(*frame.ast, callee);
  t.layer = eval(frame, callee);
  if (!t.layer.function()) {
    error(frame, Kind::wrong_value, t.span, "with", "a layer from a weight to a weight",
          describe(t.layer));
  }
  return t;
}

std::string Elaborator::path_component(Frame& frame, const ast::Path& path) {
  std::string name = path.name.text;
  for (const ast::ExprId index : path.indices) name += loop_suffix(eval(frame, index), 0);
  return name;
}

// A call, an arrow, or one of them with `with` and `as` around it: what is applied, at the core.
ast::ExprId Elaborator::peel(Frame& frame, ast::ExprId id, Call& c, std::string& as) {
  for (;;) {
    const auto& node = (*frame.ast)[id].node;
    if (const auto* with = std::get_if<ast::With>(&node)) {
      c.with.insert(c.with.begin(),
                    transformation(frame, with->transformation));  // innermost first
      id = with->call;
    } else if (const auto* named = std::get_if<ast::As>(&node)) {
      as = path_component(frame, named->path);
      id = named->call;
    } else if (const auto* arrow = std::get_if<ast::Arrow>(&node)) {
      if (!c.arguments.empty()) {
        error(frame, Kind::not_callable, (*frame.ast)[id].span, "a value");
      }
      c.arguments.emplace_back("", eval(frame, arrow->left));
      c.spans.push_back((*frame.ast)[arrow->left].span);
      c.names.push_back({});
      c.span = (*frame.ast)[arrow->right].span;
      id = arrow->right;
    } else {
      return id;
    }
  }
}

// The component of a path that a call adds: `dense_2`, `D[1]`, `conv[8]` in a loop.
std::string Elaborator::site_name(const Frame& frame, const Sites* sites, const Call& c,
                                  ast::ExprId callee) const {
  std::string name = callee_text(*frame.ast, callee);
  if (sites) {
    if (const auto it = sites->names.find(c.expr.index); it != sites->names.end())
      name = it->second;
  }
  const bool indexed = std::holds_alternative<ast::Index>((*frame.ast)[callee].node);
  if (const NetValue* net = c.callee.get<NetValue>(); net && indexed) {
    name += net->net->name.substr(std::min(net->net->name.find('['), net->net->name.size()));
  }
  return name + frame.loops;
}

Value Elaborator::eval_call(Frame& frame, ast::ExprId id, const ast::Expr& expr) {
  Call c;
  c.span = expr.span;
  c.ast = frame.ast;
  std::string as;
  c.expr = peel(frame, id, c, as);
  const auto* written = std::get_if<ast::Call>(&(*frame.ast)[c.expr].node);
  if (!written && c.arguments.empty()) {
    error(frame, Kind::wrong_value, expr.span, "`with` or `as`", "a call", text(expr.span));
  }
  const ast::ExprId callee = written ? written->callee : c.expr;
  const ast::Expr& called = (*frame.ast)[callee];
  const auto* name = std::get_if<ast::NameUse>(&called.node);
  c.callee =
      name ? eval_name(frame, name->name, called.span, NameRole::called) : eval(frame, callee);
  const NativeFunction* const* native = c.callee.get<const NativeFunction*>();
  const bool is_total = native && (*native)->name == "total" && frame.optimizer;
  if (is_total && written && written->arguments.size() == 1) {
    return total(frame, written->arguments[0].value, c.span);
  }
  if (written) add_arguments(frame, written->arguments, c);
  c.site = as.empty() ? site_name(frame, frame.sites, c, callee) : as;
  c.draw_site = as.empty() ? site_name(frame, frame.draw_sites, c, callee) : as;
  c.shared = !as.empty();
  c.text = text(c.span);
  return call(frame, c);
}

Value Elaborator::call_with(Frame& frame, const Value& callee, std::vector<Value> arguments,
                            Span span, const std::string& site) {
  Call c;
  c.callee = callee;
  c.span = span;
  c.site = c.draw_site = site;
  c.ast = frame.ast;
  for (Value& v : arguments) {
    c.arguments.emplace_back("", std::move(v));
    c.spans.push_back(span);
    c.names.push_back({});
  }
  return call(frame, c);
}

Value Elaborator::call(Frame& frame, Call& c) {
  if (const Function* f = c.callee.function()) return call_function(frame, *f, c);
  if (const NativeFunction* const* n = c.callee.get<const NativeFunction*>())
    return call_native(frame, **n, c);
  if (const NetValue* net = c.callee.get<NetValue>()) return call_net(frame, *net, c);
  if (const auto* t = c.callee.get<std::shared_ptr<OptimizerTemplate>>())
    return instantiate(frame, *t, c);
  if (const auto* o = c.callee.get<std::shared_ptr<OptimizerInstance>>())
    return call_optimizer(frame, **o, c);
  Report report = report_at(frame, Kind::not_callable, c.span, describe(c.callee));
  if (c.callee.is<NetFamily>()) report.note("it has an index: `D[0](x)`");
  fail(report);
}

void Elaborator::unknown_argument(const Frame& frame, Span span, std::string_view callee,
                                  std::string_view given, std::vector<std::string> names) {
  std::erase(names, "rest_");
  Report report = report_at(frame, Kind::unknown_argument, span, callee, given);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "`" : ", `") + name + "`";
  report.note(list.empty() ? "it has none that can be named" : "it has " + list);
  if (const std::string best = nearest(given, names); !best.empty())
    report.fix(span, fmt::format("did you mean `{}`?", best), best);
  fail(report);
}

Value Elaborator::call_native(Frame& frame, const NativeFunction& native, Call& c) {
  Arguments a;
  a.call = c.span;
  a.function = &native;
  a.site = c.expr;
  a.values.assign(native.parameters.size(), None{});
  a.spans.assign(native.parameters.size(), c.span);
  std::vector<bool> given(native.parameters.size(), false);
  std::size_t next = 0;
  const bool rest = !native.parameters.empty() && native.parameters[0].name == "rest_";
  List list;
  std::vector<std::string> names;
  for (const auto& p : native.parameters) names.push_back(p.name);
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    auto& [name, value] = c.arguments[i];
    if (rest && name.empty()) {
      list.push_back(std::move(value));
      continue;
    }
    std::size_t place = next;
    if (!name.empty()) {
      const auto it = std::find(names.begin(), names.end(), name);
      if (it == names.end()) {
        unknown_argument(frame, c.names[i], native.name, name, names);
      }
      place = static_cast<std::size_t>(it - names.begin());
    } else if (next++ >= names.size()) {
      error(frame, Kind::too_many_arguments, c.spans[i], native.name, names.size(),
            c.arguments.size());
    }
    if (given[place]) error(frame, Kind::repeated_argument, c.spans[i], names[place]);
    given[place] = true;
    a.values[place] = std::move(value);
    a.spans[place] = c.spans[i];
  }
  if (rest) a.values[0] = make_list(std::move(list));
  for (std::size_t i = rest ? 1 : 0; i < names.size(); ++i) {
    if (!given[i] && !native.parameters[i].optional) {
      error(frame, Kind::missing_argument, c.span, native.name, names[i]);
    }
  }
  charge(frame, c.span, static_cast<std::int64_t>(list.size()));
  Value result = native.code(*this, frame, a);
  add_layer_row(frame, c, {}, 0, 0, result);
  return result;
}

// `F(x, training = true)`, where F itself has no such parameter.
std::optional<bool> Elaborator::take_training(const Frame& frame, Call& c,
                                              const std::vector<ast::Parameter>* own) {
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    if (c.arguments[i].first != "training") continue;
    for (const ast::Parameter& p : *own) {
      if (p.name.text == "training") return std::nullopt;
    }
    const auto on = c.arguments[i].second.number();
    if (!on)
      error(frame, Kind::wrong_value, c.spans[i], "training", "true or false",
            describe(c.arguments[i].second));
    const auto at = static_cast<std::ptrdiff_t>(i);
    c.arguments.erase(c.arguments.begin() + at);
    c.spans.erase(c.spans.begin() + at);
    c.names.erase(c.names.begin() + at);
    return *on != 0;
  }
  return std::nullopt;
}

void Elaborator::bind_parameters(Frame& callee, const Frame& caller,
                                 const std::vector<ast::Parameter>& parameters, Call& c,
                                 std::string_view name) {
  std::vector<const Value*> values(parameters.size(), nullptr);
  std::vector<Span> spans(parameters.size(), c.span);
  std::vector<std::string> names;
  for (const ast::Parameter& p : parameters) names.push_back(p.name.text);
  std::size_t next = 0;
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    const auto& [given, value] = c.arguments[i];
    std::size_t place = next;
    if (!given.empty()) {
      const auto it = std::find(names.begin(), names.end(), given);
      if (it == names.end()) {
        unknown_argument(caller, c.names[i], name, given, names);
      }
      place = static_cast<std::size_t>(it - names.begin());
    } else if (next++ >= names.size()) {
      error(caller, Kind::too_many_arguments, c.spans[i], name, names.size(), c.arguments.size());
    }
    if (values[place]) error(caller, Kind::repeated_argument, c.spans[i], names[place]);
    values[place] = &value;
    spans[place] = c.spans[i];
  }
  // Untyped ones first: a dimension may be the name of any parameter.
  const auto bind = [&](std::size_t i, Value value) {
    Binding binding;
    binding.what = std::move(value);
    binding.span = parameters[i].name.span;
    define(callee, parameters[i].name, std::move(binding));
  };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (values[i] && !parameters[i].type) bind(i, *values[i]);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (values[i] && parameters[i].type) {
      bind(i,
           match_type(callee, parameters[i].type, *values[i], parameters[i].name.text, spans[i]));
    }
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (values[i]) continue;
    if (!parameters[i].value) error(caller, Kind::missing_argument, c.span, name, names[i]);
    Value value = eval(callee, parameters[i].value);
    if (parameters[i].type && !value.is<None>()) {
      value = match_type(callee, parameters[i].type, value, names[i],
                         (*callee.ast)[parameters[i].value].span);
    }
    bind(i, std::move(value));
  }
}

Value Elaborator::call_function(Frame& frame, const Function& f, Call& c) {
  Frame callee;
  callee.ast = f.ast;
  callee.scope = inner_scope(f.scope, true);
  callee.sites = callee.draw_sites = &sites(*f.ast, f.body);
  callee.path = join_path(frame.path, c.site);
  callee.draw_path = join_path(frame.draw_path, c.draw_site);
  callee.net = frame.net;
  callee.net_call = frame.net_call;
  callee.overlay = frame.overlay;
  callee.with = c.with;
  callee.with.insert(callee.with.end(), frame.with.begin(), frame.with.end());
  callee.count = frame.count;
  callee.training = take_training(frame, c, f.parameters).value_or(frame.training);
  callee.sees_draws = f.sees_draws;
  callee.shared = frame.shared || c.shared;
  callee.prelude = f.prelude;
  callee.caller = &frame;
  callee.name = f.name == "fn" ? c.site : f.name;
  callee.call_span = c.span;
  charge(callee, c.span);
  for (const auto& [name, value] : c.arguments) {
    if (const std::int64_t n = samples_in(value); n >= 0) callee.count = n;
  }
  const std::size_t first_variable = model.variables.size();
  const std::size_t first_node = work ? work->graph.nodes.size() : 0;
  bind_parameters(callee, frame, *f.parameters, c, callee.name);
  check_logits(frame, f, c);
  const std::uint32_t origin = work ? b().origin() : 0;
  if (work) b().set_origin({user_place(callee, c.span), callee.path});
  Value result = eval_block(callee, f.body, false);
  if (f.result) {
    result = match_type(callee, f.result, result, "the result of `" + callee.name + "`",
                        (*f.ast)[f.body].span);
  }
  if (work) b().set_origin(origin);
  note_sigmoid(f, result);
  add_layer_row(frame, c, callee.path, first_node, first_variable, result);
  return result;
}

const Sites& Elaborator::sites(const ast::Ast& ast, ast::BlockId block) {
  const auto key = (static_cast<std::uint64_t>(ast.file) << 32) | block.index;
  auto& table = site_tables[key];
  if (!table) table = std::make_unique<Sites>(sites_of_block(ast, block));
  return *table;
}

}  // namespace ganc::elab
