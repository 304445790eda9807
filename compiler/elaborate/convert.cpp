#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {}  // namespace

NodeId Elaborator::node(const Tensor& tensor) {
  if (tensor.node) return tensor.node;
  if (!tensor.lazy->node) tensor.lazy->node = tensor.lazy->make();
  return tensor.lazy->node;
}

NodeId Elaborator::real_node(const Tensor& tensor) {
  return b().convert(node(tensor), real());
}

Tensor Elaborator::make_tensor(NodeId node, Shape shape, std::int64_t count, ElementKind kind,
                               std::int64_t classes) {
  ++dynamic_reads;
  Tensor t;
  t.node = node;
  t.shape = std::move(shape);
  t.count = count;
  t.kind = kind;
  t.classes = classes;
  return t;
}

Tensor Elaborator::number_tensor(NodeId node) {
  Tensor t = make_tensor(node, {}, -1);
  t.number = true;
  return t;
}

NodeId Elaborator::as_number(const Value& value) {
  if (const auto n = value.number()) return b().constant(*n, {DType::f64, {}});
  return b().convert(node(*value.tensor()), DType::f64);
}

namespace {

// The sizes of a list of lists of numbers, or nothing where it is ragged or holds tensors.
bool static_shape(const List& list, Shape& shape) {
  shape = {static_cast<std::int64_t>(list.size())};
  std::optional<Shape> inner;
  for (const Value& v : list) {
    Shape s;
    if (const List* l = v.list()) {
      if (!static_shape(*l, s)) return false;
    } else if (!v.number()) {
      return false;
    }
    if (inner && *inner != s) return false;
    inner = s;
  }
  if (inner) shape.insert(shape.end(), inner->begin(), inner->end());
  return true;
}

void flatten(const List& list, std::vector<double>& values) {
  for (const Value& v : list) {
    if (const List* l = v.list()) {
      flatten(*l, values);
    } else {
      values.push_back(*v.number());
    }
  }
}

}  // namespace

Tensor Elaborator::to_tensor(const Frame& frame, const Value& value, Span span,
                             std::string_view what) {
  if (const Tensor* t = value.tensor()) return *t;
  if (!work) error(frame, Kind::wrong_value, span, what, "a static value", describe(value));
  if (const auto n = value.number()) {
    return make_tensor(b().constant(*n, {real(), {}}), {}, -1);
  }
  if (const List* list = value.list()) return stack(frame, *list, span);
  error(frame, Kind::wrong_value, span, what, "a tensor", describe(value));
}

Tensor Elaborator::real_tensor(const Frame& frame, const Value& value, Span span,
                               std::string_view what) {
  Tensor t = to_tensor(frame, value, span, what);
  if (t.kind == ElementKind::class_) {
    fail(report_at(frame, Kind::class_arithmetic, span, what)
             .note("`one_hot(y)`, `embedding(y, n)` or `int(y)` make a tensor of it"));
  }
  return t;
}

Tensor Elaborator::stack(const Frame& frame, const List& list, Span span) {
  charge(frame, span, static_cast<std::int64_t>(list.size()));
  Shape shape;
  if (static_shape(list, shape)) {
    std::vector<double> values;
    flatten(list, values);
    check_elements(frame, span, shape);
    return make_tensor(b().constant(std::move(values), {real(), shape}), shape, -1);
  }
  std::vector<Tensor> parts;
  for (const Value& v : list) parts.push_back(to_tensor(frame, v, span, "a list"));
  const std::int64_t count = common_count(frame, parts, span);
  const Tensor& first = parts.front();
  bool same_kind = true;
  Shape common = first.shape;
  for (const Tensor& t : parts) {
    if (t.shape.size() > common.size()) common = t.shape;
    same_kind = same_kind && t.kind == first.kind && t.classes == first.classes;
  }
  std::vector<NodeId> nodes;
  for (const Tensor& t : parts) {
    if (t.shape != common && !t.shape.empty()) {
      error(frame, Kind::shapes_differ, span, "a list as a tensor", describe(first), describe(t));
    }
    Tensor use = t;
    if (!same_kind) {
      if (t.kind == ElementKind::class_)
        error(frame, Kind::class_arithmetic, span, "a list as a tensor");
      use.kind = ElementKind::real;
    }
    if (use.kind == ElementKind::real) use.node = real_node(t);
    use.number = false;
    NodeId one = broadcast(frame, use, common, count);
    Shape with_axis = b().shape(one);
    with_axis.insert(with_axis.begin() + (count >= 0 ? 1 : 0), 1);
    nodes.push_back(b().reshape(one, with_axis));
  }
  shape = common;
  shape.insert(shape.begin(), static_cast<std::int64_t>(list.size()));
  check_elements(frame, span, shape, count);
  const NodeId all = nodes.size() == 1 ? nodes[0] : b().concatenate(nodes, count >= 0 ? 1 : 0);
  return make_tensor(all, shape, count, same_kind ? first.kind : ElementKind::real, first.classes);
}

