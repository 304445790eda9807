#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

using Axes = std::vector<std::int64_t>;

Shape full_shape(const Tensor& t, Shape shape) {
  if (t.batched()) shape.insert(shape.begin(), t.count);
  return shape;
}

std::int64_t axis_of(Elaborator& e, Frame& frame, const Value& value, Span span, const Tensor& t) {
  const auto rank = static_cast<std::int64_t>(t.shape.size());
  const std::int64_t given = e.whole(frame, value, span, "an axis");
  const std::int64_t axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= rank) e.error(frame, Kind::no_such_axis, span, given, describe(t));
  return axis;
}

Tensor with_node(Elaborator& e, const Tensor& t, NodeId node, Shape shape) {
  return e.make_tensor(node, std::move(shape), t.count, t.kind, t.classes);
}

Value reshape(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`reshape`");
  Shape shape = e.shape_of_list(frame, a[1], a.spans[1], "a shape");
  const std::int64_t elements = element_count(t.shape);
  std::int64_t rest = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& n : shape) {
    if (n == -1 && !open) {
      open = &n;
    } else if (n < 0 || (n > 0 && rest > (std::int64_t{1} << 40) / n)) {
      e.error(frame, Kind::too_large, a.spans[1], print(shape));
    } else {
      rest *= n;
    }
  }
  if (open) *open = rest > 0 && elements % rest == 0 ? elements / rest : -1;
  if (std::find(shape.begin(), shape.end(), -1) != shape.end() ||
      element_count(shape) != elements) {
    e.error(frame, Kind::reshape_differs, a.call, describe(t), print(shape), elements, rest);
  }
  e.check_elements(frame, a.call, shape, t.count);
  Tensor result = with_node(e, t, e.b().reshape(e.node(t), full_shape(t, shape)), shape);
  return result;
}

Value transpose(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`transpose`");
  const Shape axes = e.shape_of_list(frame, a[1], a.spans[1], "the order of axes");
  Shape sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  bool permutation = sorted.size() == t.shape.size();
  for (std::size_t i = 0; i < sorted.size() && permutation; ++i) {
    permutation = sorted[i] == static_cast<std::int64_t>(i);
  }
  if (!permutation) {
    e.error(frame, Kind::wrong_value, a.spans[1], "transpose",
            fmt::format("each of {} axes once", t.shape.size()), print(axes));
  }
  Axes order;
  if (t.batched()) order.push_back(0);
  Shape shape;
  for (const std::int64_t axis : axes) {
    order.push_back(axis + (t.batched() ? 1 : 0));
    shape.push_back(t.shape[axis]);
  }
  return with_node(e, t, e.b().transpose(e.node(t), order), shape);
}

Value broadcast(Elaborator& e, Frame& frame, const Arguments& a) {
  Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`broadcast`");
  const Shape shape = e.shape_of_list(frame, a[1], a.spans[1], "a shape");
  e.check_elements(frame, a.call, shape, t.count);
  bool fits = t.shape.size() <= shape.size();
  for (std::size_t i = 0; fits && i < t.shape.size(); ++i) {
    const std::int64_t n = t.shape[t.shape.size() - 1 - i];
    fits = n == 1 || n == shape[shape.size() - 1 - i];
  }
  if (!fits) e.error(frame, Kind::shapes_differ, a.call, "broadcast", describe(t), print(shape));
  if (t.number) {
    t.node = e.real_node(t);
    t.number = false;
  }
  return with_node(e, t, e.broadcast(frame, t, shape, t.count), shape);
}

// Lists of static values become one list; else everything is a tensor.
bool join_lists(const std::vector<Value>& parts, List& joined) {
  for (const Value& part : parts) {
    const List* list = part.list();
    if (!list) return false;
    for (const Value& v : *list) {
      if (v.tensor() || v.list()) return false;
      joined.push_back(v);
    }
  }
  return true;
}

