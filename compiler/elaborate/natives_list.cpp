#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

const List& list_of(Elaborator& e, Frame& frame, const Arguments& a) {
  if (const List* list = a[0].list()) return *list;
  e.error(frame, Kind::wrong_value, a.spans[0], a.function->name, "a list", describe(a[0]));
}

Value length(Elaborator& e, Frame& frame, const Arguments& a) {
  return static_cast<double>(list_of(e, frame, a).size());
}

Value append(Elaborator& e, Frame& frame, const Arguments& a) {
  List list = list_of(e, frame, a);
  e.charge(frame, a.call, static_cast<std::int64_t>(list.size()));
  list.push_back(a[1]);
  return make_list(std::move(list));
}

Value map(Elaborator& e, Frame& frame, const Arguments& a) {
  const List& list = list_of(e, frame, a);
  List result;
  for (std::size_t i = 0; i < list.size(); ++i) {
    result.push_back(e.call_with(frame, a[1], {list[i]}, a.call, fmt::format("map[{}]", i)));
  }
  return make_list(std::move(result));
}

Value fold(Elaborator& e, Frame& frame, const Arguments& a) {
  const List& list = list_of(e, frame, a);
  Value result = a[1];
  for (std::size_t i = 0; i < list.size(); ++i) {
    result = e.call_with(frame, a[2], {result, list[i]}, a.call, fmt::format("fold[{}]", i));
  }
  return result;
}

// The shape of a number or of a list as a tensor, without making one.
Shape shape_of(Elaborator& e, Frame& frame, const Arguments& a) {
  if (const Tensor* t = a[0].tensor()) return t->shape;
  if (a[0].number()) return {};
  if (const List* list = a[0].list()) {
    const bool numbers =
        std::all_of(list->begin(), list->end(), [](const Value& v) { return v.number(); });
    if (numbers) return {static_cast<std::int64_t>(list->size())};
  }
  return e.to_tensor(frame, a[0], a.spans[0], "`" + a.function->name + "`").shape;
}

Value shape(Elaborator& e, Frame& frame, const Arguments& a) {
  return make_list(shape_of(e, frame, a));
}
Value rank(Elaborator& e, Frame& frame, const Arguments& a) {
  return static_cast<double>(shape_of(e, frame, a).size());
}
Value size(Elaborator& e, Frame& frame, const Arguments& a) {
  return static_cast<double>(element_count(shape_of(e, frame, a)));
}

Value classes(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor* t = a[0].tensor();
  if (!t || t->kind != ElementKind::class_) {
    e.error(frame, Kind::wrong_value, a.spans[0], "classes", "a class", describe(a[0]));
  }
  return static_cast<double>(t->classes);
}

Value range(Elaborator& e, Frame& frame, const Arguments& a) {
  const std::int64_t n = e.whole(frame, a[0], a.spans[0], "the length of `range`");
  if (n < 0) e.error(frame, Kind::wrong_value, a.spans[0], "range", "a length of at least 0", n);
  e.check_elements(frame, a.call, {n});
  if (!e.work)
    e.error(frame, Kind::wrong_value, a.call, "range", "a place in a graph", "a static value");
  return e.make_tensor(e.b().iota(0, {DType::i32, {n}}), {n}, -1, ElementKind::integer);
}

double fan(const Shape& s, bool in) {
  if (s.empty()) return 1;
  if (s.size() == 1) return static_cast<double>(s[0]);
  if (s.size() == 2) return static_cast<double>(in ? s[0] : s[1]);
  double product = static_cast<double>(in ? s[1] : s[0]);
  for (std::size_t i = 2; i < s.size(); ++i) product *= static_cast<double>(s[i]);
  return product;
}
Value fan_in(Elaborator& e, Frame& frame, const Arguments& a) {
  return fan(e.shape_of_list(frame, a[0], a.spans[0], "a shape"), true);
}
Value fan_out(Elaborator& e, Frame& frame, const Arguments& a) {
  return fan(e.shape_of_list(frame, a[0], a.spans[0], "a shape"), false);
}

// ---- the batch as an axis

Value count(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor* t = a[0].tensor();
  if (!t || !t->batched()) e.error(frame, Kind::needs_batch, a.spans[0], "count", describe(a[0]));
  ++e.dynamic_reads;
  return static_cast<double>(t->count);
}

Value all_samples(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor* t = a[0].tensor();
  if (!t || !t->batched())
    e.error(frame, Kind::needs_batch, a.spans[0], "all_samples", describe(a[0]));
  Shape shape = t->shape;
  shape.insert(shape.begin(), t->count);
  return e.make_tensor(e.node(*t), shape, -1, t->kind, t->classes);
}

Value each_sample(Elaborator& e, Frame& frame, const Arguments& a) {
  Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`each_sample`");
  if (t.batched() || t.shape.empty()) {
    e.error(frame, Kind::wrong_value, a.spans[0], "each_sample",
            "a tensor without a batch, of an axis or more",
            t.batched() ? "a batch of " + describe(t) : describe(t));
  }
  const std::int64_t n = t.shape.front();
  if (n == 0)
    e.error(frame, Kind::wrong_value, a.spans[0], "each_sample", "at least one sample",
            describe(t));
  Shape shape(t.shape.begin() + 1, t.shape.end());
  return e.make_tensor(e.node(t), shape, n, t.kind, t.classes);
}

}  // namespace

const std::vector<NativeRow>& list_natives() {
  static const std::vector<NativeRow> rows = {
      {"length(list)", length},
      {"append(list, x)", append},
      {"map(list, f)", map},
      {"fold(list, start, f)", fold},
  };
  return rows;
}

const std::vector<NativeRow>& index_natives() {
  static const std::vector<NativeRow> rows = {
      {"shape(x)", shape},         {"rank(x)", rank},   {"size(x)", size},
      {"classes(y)", classes},     {"range(n)", range}, {"fan_in(shape)", fan_in},
      {"fan_out(shape)", fan_out},
  };
  return rows;
}

const std::vector<NativeRow>& batch_natives() {
  static const std::vector<NativeRow> rows = {
      {"count(x)", count},
      {"all_samples(x)", all_samples},
      {"each_sample(x)", each_sample},
  };
  return rows;
}

}  // namespace ganc::elab
