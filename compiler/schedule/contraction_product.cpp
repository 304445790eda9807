#include <algorithm>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {
namespace {

std::size_t at(std::int64_t axis) {
  return static_cast<std::size_t>(axis);
}

class Maker {
 public:
  Maker(ProgramDraft& program, const Group& group, const OperandLayouts& copied)
      : program_(program),
        group_(group),
        copied_(copied),
        id_(group.roots[0]),
        node_(program.graph[id_]) {}

  // Copies are made, and domains refined, until both operands are plain memory.
  std::unique_ptr<Product> run() {
    Domain domain(domain_shape());
    for (int attempts = max_refinements; attempts > 0; --attempts) {
      auto p = std::make_unique<Product>();
      p->node = id_;
      if (in_pairs()) p->parts = copied_.lhs->parts;
      p->c.domain = add_variables(p->c.space, domain);
      if (rows_are_one()) join_rows(*p);
      split_domain(*p);
      (node_.op == Op::dot_general ? dot_indices(*p) : convolution_indices(*p));
      const bool lhs = read(*p, p->lhs, copied_.lhs), rhs = read(*p, p->rhs, copied_.rhs);
      add_results(*p);
      if (domain.refine(p->c.space, p->c.domain.variables)) continue;
      if (!lhs) copied_.lhs = CopyLayout{.order = program_.layouts[p->lhs.node.index]};
      if (!rhs) copied_.rhs = CopyLayout{.order = program_.layouts[p->rhs.node.index]};
      if (lhs && rhs) return p;
    }
    return nullptr;
  }

 private:
  const Shape& shape(NodeId id) const { return program_.graph[id].type.shape; }

  bool in_pairs() const { return copied_.lhs && copied_.lhs->pair_axis >= 0; }

  // The axes of the result, then those that are contracted; of a convolution the channels.
  Shape domain_shape() const {
    Shape s = node_.type.shape;
    if (node_.op == Op::convolution)
      s.push_back(shape(node_.operands[1])[1]);
    else
      for (std::int64_t axis : node_.attributes.lhs_contract)
        s.push_back(shape(node_.operands[0])[at(axis)]);
    if (in_pairs()) s.back() = copied_.lhs->pairs;
    return s;
  }

  void split_domain(Product& p) const {
    const std::size_t rank = node_.type.shape.size();
    for (std::size_t axis = 0; axis < p.c.domain.variables.size(); ++axis)
      for (std::uint32_t v : p.c.domain.variables[axis])
        if (p.c.space.extent(v) > 1) (axis < rank ? p.free : p.reduced).push_back(v);
  }

  // Whether a copy of lhs with a border walks through the first and the last axis of the result as
  // through one: channels and taps of the gradient of filters.
  bool rows_are_one() const {
    if (!copied_.lhs || !copied_.lhs->border) return false;
    const Window& w = node_.attributes.windows.back();
    const std::uint32_t copy = lower_copy(program_, node_.operands[0], *copied_.lhs, group_);
    const std::vector<std::int64_t>& strides = program_.tensors[copy].strides;
    const std::int64_t first = node_.type.shape.front();
    return first > 1 && node_.type.shape.back() > 1 && rows_follow(strides, first, w);
  }
  void join_rows(Product& p) const {
    const std::int64_t first = node_.type.shape.front(), last = node_.type.shape.back();
    const std::size_t axis = node_.type.shape.size() - 1;
    const std::uint32_t row = p.c.space.add_variable(first * last);
    p.free.push_back(row);
    p.c.domain.at[0] = p.c.space.remainder(p.c.space.variable(row), first);
    p.c.domain.at[axis] = p.c.space.quotient(p.c.space.variable(row), first);
    p.c.domain.variables[0].clear();
    p.c.domain.variables[axis].clear();
  }

  void dot_indices(Product& p) const {
    const Attributes& a = node_.attributes;
    const auto& from = p.c.domain.at;
    const std::size_t rank = node_.type.shape.size();
    p.lhs = {
        node_.operands[0], std::vector<IndexId>(shape(node_.operands[0]).size()), no_tensor, {}};
    p.rhs = {
        node_.operands[1], std::vector<IndexId>(shape(node_.operands[1]).size()), no_tensor, {}};
    std::vector<bool> lhs_done(p.lhs.at.size()), rhs_done(p.rhs.at.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < a.lhs_batch.size(); ++i, ++next) {
      p.lhs.at[at(a.lhs_batch[i])] = p.rhs.at[at(a.rhs_batch[i])] = from[next];
      lhs_done[at(a.lhs_batch[i])] = rhs_done[at(a.rhs_batch[i])] = true;
    }
    for (std::size_t i = 0; i < a.lhs_contract.size(); ++i) {
      p.lhs.at[at(a.lhs_contract[i])] = p.rhs.at[at(a.rhs_contract[i])] = from[rank + i];
      lhs_done[at(a.lhs_contract[i])] = rhs_done[at(a.rhs_contract[i])] = true;
    }
    for (std::size_t i = 0; i < lhs_done.size(); ++i)
      if (!lhs_done[i]) p.lhs.at[i] = from[next++];
    for (std::size_t i = 0; i < rhs_done.size(); ++i)
      if (!rhs_done[i]) p.rhs.at[i] = from[next++];
  }

