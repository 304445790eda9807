#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

constexpr int most_nesting = 64;

// The operands' values, then the operator: one visitor for each form of expression.
struct Evaluate {
  Elaborator& e;
  Frame& frame;
  ast::ExprId id;
  Span span;

  Value operator()(const ast::Invalid&) const { throw Failed{}; }
  Value operator()(const ast::Number& n) const { return n.value; }
  Value operator()(const ast::String& s) const { return s.value; }
  Value operator()(const ast::Boolean& b) const { return b.value; }
  Value operator()(const ast::NameUse& n) const { return e.eval_name(frame, n.name, span); }
  Value operator()(const ast::Paren& p) const { return e.eval(frame, p.operand); }
  Value operator()(const ast::Expectation& x) const;
  Value operator()(const ast::Record& r) const {
    std::vector<std::pair<std::string, Value>> fields;
    std::vector<ast::ExprId> written;
    for (const ast::Argument& a : r.fields) {
      for (const auto& [name, value] : fields) {
        if (name == a.name.text) e.error(frame, Kind::defined_twice, a.name.span, name);
      }
      fields.emplace_back(a.name.text, Value{});
      written.push_back(a.value);
    }
    std::vector<Value> values = e.eval_each(frame, written);
    for (std::size_t i = 0; i < values.size(); ++i) fields[i].second = std::move(values[i]);
    return make_record(std::move(fields));
  }
  Value operator()(const ast::List& l) const {
    std::vector<ast::ExprId> elements;
    for (const ast::Argument& a : l.elements) {
      if (!a.name.text.empty()) e.error(frame, Kind::named_element, a.name.span);
      elements.push_back(a.value);
    }
    return make_list(e.eval_each(frame, elements));
  }
  Value operator()(const ast::BlockExpr& b) const { return e.eval_block(frame, b.block); }
  Value operator()(const ast::If& n) const { return e.eval_if(frame, n, span); }
  Value operator()(const ast::For& n) const { return e.eval_for(frame, n, span); }
  Value operator()(const ast::Lambda& n) const {
    Function f{"fn", frame.ast, &n.parameters, {}, n.body, frame.scope};
    f.sees_draws = frame.sees_draws;
    f.prelude = frame.prelude;
    f.span = span;
    return std::make_shared<const Function>(std::move(f));
  }
  Value operator()(const ast::Call&) const { return e.eval_call(frame, id, (*frame.ast)[id]); }
  Value operator()(const ast::Arrow&) const { return e.eval_call(frame, id, (*frame.ast)[id]); }
  Value operator()(const ast::With&) const { return e.eval_call(frame, id, (*frame.ast)[id]); }
  Value operator()(const ast::As&) const { return e.eval_call(frame, id, (*frame.ast)[id]); }
  Value operator()(const ast::Member& m) const { return e.member(frame, m, span); }
  Value operator()(const ast::Index& i) const { return e.index(frame, i, span); }
  Value operator()(const ast::Unary& u) const {
    const Value x = e.eval(frame, u.operand);
    const Span operand = (*frame.ast)[u.operand].span;
    if (u.op == ast::UnaryOp::not_) {
      if (const auto n = x.number()) return *n == 0;
      const NodeId no = e.b().unary(Op::logical_not, e.predicate(frame, x, operand));
      const Tensor* t = x.tensor();
      return e.make_tensor(e.b().convert(no, e.real()), t->shape, t->count);
    }
    if (const auto n = x.number()) return -*n;
    return e.unary(frame, Op::negate, nullptr, x, "-", operand);
  }
  Value operator()(const ast::Binary& n) const { return e.eval_binary(frame, n, span); }
};

Value Evaluate::operator()(const ast::Expectation& x) const {
  const Span operand = (*frame.ast)[x.operand].span;
  const Value value = e.eval(frame, x.operand);
  if (value.number() ||
      (value.tensor() && !value.tensor()->batched() && value.tensor()->shape.empty())) {
    e.fail(e.report_at(frame, Kind::reduced_number, operand, "E")
               .note("`E[..]` averages over the samples of a batch and over every axis"));
  }
  const Tensor t = e.real_tensor(frame, value, operand, "`E`");
  NodeId node = e.real_node(t);
  const Shape& shape = e.b().shape(node);
  std::vector<std::int64_t> axes(shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  const double count = static_cast<double>(element_count(shape));
  node = e.b().reduce_sum(node, axes);
  node = e.b().multiply(node, e.b().like(node, 1 / count));
  return e.make_tensor(node, {}, -1);
}

}  // namespace

Value Elaborator::eval(Frame& frame, ast::ExprId id) {
  const ast::Expr& expr = (*frame.ast)[id];
  charge(frame, expr.span);
  Value value = std::visit(Evaluate{*this, frame, id, expr.span}, expr.node);
  if (value.is<Unknown>()) throw Failed{};
  if (nesting(value) > most_nesting) error(frame, Kind::nested_too_much, expr.span, "lists");
  return value;
}