Value concat_tensors(Elaborator& e, Frame& frame, const Arguments& a,
                     const std::vector<Value>& parts) {
  std::vector<Tensor> tensors;
  bool real = false;
  for (const Value& part : parts) {
    tensors.push_back(e.to_tensor(frame, part, a.call, "`concat`"));
    real = real || tensors.back().kind == ElementKind::real;
  }
  const std::int64_t count = e.common_count(frame, tensors, a.call);
  const Tensor& first = tensors.front();
  if (first.shape.empty()) {
    e.error(frame, Kind::no_such_axis, a.call, 0, describe(first));
  }
  const std::int64_t axis = a.given(1) ? axis_of(e, frame, a[1], a.spans[1], first) : 0;
  Shape shape = first.shape;
  shape[axis] = 0;
  std::vector<NodeId> nodes;
  for (Tensor& t : tensors) {
    bool fits = t.shape.size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
      fits = static_cast<std::int64_t>(i) == axis || t.shape[i] == shape[i];
    }
    if (!fits) {
      e.fail(e.report_at(frame, Kind::shapes_differ, a.call, "concat", describe(first), describe(t))
                 .note(t.shape.size() == shape.size()
                           ? fmt::format("only axis {} may differ", axis)
                           : fmt::format("the parts need as many axes, but have {} and {}",
                                         shape.size(), t.shape.size())));
    }
    shape[axis] += t.shape[axis];
    if (real && t.kind == ElementKind::class_)
      e.error(frame, Kind::class_arithmetic, a.call, "`concat`");
    if (real) t.node = e.real_node(t);
    t.number = false;
    nodes.push_back(e.broadcast(frame, t, t.shape, count));
  }
  e.check_elements(frame, a.call, shape, count);
  const NodeId all =
      nodes.size() == 1 ? nodes[0] : e.b().concatenate(nodes, axis + (count >= 0 ? 1 : 0));
  return e.make_tensor(all, shape, count, real ? ElementKind::real : first.kind, first.classes);
}

// `concat(a, b, axis = 0)`; one list stands for its members.
Value concat(Elaborator& e, Frame& frame, const Arguments& a) {
  std::vector<Value> parts = *a[0].list();
  if (parts.size() == 1 && parts[0].list()) {
    const List& members = *parts[0].list();
    const bool nested = std::any_of(members.begin(), members.end(), [](const Value& v) {
      return v.list() || (v.tensor() && !v.tensor()->shape.empty());
    });
    if (nested) parts = members;
  }
  e.charge(frame, a.call, static_cast<std::int64_t>(parts.size()));
  List joined;
  if (!a.given(1) && join_lists(parts, joined)) {
    e.charge(frame, a.call, static_cast<std::int64_t>(joined.size()));
    return make_list(std::move(joined));
  }
  if (parts.empty())
    e.error(frame, Kind::wrong_value, a.call, "concat", "at least one part", "none");
  return concat_tensors(e, frame, a, parts);
}

Value stack(Elaborator& e, Frame& frame, const Arguments& a) {
  const List* list = a[0].list();
  if (!list) e.error(frame, Kind::wrong_value, a.spans[0], "stack", "a list", describe(a[0]));
  return e.stack(frame, *list, a.call);
}

NodeId cut(Builder& b, NodeId x, std::size_t axis, std::int64_t first, std::int64_t end) {
  const Shape& shape = b.shape(x);
  Axes start(shape.size(), 0);
  Axes limit(shape.begin(), shape.end());
  start[axis] = first;
  limit[axis] = end;
  return b.slice(x, start, limit);
}

// n more elements at both ends of an axis, taken from the tensor itself.
NodeId pad_from_within(Builder& b, NodeId x, std::size_t axis, std::int64_t n, bool reflect) {
  const std::int64_t length = b.shape(x)[axis];
  const auto k = static_cast<std::int64_t>(axis);
  if (reflect) {
    return b.concatenate({b.reverse(cut(b, x, axis, 1, n + 1), {k}), x,
                          b.reverse(cut(b, x, axis, length - 1 - n, length - 1), {k})},
                         k);
  }
  std::vector<NodeId> parts(static_cast<std::size_t>(n), cut(b, x, axis, 0, 1));
  parts.push_back(x);
  parts.insert(parts.end(), static_cast<std::size_t>(n), cut(b, x, axis, length - 1, length));
  return b.concatenate(parts, k);
}

