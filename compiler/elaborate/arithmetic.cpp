#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"
#include "compiler/graph/comparison.h"

namespace ganc::elab {
namespace {

using ast::BinaryOp;

const char* symbol(BinaryOp op) {
  switch (op) {
    case BinaryOp::or_:
      return "or";
    case BinaryOp::and_:
      return "and";
    case BinaryOp::equal:
      return "==";
    case BinaryOp::not_equal:
      return "!=";
    case BinaryOp::less:
      return "<";
    case BinaryOp::less_equal:
      return "<=";
    case BinaryOp::greater:
      return ">";
    case BinaryOp::greater_equal:
      return ">=";
    case BinaryOp::range:
      return "..";
    case BinaryOp::add:
      return "+";
    case BinaryOp::subtract:
      return "-";
    case BinaryOp::multiply:
      return "*";
    case BinaryOp::divide:
      return "/";
    case BinaryOp::modulo:
      return "%";
    case BinaryOp::matmul:
      return "@";
    case BinaryOp::power:
      return "^";
  }
  std::abort();
}

Comparison comparison(BinaryOp op) {
  switch (op) {
    case BinaryOp::equal:
      return Comparison::equal;
    case BinaryOp::not_equal:
      return Comparison::not_equal;
    case BinaryOp::less:
      return Comparison::less;
    case BinaryOp::less_equal:
      return Comparison::less_equal;
    case BinaryOp::greater:
      return Comparison::greater;
    default:
      return Comparison::greater_equal;  // called for comparisons only
  }
}

bool is_comparison(BinaryOp op) {
  return op >= BinaryOp::equal && op <= BinaryOp::greater_equal;
}

double fold(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::add:
      return a + b;
    case BinaryOp::subtract:
      return a - b;
    case BinaryOp::multiply:
      return a * b;
    case BinaryOp::divide:
      return a / b;
    case BinaryOp::modulo:
      return a - b * std::floor(a / b);
    default:
      return std::pow(a, b);  // the only one left that folds
  }
}

Op graph_op(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
      return Op::add;
    case BinaryOp::subtract:
      return Op::subtract;
    case BinaryOp::multiply:
      return Op::multiply;
    case BinaryOp::divide:
      return Op::divide;
    case BinaryOp::modulo:
      return Op::modulo;
    default:
      return Op::power;
  }
}

bool is_runtime_number(const Value& v) {
  return v.tensor() && v.tensor()->number;
}
bool is_whole(const Value& v) {
  const auto n = v.number();
  return n && *n == std::floor(*n) && std::abs(*n) < 2e9;
}
bool stays_integer(const Value& v) {
  return is_whole(v) || (v.tensor() && v.tensor()->kind == ElementKind::integer);
}

}  // namespace

Value Elaborator::binary(Frame& frame, BinaryOp op, const Value& a, const Value& c, Span span,
                         Span2 sides) {
  if (op == BinaryOp::range) {
    const std::int64_t first = whole(frame, a, sides.left, "the start of `..`");
    const std::int64_t end = whole(frame, c, sides.right, "the end of `..`");
    charge(frame, span, std::max<std::int64_t>(end - first, 0));
    List list;
    for (std::int64_t i = first; i < end; ++i) list.emplace_back(static_cast<double>(i));
    return make_list(std::move(list));
  }
  if (op == BinaryOp::and_ || op == BinaryOp::or_) return logic(frame, op, a, c, span);
  if (is_comparison(op)) return compare(frame, op, a, c, span, sides);
  if (op == BinaryOp::matmul) return matmul(frame, a, c, span, sides);
  const auto x = a.number();
  const auto y = c.number();
  if (x && y) {
    const double result = fold(op, *x, *y);
    if (!std::isfinite(result) && std::isfinite(*x) && std::isfinite(*y)) {
      error(frame, Kind::not_finite, span, print_number(*x), symbol(op), print_number(*y));
    }
    return result;
  }
  if (op == BinaryOp::power) return power(frame, a, c, span, sides);
  Value result = elementwise(frame, graph_op(op), a, c, symbol(op), span, sides);
  if (op == BinaryOp::subtract) check_range_pair(frame, a, c, span);  // both are read by now
  return result;
}

