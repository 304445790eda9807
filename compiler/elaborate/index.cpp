#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

using Part = ast::IndexPart;

std::int64_t normalized(std::int64_t i, std::int64_t length) {
  return i < 0 ? i + length : i;
}

struct Indexer {
  Elaborator& e;
  Frame& frame;
  const ast::Index& syntax;
  Span span;

  std::int64_t bound(ast::ExprId id, std::int64_t length, std::int64_t otherwise) const {
    if (!id) return otherwise;
    const Span at = (*frame.ast)[id].span;
    const std::int64_t i = normalized(e.whole(frame, e.eval(frame, id), at, "an index"), length);
    if (i < 0 || i > length) {
      e.error(frame, Kind::no_such_index, at, i < 0 ? i - length : i, fmt::format("0..{}", length));
    }
    return i;
  }

  Value of_list(const List& list) const {
    if (syntax.parts.size() != 1)
      e.error(frame, Kind::wrong_value, span, "a list", "one index", "several");
    const Part& part = syntax.parts[0];
    const auto length = static_cast<std::int64_t>(list.size());
    if (part.kind == Part::Kind::range) {
      const std::int64_t first = bound(part.begin, length, 0);
      const std::int64_t end = bound(part.end, length, length);
      if (end < first)
        e.error(frame, Kind::no_such_index, part.span, first, fmt::format("0..{}", end));
      e.charge(frame, span, end - first);
      return make_list(List(list.begin() + first, list.begin() + end));
    }
    if (part.kind != Part::Kind::at) {
      e.error(frame, Kind::wrong_value, part.span, "a list", "a number or `a:b`",
              e.text(part.span));
    }
    const Value at = e.eval(frame, part.at);
    if (at.tensor()) return of_tensor(e.stack(frame, list, span), {at});
    const std::int64_t given = e.whole(frame, at, part.span, "an index");
    const std::int64_t i = normalized(given, length);
    if (i < 0 || i >= length) {
      e.error(frame, Kind::no_such_index, part.span, given, fmt::format("a list of {}", length));
    }
    return list[i];
  }

  // The state while the parts are applied, left to right.
  struct State {
    Tensor t;
    std::size_t axis = 0;  // of the sample shape that the next part is for
    bool gathered = false;
  };

  Value of_tensor(const Tensor& tensor, const std::vector<Value>& given) const {
    State s{tensor, 0, false};
    std::size_t consumed = 0;
    for (const Part& part : syntax.parts) {
      consumed += part.kind == Part::Kind::at || part.kind == Part::Kind::range;
    }
    if (consumed > tensor.shape.size()) {
      e.error(frame, Kind::no_such_axis, span, consumed - 1, describe(tensor));
    }
    std::size_t rest = tensor.shape.size() - consumed;
    std::size_t next = 0;
    for (const Part& part : syntax.parts) {
      switch (part.kind) {
        case Part::Kind::ellipsis:
          s.axis += rest;
          rest = 0;
          break;
        case Part::Kind::new_axis:
          new_axis(s);
          break;
        case Part::Kind::range:
          range(s, part);
          break;
        case Part::Kind::at:
          at(s, part, next < given.size() ? given[next++] : e.eval(frame, part.at));
          break;
      }
    }
    return s.t;
  }

  std::int64_t batch(const Tensor& t) const { return t.batched() ? 1 : 0; }

  void set(State& s, NodeId node, Shape shape) const {
    s.t = e.make_tensor(node, std::move(shape), s.t.count, s.t.kind, s.t.classes);
  }
  Shape full(const Tensor& t, Shape shape) const {
    if (t.batched()) shape.insert(shape.begin(), t.count);
    return shape;
  }

