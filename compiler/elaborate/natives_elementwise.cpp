#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

template <Op op>
Value unary(Elaborator& e, Frame& frame, const Arguments& a, double (*fold)(double)) {
  return e.unary(frame, op, fold, a[0], a.function->name, a.spans[0]);
}

double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

Value exponential(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::exponential>(e, f, a, [](double x) { return std::exp(x); });
}
Value logarithm(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::log>(e, f, a, [](double x) { return std::log(x); });
}
Value square_root(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::sqrt>(e, f, a, [](double x) { return std::sqrt(x); });
}
Value absolute(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::abs>(e, f, a, [](double x) { return std::abs(x); });
}
Value sign(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::sign>(e, f, a, sign_of);
}
Value sine(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::sine>(e, f, a, [](double x) { return std::sin(x); });
}
Value cosine(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::cosine>(e, f, a, [](double x) { return std::cos(x); });
}
Value hyperbolic_tangent(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::tanh>(e, f, a, [](double x) { return std::tanh(x); });
}
Value error_function(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::erf>(e, f, a, [](double x) { return std::erf(x); });
}
Value round_down(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::floor>(e, f, a, [](double x) { return std::floor(x); });
}
Value round_to_even(Elaborator& e, Frame& f, const Arguments& a) {
  return unary<Op::round_nearest_even>(e, f, a, [](double x) { return std::nearbyint(x); });
}

Value where(Elaborator& e, Frame& frame, const Arguments& a) {
  return e.where(frame, a[0], a[1], a[2], a.call);
}

Value stop(Elaborator& e, Frame& frame, const Arguments& a) {
  if (a[0].number()) return a[0];
  if (const Record* record = a[0].record()) {
    std::vector<std::pair<std::string, Value>> fields;
    for (const auto& [name, value] : record->fields) {
      Arguments one{{value}, a.spans, a.call, a.function, a.site};
      fields.emplace_back(name, stop(e, frame, one));
    }
    return make_record(std::move(fields));
  }
  Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`stop`");
  if (t.kind != ElementKind::real) return t;
  t.node = e.b().stop(e.node(t));
  return t;
}

Value to_int(Elaborator& e, Frame& frame, const Arguments& a) {
  if (const auto n = a[0].number()) return std::trunc(*n);
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`int`");
  return e.make_tensor(e.b().convert(e.node(t), DType::i32), t.shape, t.count,
                       ElementKind::integer);
}

Value to_real(Elaborator& e, Frame& frame, const Arguments& a) {
  if (const auto n = a[0].number()) return *n;
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`real`");
  if (t.number) return t;
  return e.make_tensor(e.real_node(t), t.shape, t.count);
}

Value cast(Elaborator& e, Frame& frame, const Arguments& a) {
  const DType* type = a[1].get<DType>();
  if (!type)
    e.error(frame, Kind::wrong_value, a.spans[1], "cast", "f32, bf16 or f64", describe(a[1]));
  Tensor t = e.real_tensor(frame, a[0], a.spans[0], "`cast`");
  return e.make_tensor(e.b().convert(e.b().convert(e.real_node(t), *type), e.real()), t.shape,
                       t.count);
}

Value one_hot(Elaborator& e, Frame& frame, const Arguments& a) {
  std::int64_t n = a.given(1) ? e.whole(frame, a[1], a.spans[1], "the length of `one_hot`") : 0;
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`one_hot`");
  if (n == 0) n = t.classes;
  if (n <= 0) {
    e.error(frame, Kind::wrong_value, a.spans[0], "one_hot", "a class, or its length",
            describe(a[0]));
  }
  if (t.classes > n) e.error(frame, Kind::class_too_large, a.spans[0], describe(t), n);
  Shape shape = t.shape;
  shape.push_back(n);
  e.check_elements(frame, a.call, shape, t.count);
  Tensor wide = t;
  wide.node = e.b().convert(e.node(t), DType::i32);
  wide.number = false;
  Shape with_axis = t.shape;
  with_axis.push_back(1);
  Shape full = with_axis;
  if (t.batched()) full.insert(full.begin(), t.count);
  wide.node = e.b().reshape(wide.node, full);
  wide.shape = with_axis;
  const NodeId at = e.broadcast(frame, wide, shape, t.count);
  full.back() = n;
  const NodeId iota = e.b().iota(static_cast<std::int64_t>(full.size()) - 1, {DType::i32, full});
  const NodeId equal = e.b().compare(Comparison::equal, iota, at);
  return e.make_tensor(e.b().convert(equal, e.real()), shape, t.count);
}

Value grad(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor y = e.real_tensor(frame, a[0], a.spans[0], "`grad`");
  const Tensor* x = a[1].tensor();
  if (!x || x->kind != ElementKind::real) {
    e.error(frame, Kind::wrong_value, a.spans[1], "grad", "a tensor to differentiate by",
            describe(a[1]));
  }
  const NodeId by = e.node(*x);
  if (!e.reaches(e.node(y), by)) {
    e.fail(e.report_at(frame, Kind::unreached_gradient, a.spans[1])
               .label(e.user_place(frame, a.spans[0]), "this does not depend on it"));
  }
  Tensor result = *x;
  result.lazy = nullptr;
  result.node = e.b().grad(e.node(y), by);
  ++e.dynamic_reads;
  return result;
}

}  // namespace

const std::vector<NativeRow>& elementwise_natives() {
  static const std::vector<NativeRow> rows = {
      {"exp(x)", exponential},
      {"log(x)", logarithm},
      {"sqrt(x)", square_root},
      {"abs(x)", absolute},
      {"sign(x)", sign},
      {"sin(x)", sine},
      {"cos(x)", cosine},
      {"tanh(x)", hyperbolic_tangent},
      {"erf(x)", error_function},
      {"floor(x)", round_down},
      {"round(x)", round_to_even},
      {"where(c, a, b)", where},
      {"stop(x)", stop},
      {"int(x)", to_int},
      {"real(x)", to_real},
      {"cast(x, type)", cast},
      {"one_hot(y, n = 0)", one_hot},
      {"grad(y, x)", grad},
  };
  return rows;
}

}  // namespace ganc::elab