  void convolution_indices(Product& p) const {
    IndexSpace& space = p.c.space;
    const auto& from = p.c.domain.at;
    const Shape& x = shape(node_.operands[0]);
    const Shape& w = shape(node_.operands[1]);
    const IndexId channel = from.back();
    const IndexId group = space.quotient(from[1], w[0] / node_.attributes.groups);
    p.lhs = {
        node_.operands[0], {from[0], space.add(space.scale(group, w[1]), channel)}, no_tensor, {}};
    p.rhs = {node_.operands[1], {from[1], channel}, no_tensor, {}};
    p.bordered = copied_.lhs && copied_.lhs->border;
    for (std::size_t i = 2; i < x.size(); ++i) {
      SpatialAxis axis;
      axis.window = node_.attributes.windows[i - 2];
      axis.outputs = node_.type.shape[i];
      axis.lhs_extent = x[i];
      axis.rhs_extent = w[i];
      axis.output = from[i];
      if (p.bordered && i + 1 == x.size())
        add_bordered(p, axis);
      else
        add_spatial(p, axis, space.constant(0));
    }
  }

  // Positions of lhs begin at `first`.
  static void add_spatial(Product& p, SpatialAxis axis, IndexId first) {
    IndexSpace& space = p.c.space;
    axis.lhs_position = space.add_variable(axis.lhs_extent);
    axis.rhs_position = space.add_variable(axis.rhs_extent);
    p.lhs.at.push_back(space.add(first, space.variable(axis.lhs_position)));
    p.rhs.at.push_back(space.variable(axis.rhs_position));
    p.spatial.push_back(axis);
  }

  // Between the elements of a dilated axis there are no zeros: the outputs of each phase meet other
  // taps.
  static void add_bordered(Product& p, SpatialAxis axis) {
    IndexSpace& space = p.c.space;
    const Border border = border_of(axis);
    const std::int64_t phases = axis.window.lhs_dilation;
    axis.window.pad_low -= border.low * phases;
    if (phases == 1) return add_reduced(p, axis);
    const IndexId first = space.quotient(axis.output, phases);
    axis.output = space.remainder(axis.output, phases);
    axis.outputs = phases;
    axis.lhs_extent += border.low + border.high;
    add_spatial(p, axis, first);
  }
  static void add_reduced(Product& p, const SpatialAxis& axis) {
    IndexSpace& space = p.c.space;
    const Window& w = axis.window;
    const std::uint32_t tap = space.add_variable(axis.rhs_extent);
    if (axis.rhs_extent > 1) p.reduced.push_back(tap);
    p.lhs.at.push_back(space.add(space.add(space.scale(axis.output, w.stride),
                                           space.scale(space.variable(tap), w.rhs_dilation)),
                                 -w.pad_low));
    p.rhs.at.push_back(space.variable(tap));
  }

  // Whether the operand is plain memory: one load, everywhere, at an affine index.
  bool read(Product& p, Operand& operand, const std::optional<CopyLayout>& copied) const {
    Emitter emitter(program_, p.c.space, p.c.expressions);
    if (copied) {
      operand.tensor = lower_copy(program_, operand.node, *copied, group_);
      if (copied->parts > 1) operand.at.push_back(p.c.space.constant(0));
      Tensor first_panel = program_.tensors[operand.tensor];
      first_panel.panel = 0;
      operand.index = emitter.offset(first_panel, operand.at);
    } else {
      const Expr& e = p.c.expressions[emitter.emit(operand.node, operand.at)];
      if (e.kind != ExprKind::load || e.mask) return false;
      operand.tensor = e.tensor;
      operand.index = e.index;
    }
    return p.c.space.is_affine(operand.index);
  }

  void add_results(Product& p) const {
    const std::vector<IndexId> result(
        p.c.domain.at.begin(),
        p.c.domain.at.begin() + static_cast<std::ptrdiff_t>(node_.type.shape.size()));
    Emitter emitter(program_, p.c.space, p.c.expressions);
    for (NodeId root : group_.roots) {
      if (is_reduction(program_.graph[root].op)) {
        p.c.sums.push_back({root, emitter.emit(program_.graph[root].operands[0], result)});
        continue;
      }
      const ExprId value =
          root == id_
              ? p.c.expressions.add({.kind = ExprKind::contraction, .dtype = node_.type.dtype})
              : emitter.emit_definition(root, result);
      emitter.give(root, result, value);
      add_store(program_, p.c, root, result, value);
    }
  }

  ProgramDraft& program_;
  const Group& group_;
  OperandLayouts copied_;
  NodeId id_;
  const Node& node_;
};

}  // namespace

std::unique_ptr<Product> make_product(ProgramDraft& program, const Group& group,
                                      const OperandLayouts& copied) {
  return Maker(program, group, copied).run();
}

Border border_of(const SpatialAxis& axis) {
  const Window& w = axis.window;
  const std::int64_t last =
      (axis.outputs - 1) * w.stride + (axis.rhs_extent - 1) * w.rhs_dilation - w.pad_low;
  return {std::max<std::int64_t>((w.pad_low + w.lhs_dilation - 1) / w.lhs_dilation, 0),
          std::max<std::int64_t>(last / w.lhs_dilation + 1 - axis.lhs_extent, 0)};
}

bool rows_follow(const std::vector<std::int64_t>& strides, std::int64_t first,
                 const Window& window) {
  return window.lhs_dilation == 1 && strides.back() * window.stride == strides.front() * first;
}

std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> meeting_positions(
    const SpatialAxis& axis) {
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows(at(axis.outputs));
  const Window& w = axis.window;
  for (std::int64_t p = 0; p < axis.outputs; ++p)
    for (std::int64_t k = 0; k < axis.rhs_extent; ++k) {
      const std::int64_t dilated = p * w.stride + k * w.rhs_dilation - w.pad_low;
      if (dilated < 0 || dilated % w.lhs_dilation != 0) continue;
      const std::int64_t x = dilated / w.lhs_dilation;
      if (x < axis.lhs_extent)
        rows[at(p)].emplace_back(static_cast<std::int32_t>(x), static_cast<std::int32_t>(k));
    }
  return rows;
}

}  // namespace ganc::planning