NodeId Elaborator::broadcast(const Frame&, const Tensor& tensor, const Shape& shape,
                             std::int64_t count) {
  NodeId x = node(tensor);
  if (tensor.shape == shape && tensor.count == count) return x;
  // Axes of length 1 that grow are dropped; the others keep their place from the right.
  Shape kept;
  std::vector<std::int64_t> axes;
  const std::int64_t batch = count >= 0 ? 1 : 0;
  if (tensor.batched()) {
    kept.push_back(tensor.count);
    axes.push_back(0);
  }
  const std::size_t offset = shape.size() - tensor.shape.size();
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] == 1 && shape[i + offset] != 1) continue;
    kept.push_back(tensor.shape[i]);
    axes.push_back(static_cast<std::int64_t>(i + offset) + batch);
  }
  Shape full = shape;
  if (batch) full.insert(full.begin(), count);
  return b().broadcast_in_dim(b().reshape(x, kept), full, axes);
}

std::int64_t Elaborator::common_count(const Frame& frame, const std::vector<Tensor>& tensors,
                                      Span span) {
  std::int64_t count = -1;
  for (const Tensor& t : tensors) {
    if (!t.batched()) continue;
    if (count >= 0 && t.count != count) error(frame, Kind::unequal_batches, span, count, t.count);
    count = t.count;
  }
  return count;
}

Shape Elaborator::common_shape(const Frame& frame, std::string_view op, const Tensor& a,
                               const Tensor& c, Span span, Span2 sides) {
  Shape shape(std::max(a.shape.size(), c.shape.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto from_right = [&](const Shape& s) { return i < s.size() ? s[s.size() - 1 - i] : 1; };
    const std::int64_t m = from_right(a.shape);
    const std::int64_t n = from_right(c.shape);
    if (m != n && m != 1 && n != 1) {
      fail(report_at(frame, Kind::shapes_differ, span, op, describe(a), describe(c))
               .label(user_place(frame, sides.left), "this is " + describe(a))
               .label(user_place(frame, sides.right), "this is " + describe(c)));
    }
    shape[shape.size() - 1 - i] = m == 1 ? n : m;
  }
  return shape;
}

Value Elaborator::to_class(const Frame& frame, const Value& value, std::int64_t classes,
                           Span span) {
  if (const auto n = value.number()) {
    const std::int64_t k = whole(frame, value, span, "a class");
    if (k < 0 || k >= classes) {
      error(frame, Kind::class_too_large, span, "the number " + print_number(*n), classes);
    }
    return make_tensor(b().constant(*n, {DType::i32, {}}), {}, -1, ElementKind::class_, classes);
  }
  if (const List* list = value.list()) {
    List members;
    for (const Value& v : *list) members.push_back(to_class(frame, v, classes, span));
    return stack(frame, members, span);
  }
  const Tensor* t = value.tensor();
  if (!t || t->kind != ElementKind::class_) {
    error(frame, Kind::wrong_value, span, "a class", fmt::format("class[{}]", classes),
          describe(value));
  }
  if (t->classes > classes) error(frame, Kind::class_too_large, span, describe(*t), classes);
  Tensor wide = *t;
  wide.classes = classes;
  return wide;
}

}  // namespace ganc::elab