  void new_axis(State& s) const {
    Shape shape = s.t.shape;
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(s.axis), 1);
    set(s, e.b().reshape(e.node(s.t), full(s.t, shape)), shape);
    ++s.axis;
  }

  NodeId cut(const State& s, std::int64_t first, std::int64_t end) const {
    const NodeId x = e.node(s.t);
    const Shape& shape = e.b().shape(x);
    std::vector<std::int64_t> start(shape.size(), 0);
    std::vector<std::int64_t> limit(shape.begin(), shape.end());
    const std::size_t axis = s.axis + batch(s.t);
    if (first == 0 && end == limit[axis]) return x;
    start[axis] = first;
    limit[axis] = end;
    return e.b().slice(x, start, limit);
  }

  void range(State& s, const Part& part) const {
    const std::int64_t length = s.t.shape[s.axis];
    const std::int64_t first = bound(part.begin, length, 0);
    const std::int64_t end = bound(part.end, length, length);
    if (end < first)
      e.error(frame, Kind::no_such_index, part.span, first, fmt::format("0..{}", end));
    Shape shape = s.t.shape;
    shape[s.axis] = end - first;
    set(s, cut(s, first, end), shape);
    ++s.axis;
  }

  void at(State& s, const Part& part, const Value& index) const {
    const std::int64_t length = s.t.shape[s.axis];
    if (index.tensor() || index.list())
      return gather(s, part, e.to_tensor(frame, index, part.span, "an index"));
    const std::int64_t given = e.whole(frame, index, part.span, "an index");
    const std::int64_t i = normalized(given, length);
    if (i < 0 || i >= length) {
      e.error(frame, Kind::no_such_index, part.span, given,
              fmt::format("axis {} of {}", s.axis, describe(s.t)));
    }
    const NodeId one = cut(s, i, i + 1);
    Shape shape = s.t.shape;
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(s.axis));
    set(s, e.b().reshape(one, full(s.t, shape)), shape);
  }

  void gather(State& s, const Part& part, const Tensor& index) const {
    if (s.gathered)
      e.error(frame, Kind::wrong_value, part.span, "an index", "one tensor", "several");
    s.gathered = true;
    if (index.kind == ElementKind::real && !index.number) {
      e.fail(e.report_at(frame, Kind::wrong_value, part.span, "an index", "whole numbers",
                         describe(index))
                 .fix(part.span, "`int(x)` makes whole numbers"));
    }
    if (s.t.batched() && index.batched() && s.t.count != index.count) {
      e.error(frame, Kind::unequal_batches, part.span, s.t.count, index.count);
    }
    const NodeId indices = e.b().convert(e.node(index), DType::i32);
    const std::int64_t count = s.t.batched() ? s.t.count : index.count;
    Shape shape(s.t.shape.begin(), s.t.shape.begin() + static_cast<std::ptrdiff_t>(s.axis));
    shape.insert(shape.end(), index.shape.begin(), index.shape.end());
    shape.insert(shape.end(), s.t.shape.begin() + static_cast<std::ptrdiff_t>(s.axis) + 1,
                 s.t.shape.end());
    e.check_elements(frame, part.span, shape, count);
    const auto axis = static_cast<std::int64_t>(s.axis);
    NodeId result;
    if (s.t.batched()) {
      result = e.b().gather(e.node(s.t), indices, axis + 1, index.batched() ? 1 : 0);
    } else {
      result = e.b().gather(e.node(s.t), indices, axis, 0);
      if (index.batched() && axis > 0) {  // [A.., N, I.., R..]: the batch to the front
        std::vector<std::int64_t> order = {axis};
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(e.b().shape(result).size()); ++i) {
          if (i != axis) order.push_back(i);
        }
        result = e.b().transpose(result, order);
      }
    }
    s.t = e.make_tensor(result, shape, count, s.t.kind, s.t.classes);
    s.axis += index.shape.size();
  }
};

}  // namespace

Value Elaborator::index(Frame& frame, const ast::Index& syntax, Span span) {
  const Value object = eval(frame, syntax.object);
  const Indexer indexer{*this, frame, syntax, span};
  if (const auto* family = object.get<NetFamily>()) {
    std::string name = family->name;
    for (const Part& part : syntax.parts) {
      if (part.kind != Part::Kind::at)
        error(frame, Kind::wrong_value, part.span, "a net", "an index", "a range");
      name += loop_suffix(eval(frame, part.at), 0);
    }
    if (const auto it = nets.find(name); it != nets.end()) return NetValue{it->second, nullptr};
    if (nets.contains(name + "[]")) return NetFamily{name};
    error(frame, Kind::unknown_name, span, name);
  }
  if (const List* list = object.list()) {
    const bool nested = syntax.parts.size() > 1;
    return nested ? indexer.of_tensor(stack(frame, *list, span), {}) : indexer.of_list(*list);
  }
  const Tensor* t = object.tensor();
  if (!t) error(frame, Kind::wrong_value, span, "an index", "a tensor or a list", describe(object));
  return indexer.of_tensor(*t, {});
}

}  // namespace ganc::elab
