#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// The axes that `axis =` or `keep =` say, of one sample.
std::vector<std::int64_t> axes_given(Elaborator& e, Frame& frame, const Arguments& a,
                                     std::size_t place, const Tensor& t) {
  std::vector<std::int64_t> axes;
  const auto rank = static_cast<std::int64_t>(t.shape.size());
  const auto add = [&](const Value& v) {
    const std::int64_t given = e.whole(frame, v, a.spans[place], "an axis");
    const std::int64_t axis = given < 0 ? given + rank : given;
    if (axis < 0 || axis >= rank)
      e.error(frame, Kind::no_such_axis, a.spans[place], given, describe(t));
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
  };
  if (const List* list = a[place].list()) {
    for (const Value& v : *list) add(v);
  } else {
    add(a[place]);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

// The axes to reduce: all, those of `axis`, or all but those of `keep`.
std::vector<std::int64_t> axes_to_reduce(Elaborator& e, Frame& frame, const Arguments& a,
                                         std::size_t axis, std::size_t keep, const Tensor& t) {
  if (a.given(axis) && a.given(keep)) {
    e.error(frame, Kind::wrong_value, a.call, a.function->name, "`axis` or `keep`", "both");
  }
  if (a.given(axis)) return axes_given(e, frame, a, axis, t);
  std::vector<std::int64_t> kept;
  if (a.given(keep)) kept = axes_given(e, frame, a, keep, t);
  std::vector<std::int64_t> axes;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(t.shape.size()); ++i) {
    if (std::find(kept.begin(), kept.end(), i) == kept.end()) axes.push_back(i);
  }
  return axes;
}

enum class Reduction { sum, mean, min, max };

Value reduce_static(Elaborator& e, Frame& frame, const Arguments& a, const List& list,
                    Reduction how) {
  double result = how == Reduction::min ? INFINITY : how == Reduction::max ? -INFINITY : 0;
  for (const Value& v : list) {
    const double x = *v.number();
    result = how == Reduction::min   ? std::min(result, x)
             : how == Reduction::max ? std::max(result, x)
                                     : result + x;
  }
  if (list.empty() && how != Reduction::sum) {
    e.error(frame, Kind::wrong_value, a.spans[0], a.function->name, "at least one number",
            "an empty list");
  }
  return how == Reduction::mean ? result / static_cast<double>(list.size()) : result;
}

NodeId reduce_node(Elaborator& e, NodeId x, const std::vector<std::int64_t>& axes, Reduction how) {
  Builder& b = e.b();
  double count = 1;
  for (const std::int64_t axis : axes) count *= static_cast<double>(b.shape(x)[axis]);
  switch (how) {
    case Reduction::sum:
      return b.reduce_sum(x, axes);
    case Reduction::mean: {
      const NodeId sum = b.reduce_sum(x, axes);
      return count == 1 ? sum : b.multiply(sum, b.like(sum, 1 / count));
    }
    case Reduction::max:
      return b.reduce_max(x, axes);
    case Reduction::min:
      return b.negate(b.reduce_max(b.negate(x), axes));
  }
  std::abort();
}

Value reduce(Elaborator& e, Frame& frame, const Arguments& a, std::size_t axis, std::size_t keep,
             Reduction how) {
  if (const List* list = a[0].list(); list && !a.given(axis) && !a.given(keep)) {
    const bool all =
        std::all_of(list->begin(), list->end(), [](const Value& v) { return v.number(); });
    if (all) return reduce_static(e, frame, a, *list, how);
  }
  const Tensor t = e.real_tensor(frame, a[0], a.spans[0], fmt::format("`{}`", a.function->name));
  if (t.shape.empty()) {
    e.fail(e.report_at(frame, Kind::reduced_number, a.spans[0], a.function->name)
               .note(t.batched() ? "it is one number a sample; `E[..]` averages over the samples"
                                 : "it is one number already"));
  }
  std::vector<std::int64_t> axes = axes_to_reduce(e, frame, a, axis, keep, t);
  Shape shape;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(t.shape.size()); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) shape.push_back(t.shape[i]);
  }
  for (std::int64_t& i : axes) i += t.batched() ? 1 : 0;
  const bool integer = t.kind == ElementKind::integer && how == Reduction::sum;
  const NodeId x = integer ? e.node(t) : e.real_node(t);
  return e.make_tensor(reduce_node(e, x, axes, how), shape, t.count,
                       integer ? ElementKind::integer : ElementKind::real);
}

