#include "compiler/schedule/nest.h"

#include <algorithm>

namespace ganc::planning {

using kernel::Block;
using kernel::ValueId;

namespace {

// A kernel of less work than this is one unit: sharing it out would cost more.
constexpr std::int64_t min_shared_work = 16384;
constexpr std::int64_t wanted_units = 64;
constexpr std::int64_t min_chunk = 1024;  // of the innermost axis

std::int64_t up_to_multiple(std::int64_t x, std::int64_t of) {
  return (x + of - 1) / of * of;
}

}  // namespace

Domain::Domain(const Shape& shape) {
  for (std::int64_t extent : shape) factors.push_back({extent});
}

bool Domain::refine(const IndexSpace& space,
                    const std::vector<std::vector<std::uint32_t>>& variables) {
  bool changed = false;
  std::vector<bool> done(space.variable_count());
  for (const IndexSpace::Split& split : space.wanted_splits()) {
    if (done[split.variable]) continue;
    for (std::size_t axis = 0; axis < variables.size(); ++axis) {
      const auto it = std::ranges::find(variables[axis], split.variable);
      if (it == variables[axis].end()) continue;
      // Earlier splits of this axis moved what comes behind them.
      auto at = static_cast<std::size_t>(it - variables[axis].begin());
      for (auto before = variables[axis].begin(); before != it; ++before) at += done[*before];
      auto& list = factors[axis];
      list[at] /= split.inner;
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(at) + 1, split.inner);
      done[split.variable] = changed = true;
    }
  }
  return changed;
}

DomainVariables add_variables(IndexSpace& space, const Domain& domain) {
  DomainVariables result;
  for (const auto& factors : domain.factors) {
    result.variables.emplace_back();
    IndexId at = space.constant(0);
    for (std::int64_t extent : factors) {
      const std::uint32_t v = space.add_variable(extent);
      result.variables.back().push_back(v);
      at = space.add(space.scale(at, extent), space.variable(v));
    }
    result.at.push_back(at);
  }
  return result;
}

void UsedIndices::add(IndexId id) {
  if (id.index == UINT32_MAX) return;
  if (index_seen_.size() <= id.index) index_seen_.resize(id.index + 1);
  if (index_seen_[id.index]) return;
  index_seen_[id.index] = true;
  order_.push_back(id);
  for (const Term& term : space_[id].terms) {
    const Atom& atom = space_.atom(term.atom);
    if (atom.kind == Atom::Kind::data) add(ExprId{atom.source});
    if (atom.kind == Atom::Kind::quotient || atom.kind == Atom::Kind::remainder) add(atom.of);
  }
}

void UsedIndices::add(ExprId id) {
  if (!id) return;
  if (expression_seen_.size() <= id.index) expression_seen_.resize(expressions_.size());
  if (expression_seen_[id.index]) return;
  expression_seen_[id.index] = true;
  const Expr& e = expressions_[id];
  add(e.index);
  add(e.mask);
  for (ExprId operand : e.operands) add(operand);
  expression_order_.push_back(id);
}

std::vector<Axis> ordered_axes(KernelWriter& writer, const IndexSpace& space,
                               std::vector<Axis> axes, IndexId by,
                               const std::vector<IndexId>& used) {
  std::erase_if(axes, [&](const Axis& axis) {
    if (axis.extent == 1) writer.bind(axis.variable, {});
    return axis.extent == 1;
  });
  const auto stride = [&](const Axis& axis) {
    return std::abs(space.coefficient(by, axis.variable));
  };
  std::ranges::stable_sort(axes,
                           [&](const Axis& a, const Axis& b) { return stride(a) > stride(b); });
  std::vector<Axis> result;
  for (const Axis& axis : axes) {
    if (!result.empty()) {
      const Axis outer = result.back();
      const bool one = std::ranges::all_of(used, [&](IndexId id) {
        return space.coefficient(id, outer.variable) ==
               axis.extent * space.coefficient(id, axis.variable);
      });
      if (one) {
        writer.bind(outer.variable, {});
        result.back() = {axis.variable, outer.extent * axis.extent};
        continue;
      }
    }
    result.push_back(axis);
  }
  return result;
}

Block loop(KernelWriter& writer, kernel::LoopKind kind, const Axis& axis, ValueId extent,
           ValueId base, const std::function<Block()>& body) {
  const kernel::VarId v = writer.new_variable();
  writer.bind(axis.variable, writer.add(base, writer.variable(v)));
  kernel::Loop statement{kind, v, extent, body()};
  Block block;
  block.push_back({std::move(statement)});
  return block;
}

Block serial_nest(KernelWriter& writer, std::span<const Axis> axes, bool vector,
                  const std::function<Block()>& body) {
  if (axes.empty()) return body();
  const bool lanes = vector && axes.size() == 1;
  return loop(writer, lanes ? kernel::LoopKind::vector : kernel::LoopKind::serial, axes[0],
              writer.constant(axes[0].extent), {},
              [&] { return serial_nest(writer, axes.subspan(1), vector, body); });
}

Block parallel_nest(KernelWriter& writer, std::span<const Axis> axes, const NestOptions& options,
                    const std::function<Block()>& body) {
  std::int64_t total = std::max<std::int64_t>(options.work, 1);
  for (const Axis& axis : axes) total *= axis.extent;
  if (total < min_shared_work || axes.empty())
    return serial_nest(writer, axes, options.vector, body);

  std::size_t shared = 0;
  std::int64_t units = 1;
  const std::size_t may_share = options.vector ? axes.size() - 1 : axes.size();
  while (shared < may_share && units < wanted_units) units *= axes[shared++].extent;
  std::int64_t chunk = 0, pieces = 1;
  if (shared == may_share && options.vector && units < wanted_units) {
    const std::int64_t extent = axes.back().extent;
    const std::int64_t least =
        std::max<std::int64_t>(64, min_chunk / std::max<std::int64_t>(options.work, 1));
    pieces = std::clamp<std::int64_t>(extent / least, 1, (wanted_units + units - 1) / units);
    chunk = up_to_multiple((extent + pieces - 1) / pieces, 64);
    pieces = (extent + chunk - 1) / chunk;
  }
  if (units * pieces == 1) return serial_nest(writer, axes, options.vector, body);

  const kernel::VarId u = writer.new_variable();
  ValueId rest = writer.variable(u), piece;
  if (pieces > 1) {
    piece = units > 1 ? writer.remainder(rest, pieces) : rest;
    rest = writer.quotient(rest, pieces);
  }
  for (std::size_t i = shared; i-- > 0;) {
    writer.bind(axes[i].variable, i == 0 ? rest : writer.remainder(rest, axes[i].extent));
    if (i > 0) rest = writer.quotient(rest, axes[i].extent);
  }
  Block inner;
  const auto remaining = axes.subspan(shared);
  if (pieces > 1) {
    const Axis& axis = axes.back();
    const ValueId base = writer.scale(piece, chunk);
    ValueId extent = writer.constant(chunk);
    if (axis.extent % chunk != 0)
      extent = writer.minimum(extent, writer.add(writer.scale(base, -1), axis.extent));
    inner = loop(writer, kernel::LoopKind::vector, axis, extent, base, body);
  } else {
    inner = serial_nest(writer, remaining, options.vector, body);
  }
  writer.set_units(units * pieces);
  Block block;
  block.push_back({kernel::Loop{kernel::LoopKind::parallel, u, writer.constant(units * pieces),
                                std::move(inner)}});
  return block;
}

}  // namespace ganc::planning