Value Elaborator::elementwise(Frame& frame, Op op, const Value& a, const Value& c,
                              std::string_view name, Span span, Span2 sides) {
  const bool left_number = is_runtime_number(a);
  const bool right_number = is_runtime_number(c);
  if ((left_number || a.number()) && (right_number || c.number())) {
    return number_tensor(b().binary(op, as_number(a), as_number(c)));
  }
  const bool integer = op != Op::divide && op != Op::power && stays_integer(a) && stays_integer(c);
  const Tensor x = real_tensor(frame, a, sides.left, fmt::format("`{}`", name));
  const Tensor y = real_tensor(frame, c, sides.right, fmt::format("`{}`", name));
  const Shape shape = common_shape(frame, name, x, y, span, sides);
  const std::int64_t count = common_count(frame, {x, y}, span);
  check_elements(frame, span, shape, count);
  const DType dtype = integer ? DType::i32 : real();
  Shape full = shape;
  if (count >= 0) full.insert(full.begin(), count);
  const auto operand = [&](const Value& v, const Tensor& t) {
    if (const auto n = v.number()) return b().constant(*n, {dtype, full});
    Tensor converted = t;
    converted.node = b().convert(node(t), dtype);
    return broadcast(frame, converted, shape, count);
  };
  const NodeId result = b().binary(op, operand(a, x), operand(c, y));
  return make_tensor(result, shape, count, integer ? ElementKind::integer : ElementKind::real);
}

Value Elaborator::compare(Frame& frame, BinaryOp op, const Value& a, const Value& c, Span span,
                          Span2 sides) {
  const Comparison how = comparison(op);
  const auto x = a.number();
  const auto y = c.number();
  if (x && y) return holds(how, *x, *y);
  const bool equality = how == Comparison::equal || how == Comparison::not_equal;
  const auto* s = a.get<std::string>();
  const auto* t = c.get<std::string>();
  if (equality && s && t) return (*s == *t) == (how == Comparison::equal);
  if (equality && (a.is<None>() || c.is<None>())) {
    return (a.is<None>() && c.is<None>()) == (how == Comparison::equal);
  }
  if ((x || is_runtime_number(a)) && (y || is_runtime_number(c))) {
    return number_tensor(b().convert(b().compare(how, as_number(a), as_number(c)), DType::f64));
  }
  const std::string name = fmt::format("`{}`", symbol(op));
  Tensor left = to_tensor(frame, a, sides.left, name);
  Tensor right = to_tensor(frame, c, sides.right, name);
  const auto is_class = [](const Tensor& v) { return v.kind == ElementKind::class_; };
  DType dtype = real();
  if (is_class(left) || is_class(right)) {
    if (!equality) {
      error(frame, Kind::class_arithmetic, is_class(left) ? sides.left : sides.right, name);
    }
    const std::int64_t classes = std::max(left.classes, right.classes);
    left = *to_class(frame, a, classes, sides.left).tensor();
    right = *to_class(frame, c, classes, sides.right).tensor();
    dtype = DType::i32;
  } else if (stays_integer(a) && stays_integer(c)) {
    dtype = DType::i32;
  }
  const Shape shape = common_shape(frame, symbol(op), left, right, span, sides);
  const std::int64_t count = common_count(frame, {left, right}, span);
  check_elements(frame, span, shape, count);
  left.node = b().convert(node(left), dtype);
  right.node = b().convert(node(right), dtype);
  const NodeId result =
      b().compare(how, broadcast(frame, left, shape, count), broadcast(frame, right, shape, count));
  return make_tensor(b().convert(result, real()), shape, count);
}

NodeId Elaborator::predicate(const Frame& frame, const Value& value, Span span) {
  const Tensor t = real_tensor(frame, value, span, "a condition");
  const NodeId x = node(t);
  const Node& made = b()[x];
  if (made.op == Op::convert && b().dtype(made.operands[0]) == DType::pred) return made.operands[0];
  return b().compare(Comparison::not_equal, x, b().like(x, 0));
}

Value Elaborator::logic(Frame& frame, BinaryOp op, const Value& a, const Value& c, Span span) {
  const auto x = a.number();
  const auto y = c.number();
  const bool both = op == BinaryOp::and_;
  if (x && y) return both ? *x != 0 && *y != 0 : *x != 0 || *y != 0;
  if (x || y) {  // the other one decides, or this one has
    const double known = x ? *x : *y;
    if ((known != 0) != both) return known != 0;
    const Value& rest = x ? c : a;
    const NodeId p = predicate(frame, rest, span);
    const Tensor* t = rest.tensor();
    if (t->number) return number_tensor(b().convert(p, DType::f64));
    return make_tensor(b().convert(p, real()), t->shape, t->count);
  }
  Tensor left = real_tensor(frame, a, span, symbol(op));
  Tensor right = real_tensor(frame, c, span, symbol(op));
  const Shape shape = common_shape(frame, symbol(op), left, right, span, {span, span});
  const std::int64_t count = common_count(frame, {left, right}, span);
  left.node = predicate(frame, a, span);
  right.node = predicate(frame, c, span);
  const NodeId p =
      b().binary(both ? Op::logical_and : Op::logical_or, broadcast(frame, left, shape, count),
                 broadcast(frame, right, shape, count));
  if (left.number && right.number) return number_tensor(b().convert(p, DType::f64));
  return make_tensor(b().convert(p, real()), shape, count);
}