Value pad(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`pad`");
  Shape amounts(t.shape.size(), 0);
  if (a[1].list()) {
    amounts = e.shape_of_list(frame, a[1], a.spans[1], "the padding");
    if (amounts.size() != t.shape.size()) {
      e.error(frame, Kind::wrong_value, a.spans[1], "pad",
              fmt::format("{} numbers", t.shape.size()), print(amounts));
    }
  } else {
    const std::int64_t n = e.whole(frame, a[1], a.spans[1], "the padding");
    for (std::size_t i = 1; i < amounts.size(); ++i) amounts[i] = n;
  }
  const auto* given = a[2].get<std::string>();
  const std::string mode = given ? *given : a.given(2) ? "" : "zero";
  if (mode != "zero" && mode != "reflect" && mode != "edge") {
    e.error(frame, Kind::wrong_value, a.spans[2], "pad", "\"zero\", \"reflect\" or \"edge\"",
            describe(a[2]));
  }
  Shape shape = t.shape;
  NodeId x = e.node(t);
  Axes low(t.shape.size() + (t.batched() ? 1 : 0), 0);
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    const std::size_t axis = i + (t.batched() ? 1 : 0);
    const std::int64_t n = amounts[i];
    const bool fits =
        n >= 0 && n < (1 << 20) &&
        (mode == "zero" || n == 0 || (mode == "reflect" ? n < shape[i] : shape[i] > 0));
    if (!fits) {
      e.error(frame, Kind::wrong_value, a.spans[1], "pad",
              fmt::format("a padding that {} allows", describe(t)), n);
    }
    shape[i] += 2 * n;
    low[axis] = n;
    if (mode != "zero" && n > 0) x = pad_from_within(e.b(), x, axis, n, mode == "reflect");
  }
  e.check_elements(frame, a.call, shape, t.count);
  if (mode == "zero") {
    const NodeId zero = e.b().constant(0, {e.b().dtype(x), {}});
    x = e.b().pad(x, zero, low, low, Axes(low.size(), 0));
  }
  return with_node(e, t, x, shape);
}

Value roll(Elaborator& e, Frame& frame, const Arguments& a) {
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`roll`");
  if (t.shape.empty()) e.error(frame, Kind::no_such_axis, a.spans[0], 0, describe(t));
  const std::int64_t axis = a.given(2) ? axis_of(e, frame, a[2], a.spans[2], t) : 0;
  const std::int64_t length = t.shape[axis];
  const std::int64_t by = length ? e.whole(frame, a[1], a.spans[1], "`roll`") % length : 0;
  const std::int64_t shift = (by + length) % std::max<std::int64_t>(length, 1);
  if (shift == 0) return t;
  const std::size_t k = static_cast<std::size_t>(axis) + (t.batched() ? 1 : 0);
  const NodeId x = e.node(t);
  Builder& b = e.b();
  const NodeId turned =
      b.concatenate({cut(b, x, k, length - shift, length), cut(b, x, k, 0, length - shift)},
                    static_cast<std::int64_t>(k));
  return with_node(e, t, turned, t.shape);
}

Value reverse(Elaborator& e, Frame& frame, const Arguments& a) {
  if (const List* list = a[0].list(); list && !a.given(1))
    return make_list(List(list->rbegin(), list->rend()));
  const Tensor t = e.to_tensor(frame, a[0], a.spans[0], "`reverse`");
  if (t.shape.empty()) e.error(frame, Kind::no_such_axis, a.spans[0], 0, describe(t));
  const std::int64_t axis = a.given(1) ? axis_of(e, frame, a[1], a.spans[1], t) : 0;
  return with_node(e, t, e.b().reverse(e.node(t), {axis + (t.batched() ? 1 : 0)}), t.shape);
}

}  // namespace

const std::vector<NativeRow>& movement_natives() {
  static const std::vector<NativeRow> rows = {
      {"reshape(x, shape)", reshape},
      {"transpose(x, axes)", transpose},
      {"broadcast(x, shape)", broadcast},
      {"concat(rest_, axis = none)", concat},
      {"stack(list)", stack},
      {"pad(x, amount, mode = none)", pad},
      {"roll(x, by, axis = none)", roll},
      {"reverse(x, axis = none)", reverse},
  };
  return rows;
}

}  // namespace ganc::elab