// Each of them, though one before it is wrong: it may have a fault of its own.
std::vector<Value> Elaborator::eval_each(Frame& frame, const std::vector<ast::ExprId>& ids) {
  std::vector<Value> values;
  bool failed = false;
  for (const ast::ExprId id : ids) {
    try {
      values.push_back(eval(frame, id));
    } catch (const Failed&) {
      failed = true;
      if (diagnostics.full() || frame.prelude) break;
    }
  }
  if (failed) throw Failed{};
  return values;
}

Value Elaborator::eval_binary(Frame& frame, const ast::Binary& node, Span) {
  const Span2 sides{(*frame.ast)[node.left].span, (*frame.ast)[node.right].span};
  if (node.op == ast::BinaryOp::and_ || node.op == ast::BinaryOp::or_) {
    const Value left = eval(frame, node.left);
    if (const auto l = left.number()) {  // the right side only where it counts
      if ((*l != 0) == (node.op == ast::BinaryOp::or_)) return *l != 0;
    }
    return logic(frame, node.op, left, eval(frame, node.right), node.op_span);
  }
  const std::vector<Value> both = eval_each(frame, {node.left, node.right});
  return binary(frame, node.op, both[0], both[1], node.op_span, sides);
}

Value Elaborator::member(Frame& frame, const ast::Member& node, Span) {
  const Value object = eval(frame, node.object);
  const Record* record = object.record();
  if (!record) {
    error(frame, Kind::no_member, node.name.span, describe(object), node.name.text);
  }
  if (const Value* field = record->find(node.name.text)) return *field;
  std::vector<std::string> names;
  for (const auto& [name, value] : record->fields) names.push_back(name);
  Report report =
      report_at(frame, Kind::no_member, node.name.span, describe(object), node.name.text);
  if (const std::string best = nearest(node.name.text, names); !best.empty()) {
    report.fix(node.name.span, fmt::format("did you mean `{}`?", best), best);
  }
  fail(report);
}

std::vector<Value> Elaborator::loop_values(Frame& frame, const Value& list, Span span) {
  if (const List* values = list.list()) return *values;
  error(frame, Kind::wrong_value, span, "for", "a list", describe(list));
}

std::string Elaborator::loop_suffix(const Value& value, std::size_t index) const {
  if (const auto n = value.number()) return "[" + print_number(*n) + "]";
  if (const auto* s = value.get<std::string>()) return "[" + *s + "]";
  return fmt::format("[{}]", index);
}

Value Elaborator::eval_for(Frame& frame, const ast::For& node, Span span) {
  const Span list_span = (*frame.ast)[node.list].span;
  const std::vector<Value> values = loop_values(frame, eval(frame, node.list), list_span);
  charge(frame, span, static_cast<std::int64_t>(values.size()));
  const auto outer = frame.scope;
  const std::string loops = frame.loops;
  List results;
  for (std::size_t i = 0; i < values.size(); ++i) {
    frame.scope = inner_scope(outer, false);
    frame.loops = loops + loop_suffix(values[i], i);
    Binding binding;
    binding.what = values[i];
    binding.span = node.variable.span;
    try {
      define(frame, node.variable, std::move(binding));
      results.push_back(eval_block(frame, node.body));
    } catch (...) {
      frame.scope = outer;
      frame.loops = loops;
      throw;
    }
  }
  frame.scope = outer;
  frame.loops = loops;
  return make_list(std::move(results));
}

bool Elaborator::static_condition(Frame& frame, const Value& value, Span span) {
  if (const auto n = value.number()) return *n != 0;
  if (value.tensor()) {
    fail(report_at(frame, Kind::runtime_condition, span)
             .note("only a statement of a train block can be run or left out at run time")
             .fix(span, "choose between values: `where(condition, a, b)`"));
  }
  error(frame, Kind::wrong_value, span, "if", "a condition", describe(value));
}

Value Elaborator::eval_if(Frame& frame, const ast::If& node, Span) {
  const Span span = (*frame.ast)[node.condition].span;
  if (static_condition(frame, eval(frame, node.condition), span))
    return eval_block(frame, node.then);
  if (!node.otherwise) return None{};
  return eval(frame, node.otherwise);
}

double Elaborator::static_number(const Frame& frame, const Value& value, Span span,
                                 std::string_view what) {
  if (const auto n = value.number()) return *n;
  if (value.tensor()) error(frame, Kind::not_static, span, what);
  error(frame, Kind::wrong_value, span, what, "a number", describe(value));
}

std::int64_t Elaborator::whole(const Frame& frame, const Value& value, Span span,
                               std::string_view what) {
  const double x = static_number(frame, value, span, what);
  if (!(std::abs(x) < 9e15) || x != std::floor(x)) {
    error(frame, Kind::not_whole, span, what, print_number(x));
  }
  return static_cast<std::int64_t>(x);
}

Shape Elaborator::shape_of_list(const Frame& frame, const Value& value, Span span,
                                std::string_view what) {
  const List* list = value.list();
  if (!list) error(frame, Kind::wrong_value, span, what, "a list of numbers", describe(value));
  Shape shape;
  for (const Value& v : *list) shape.push_back(whole(frame, v, span, what));
  return shape;
}

}  // namespace ganc::elab