// Small whole powers are products, so that their derivatives need no logarithm.
Value Elaborator::power(Frame& frame, const Value& a, const Value& c, Span span, Span2 sides) {
  const auto exponent = c.number();
  if (!exponent || is_runtime_number(a)) {
    return elementwise(frame, Op::power, a, c, "^", span, sides);
  }
  Tensor x = real_tensor(frame, a, sides.left, "`^`");
  const NodeId base = real_node(x);
  const auto done = [&](NodeId n) { return make_tensor(n, x.shape, x.count); };
  if (*exponent == 0.5) return done(b().sqrt(base));
  if (*exponent == std::floor(*exponent) && std::abs(*exponent) <= 8) {
    const int n = static_cast<int>(std::abs(*exponent));
    if (n == 0) return done(b().like(base, 1));
    NodeId result = base;
    if (n > 1) {
      const NodeId square = b().multiply(base, base);
      result = n % 2 ? b().multiply(square, base) : square;
      for (int i = n % 2 ? 3 : 2; i < n; i += 2) result = b().multiply(result, square);
    }
    return done(*exponent < 0 ? b().divide(b().like(base, 1), result) : result);
  }
  return done(b().power(base, b().like(base, *exponent)));
}

Value Elaborator::unary(Frame& frame, Op op, double (*fold_number)(double), const Value& value,
                        std::string_view name, Span span) {
  if (const auto n = value.number(); n && fold_number) {
    const double result = fold_number(*n);
    if (!std::isfinite(result) && std::isfinite(*n)) {
      error(frame, Kind::not_finite, span, name, "of", print_number(*n));
    }
    return result;
  }
  if (is_runtime_number(value)) return number_tensor(b().unary(op, node(*value.tensor())));
  const Tensor x = real_tensor(frame, value, span, fmt::format("`{}`", name));
  const bool keeps =
      x.kind == ElementKind::integer && (op == Op::negate || op == Op::abs || op == Op::sign);
  return make_tensor(b().unary(op, keeps ? node(x) : real_node(x)), x.shape, x.count,
                     keeps ? ElementKind::integer : ElementKind::real);
}

Value Elaborator::where(Frame& frame, const Value& c, const Value& a, const Value& other,
                        Span span) {
  if (const auto n = c.number()) return *n != 0 ? a : other;
  const auto plain = [](const Value& v) { return v.number() || is_runtime_number(v); };
  if (is_runtime_number(c) && plain(a) && plain(other)) {
    return number_tensor(b().select(predicate(frame, c, span), as_number(a), as_number(other)));
  }
  Tensor condition = real_tensor(frame, c, span, "`where`");
  condition.node = predicate(frame, c, span);
  Tensor x = to_tensor(frame, a, span, "`where`");
  Tensor y = to_tensor(frame, other, span, "`where`");
  ElementKind kind = ElementKind::real;
  std::int64_t classes = 0;
  if (x.kind == ElementKind::class_ || y.kind == ElementKind::class_) {
    kind = ElementKind::class_;
    const auto needed = [](const Value& v, const Tensor& t) {
      return v.number() ? static_cast<std::int64_t>(*v.number()) + 1 : t.classes;
    };
    classes = std::max(needed(a, x), needed(other, y));
    x = *to_class(frame, a, classes, span).tensor();
    y = *to_class(frame, other, classes, span).tensor();
  } else if (stays_integer(a) && stays_integer(other)) {
    kind = ElementKind::integer;
  }
  const DType dtype = kind == ElementKind::real ? real() : DType::i32;
  x.node = b().convert(node(x), dtype);
  y.node = b().convert(node(y), dtype);
  Tensor both = x;
  both.shape = common_shape(frame, "where", x, y, span, {span, span});
  const Shape shape = common_shape(frame, "where", condition, both, span, {span, span});
  const std::int64_t count = common_count(frame, {condition, x, y}, span);
  check_elements(frame, span, shape, count);
  const bool scalar = condition.shape.empty() && !condition.batched();
  const NodeId p = scalar ? node(condition) : broadcast(frame, condition, shape, count);
  const NodeId result =
      b().select(p, broadcast(frame, x, shape, count), broadcast(frame, y, shape, count));
  return make_tensor(result, shape, count, kind, classes);
}

}  // namespace ganc::elab