Value sum(Elaborator& e, Frame& f, const Arguments& a) {
  return reduce(e, f, a, 1, 2, Reduction::sum);
}
Value mean(Elaborator& e, Frame& f, const Arguments& a) {
  return reduce(e, f, a, 1, 2, Reduction::mean);
}

// One argument reduces, two are the elementwise choice.
Value extreme(Elaborator& e, Frame& frame, const Arguments& a, bool greater) {
  if (!a.given(1)) return reduce(e, frame, a, 2, 3, greater ? Reduction::max : Reduction::min);
  if (a.given(2) || a.given(3)) {
    e.error(frame, Kind::wrong_value, a.call, a.function->name, "two values, or one and axes",
            "both");
  }
  const auto x = a[0].number();
  const auto y = a[1].number();
  if (x && y) return greater ? std::max(*x, *y) : std::min(*x, *y);
  return e.elementwise(frame, greater ? Op::maximum : Op::minimum, a[0], a[1], a.function->name,
                       a.call, {a.spans[0], a.spans[1]});
}
Value minimum(Elaborator& e, Frame& f, const Arguments& a) {
  return extreme(e, f, a, false);
}
Value maximum(Elaborator& e, Frame& f, const Arguments& a) {
  return extreme(e, f, a, true);
}

std::size_t one_axis(Elaborator& e, Frame& frame, const Arguments& a, std::size_t place,
                     const Tensor& t) {
  if (t.shape.empty()) e.error(frame, Kind::reduced_number, a.spans[0], a.function->name);
  if (!a.given(place)) return t.shape.size() - 1;
  return static_cast<std::size_t>(axes_given(e, frame, a, place, t).front());
}

// The first of the largest: among the places that hold the maximum the one with the smallest index.
Value argmax(Elaborator& e, Frame& frame, const Arguments& a) {
  Builder& b = e.b();
  const Tensor t = e.real_tensor(frame, a[0], a.spans[0], "`argmax`");
  const std::size_t sample_axis = one_axis(e, frame, a, 1, t);
  const std::int64_t length = t.shape[sample_axis];
  const auto axis = static_cast<std::int64_t>(sample_axis) + (t.batched() ? 1 : 0);
  const NodeId x = e.real_node(t);
  const Shape full = b.shape(x);
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(full.size()); ++i) {
    if (i != axis) rest.push_back(i);
  }
  const NodeId greatest = b.broadcast_in_dim(b.reduce_max(x, {axis}), full, rest);
  const NodeId hit = b.compare(Comparison::greater_equal, x, greatest);
  const NodeId from_end = b.subtract(b.constant(static_cast<double>(length - 1), {e.real(), full}),
                                     b.convert(b.iota(axis, {DType::i32, full}), e.real()));
  const NodeId best = b.reduce_max(b.select(hit, from_end, b.like(from_end, -1)), {axis});
  const NodeId place = b.subtract(b.like(best, static_cast<double>(length - 1)), best);
  Shape shape = t.shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(sample_axis));
  return e.make_tensor(b.convert(place, DType::i32), shape, t.count, ElementKind::class_, length);
}

// Partial sums in log2(n) shifted additions.
Value cumsum(Elaborator& e, Frame& frame, const Arguments& a) {
  Builder& b = e.b();
  const Tensor t = e.real_tensor(frame, a[0], a.spans[0], "`cumsum`");
  const std::size_t axis = one_axis(e, frame, a, 1, t) + (t.batched() ? 1 : 0);
  NodeId x = e.real_node(t);
  const Shape full = b.shape(x);
  const NodeId zero = b.constant(0, {e.real(), {}});
  for (std::int64_t shift = 1; shift < full[axis]; shift *= 2) {
    std::vector<std::int64_t> low(full.size(), 0);
    std::vector<std::int64_t> high(full.size(), 0);
    low[axis] = shift;
    high[axis] = -shift;
    x = b.add(x, b.pad(x, zero, low, high, std::vector<std::int64_t>(full.size(), 0)));
  }
  return e.make_tensor(x, t.shape, t.count);
}

}  // namespace

const std::vector<NativeRow>& reduce_natives() {
  static const std::vector<NativeRow> rows = {
      {"sum(x, axis = none, keep = none)", sum},
      {"mean(x, axis = none, keep = none)", mean},
      {"min(a, b = none, axis = none, keep = none)", minimum},
      {"max(a, b = none, axis = none, keep = none)", maximum},
      {"argmax(x, axis = -1)", argmax},
      {"cumsum(x, axis = -1)", cumsum},
  };
  return rows;
}

}  // namespace ganc::elab
