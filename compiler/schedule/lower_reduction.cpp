#include <algorithm>
#include <limits>
#include <span>

#include "compiler/schedule/lower.h"

namespace ganc::planning {
namespace {

using kernel::Block;
using kernel::ValueId;
using Body = std::function<Block()>;
using Around = std::function<Block(const Body&)>;  // loops around a body

// A reduction with fewer units than this is done in two: partial results, then their combination.
constexpr std::int64_t few_units = 16;
constexpr std::int64_t wanted_parts = 64;
constexpr std::int64_t min_split_work = 32768;
constexpr std::int64_t min_lanes = 4;  // of a kept axis that is worth being the vector
constexpr std::int64_t max_outer_lanes =
    512;  // a reduced axis with lanes up to this goes around the other loops
// Of a tensor of so many bytes or more, which comes from afar, a unit reads about so many in a row.
constexpr std::int64_t large_bytes = 1 << 20, row_bytes = 4096;
constexpr std::int64_t min_lanes_side_by_side = 8, max_local_bytes = 32768;

// One kernel's reductions: what is accumulated, over which variables, and what is made of the
// results.
struct Reduction {
  Computation c;
  std::vector<ExprId> values;
  std::vector<std::uint32_t> kept, reduced;  // variables
  std::vector<IndexId> result_at;            // the index of a result
};

// Where what is reduced along lanes is a short run of memory, and those of neighbours along a kept
// axis follow: so many neighbours are reduced side by side, in local memory by lane, so that memory
// is read in long runs.
struct SideBySide {
  Axis kept, lanes;
  std::int64_t block;
  std::uint32_t number = 0;  // variable: which block
};

std::int64_t product(const IndexSpace& space, const std::vector<std::uint32_t>& variables) {
  std::int64_t n = 1;
  for (std::uint32_t v : variables) n *= space.extent(v);
  return n;
}

class Lowerer {
 public:
  Lowerer(ProgramDraft& program, const Group& group) : program_(program), group_(group) {
    for (NodeId root : group.roots)
      if (is_reduction(op(root)) && group.kind == GroupKind::contraction)
        sums_.push_back(root);
      else
        (is_reduction(op(root)) || is_contraction(op(root)) ? reductions_ : later_).push_back(root);
  }

  void run() {
    if (element_count(shape(reductions_[0])) == 0) return;
    if (element_count(whole_shape()) == 0) return write_empty();
    const auto first = refined([&](const Domain& d) { return whole(d); }, whole_shape());
    const std::int64_t parts = parts_for(*first);
    if (parts == 1) return write(*first);
    write_parts(*first, parts);
    Shape with_parts = shape(reductions_[0]);
    with_parts.insert(with_parts.begin(), parts_);
    write(*refined([&](const Domain& d) { return combination(d); }, with_parts));
  }

 private:
  Op op(NodeId id) const { return program_.graph[id].op; }
  const Shape& shape(NodeId id) const { return program_.graph[id].type.shape; }
  DType dtype(NodeId id) const { return program_.graph[id].type.dtype; }

  // `make` on ever finer domains until no index is divided, or as often as is worth it.
  template <class Make>
  std::unique_ptr<Reduction> refined(const Make& make, const Shape& shape) {
    Domain domain(shape);
    for (int attempts = max_refinements;;) {
      std::unique_ptr<Reduction> r = make(domain);
      add_results(*r);  // their wishes count too
      if (--attempts > 0 && domain.refine(r->c.space, r->c.domain.variables)) continue;
      return r;
    }
  }

  // The domain: of a reduction its operand's axes; of a contraction those of the result, then the
  // contracted ones.
  Shape whole_shape() const {
    const Node& node = program_.graph[reductions_[0]];
    if (is_reduction(node.op)) return shape(node.operands[0]);
    Shape s = node.type.shape;
    const Shape& lhs = shape(node.operands[0]);
    const Shape& rhs = shape(node.operands[1]);
    if (node.op == Op::dot_general)
      for (std::int64_t axis : node.attributes.lhs_contract)
        s.push_back(lhs[static_cast<std::size_t>(axis)]);
    else
      s.insert(s.end(), rhs.begin() + 1, rhs.end());
    return s;
  }

  std::unique_ptr<Reduction> whole(const Domain& domain) {
    auto r = std::make_unique<Reduction>();
    r->c.domain = add_variables(r->c.space, domain);
    Emitter emitter(program_, r->c.space, r->c.expressions);
    const Node& first = program_.graph[reductions_[0]];
    std::vector<bool> reduced(domain.factors.size());
    if (is_reduction(first.op))
      for (std::int64_t axis : first.attributes.axes)
        reduced[static_cast<std::size_t>(axis)] = true;
    else
      std::fill(reduced.begin() + static_cast<std::ptrdiff_t>(first.type.shape.size()),
                reduced.end(), true);
    std::vector<IndexId> contracted;
    for (std::size_t axis = 0; axis < reduced.size(); ++axis) {
      const auto& variables = r->c.domain.variables[axis];
      auto& list = reduced[axis] ? r->reduced : r->kept;
      list.insert(list.end(), variables.begin(), variables.end());
      (reduced[axis] ? contracted : r->result_at).push_back(r->c.domain.at[axis]);
    }
    for (NodeId id : reductions_) {
      const Node& node = program_.graph[id];
      r->values.push_back(is_reduction(node.op)
                              ? emitter.emit(node.operands[0], r->c.domain.at)
                              : emitter.emit_product(id, r->result_at, contracted));
    }
    return r;
  }

  // Of the partial results.
  std::unique_ptr<Reduction> combination(const Domain& domain) {
    auto r = std::make_unique<Reduction>();
    r->c.domain = add_variables(r->c.space, domain);
    r->reduced = r->c.domain.variables[0];
    for (std::size_t axis = 1; axis < domain.factors.size(); ++axis) {
      const auto& variables = r->c.domain.variables[axis];
      r->kept.insert(r->kept.end(), variables.begin(), variables.end());
      r->result_at.push_back(r->c.domain.at[axis]);
    }
    for (std::size_t i = 0; i < reductions_.size(); ++i) {
      r->values.push_back(
          r->c.expressions.add({.kind = ExprKind::load,
                                .dtype = dtype(reductions_[i]),
                                .tensor = partials_[i],
                                .index = part_offset(r->c, i, r->c.domain.at[0], r->result_at)}));
    }
    return r;
  }

  // Where the partial results of a reduction lie.
  IndexId part_offset(Computation& c, std::size_t reduction, IndexId part,
                      const std::vector<IndexId>& result_at) const {
    const std::vector<std::int64_t>& strides = program_.tensors[partials_[reduction]].strides;
    return c.space.add(c.space.scale(part, strides[0]),
                       offset(c, std::span(strides).subspan(1), result_at));
  }

  static IndexId offset(Computation& c, std::span<const std::int64_t> strides,
                        const std::vector<IndexId>& position) {
    IndexId sum = c.space.constant(0);
    for (std::size_t i = 0; i < position.size(); ++i)
      sum = c.space.add(sum, c.space.scale(position[i], strides[i]));
    return sum;
  }

  // The stores of the results and of what is made of them.
  void add_results(Reduction& r) {
    Emitter emitter(program_, r.c.space, r.c.expressions);
    r.c.stores.clear();
    r.c.sums.clear();
    const auto add = [&](NodeId root, ExprId value) {
      emitter.give(root, r.result_at, value);
      add_store(program_, r.c, root, r.result_at, value);
    };
    for (std::size_t i = 0; i < reductions_.size(); ++i)
      add(reductions_[i], r.c.expressions.add({.kind = ExprKind::accumulator,
                                               .dtype = dtype(reductions_[i]),
                                               .integer = static_cast<std::int64_t>(i)}));
    for (NodeId root : later_) add(root, emitter.emit_definition(root, r.result_at));
    add_sums(r.c, emitter, r.result_at);
  }
  void add_sums(Computation& c, Emitter& emitter, const std::vector<IndexId>& at) const {
    for (NodeId root : sums_)
      c.sums.push_back({root, emitter.emit(program_.graph[root].operands[0], at)});
  }

  static UsedIndices used_indices(const Reduction& r) {
    UsedIndices used = indices_of_results(r.c);
    for (ExprId value : r.values) used.add(value);
    return used;
  }

  // The load that moves most memory; null: there is none.
  const Expr* main_load(const Reduction& r) const {
    UsedIndices used(r.c.space, r.c.expressions);
    for (ExprId value : r.values) used.add(value);
    const Expr* best = nullptr;
    for (ExprId id : used.expressions()) {
      const Expr& e = r.c.expressions[id];
      if (e.kind != ExprKind::load) continue;
      if (!best || program_.tensors[e.tensor].elements > program_.tensors[best->tensor].elements)
        best = &e;
    }
    return best;
  }
  // Loops follow it.
  IndexId main_index(const Reduction& r) const {
    const Expr* load = main_load(r);
    return load ? load->index : r.c.stores.empty() ? IndexId{0} : r.c.stores[0].index;
  }

  // Of the kept axes, the one along which `by` is contiguous the last: that with the lanes.
  static void lanes_last(std::vector<Axis>& axes, const IndexSpace& space, IndexId by) {
    std::ranges::stable_partition(axes, [&](const Axis& axis) {
      return std::abs(space.coefficient(by, axis.variable)) != 1;
    });
  }

  bool vector_is_kept(const Reduction& r, IndexId by) const {
    return std::ranges::any_of(r.kept, [&](std::uint32_t v) {
      return std::abs(r.c.space.coefficient(by, v)) == 1 && r.c.space.extent(v) >= min_lanes;
    });
  }

  std::int64_t parts_for(const Reduction& r) const {
    const std::int64_t kept = product(r.c.space, r.kept), reduced = product(r.c.space, r.reduced);
    if (kept * reduced < min_split_work || reduced < few_units) return 1;
    std::int64_t units = kept;
    const IndexId by = main_index(r);
    if (vector_is_kept(r, by)) {
      for (std::uint32_t v : r.kept)
        if (std::abs(r.c.space.coefficient(by, v)) == 1) units /= r.c.space.extent(v);
    } else {
      KernelWriter writer(r.c.space, r.c.expressions, program_.tensors);
      const UsedIndices used = used_indices(r);
      const auto axes = [&](const std::vector<std::uint32_t>& variables) {
        return ordered_axes(writer, r.c.space, axes_of(r, variables), by, used.indices());
      };
      if (const auto side = side_by_side(r, axes(r.kept), axes(r.reduced), by))
        units /= side->block;
    }
    return units >= few_units ? 1
                              : std::min(wanted_parts / std::max<std::int64_t>(units, 1), reduced);
  }

  std::vector<Axis> axes_of(const Reduction& r, const std::vector<std::uint32_t>& variables) const {
    std::vector<Axis> axes;
    for (std::uint32_t v : variables) axes.push_back({v, r.c.space.extent(v)});
    return axes;
  }

  // The reduced loops around the accumulations of the values, all accumulators around them.
  Block accumulate(KernelWriter& writer, const std::function<ValueId(std::size_t)>& value,
                   const Around& loops) {
    std::vector<std::uint32_t> ids;
    for (std::size_t i = 0; i < reductions_.size(); ++i) ids.push_back(writer.new_accumulator());
    Block block = loops([&] {
      Block inner;
      for (std::size_t i = 0; i < ids.size(); ++i)
        inner.push_back({kernel::Accumulate{ids[i], value(i)}});
      return inner;
    });
    for (std::size_t i = ids.size(); i-- > 0;) {
      kernel::Accumulator accumulator{ids[i], combine_of(program_, reductions_[i]),
                                      dtype(reductions_[i]), std::move(block)};
      block.clear();
      block.push_back({std::move(accumulator)});
    }
    return block;
  }

  // The loops over the reduced axes with what they accumulate, then what `finish` makes of it.
  // `loops` goes around all of them, or with `side` around all but the lanes.
  Block reduce(KernelWriter& writer, Reduction& r, const std::optional<SideBySide>& side,
               const Around& loops, const Body& finish) {
    if (side) return reduce_side_by_side(writer, r, *side, loops, finish);
    Block block =
        accumulate(writer, [&](std::size_t i) { return writer.expression(r.values[i]); }, loops);
    append(block, finish());
    return block;
  }
  Block reduce_side_by_side(KernelWriter& writer, Reduction& r, const SideBySide& side,
                            const Around& loops, const Body& finish) {
    const ValueId base = writer.scale(writer.index(r.c.space.variable(side.number)), side.block),
                  lanes = writer.constant(side.lanes.extent);
    ValueId count = writer.constant(side.block);
    if (side.kept.extent % side.block != 0)
      count = writer.minimum(count, writer.add(writer.scale(base, -1), side.kept.extent));
    const auto neighbours = [&](const Body& body) {
      return loop(writer, kernel::LoopKind::serial, side.kept, count, base, body);
    };
    const auto along_lanes = [&](const Body& body) {
      return loop(writer, kernel::LoopKind::vector, side.lanes, lanes, {}, body);
    };
    const auto place = [&] {
      const ValueId neighbour =
          writer.add(writer.index(r.c.space.variable(side.kept.variable)), writer.scale(base, -1));
      return writer.add(writer.scale(neighbour, side.lanes.extent),
                        writer.index(r.c.space.variable(side.lanes.variable)));
    };
    std::vector<std::uint32_t> locals;
    for (NodeId id : reductions_)
      locals.push_back(writer.local(dtype(id), side.block * side.lanes.extent));
    const auto stores = [&](const std::function<ValueId(std::size_t)>& value, bool add) {
      Block block;
      for (std::size_t i = 0; i < locals.size(); ++i) {
        kernel::Store store{};
        store.buffer = locals[i];
        store.index = place();
        store.value = value(i);
        store.add = add;
        block.push_back({store});
      }
      return block;
    };
    Block block = neighbours([&] {
      return along_lanes([&] {
        return stores([&](std::size_t i) { return writer.real(0, dtype(reductions_[i])); }, false);
      });
    });
    append(block, loops([&] {
             return neighbours([&] {
               return along_lanes([&] {
                 return stores([&](std::size_t i) { return writer.expression(r.values[i]); }, true);
               });
             });
           }));
    append(block, neighbours([&] {
             Block of_one = accumulate(
                 writer,
                 [&](std::size_t i) {
                   return writer.load(locals[i], place(), dtype(reductions_[i]), {});
                 },
                 along_lanes);
             append(of_one, finish());
             return of_one;
           }));
    return block;
  }
  static void append(Block& block, Block more) {
    for (kernel::Statement& s : more) block.push_back(std::move(s));
  }

  // Whether neighbours are reduced side by side; axes as they are ordered.
  std::optional<SideBySide> side_by_side(const Reduction& r, const std::vector<Axis>& kept,
                                         const std::vector<Axis>& reduced, IndexId by) const {
    const auto stride = [&](const Axis& axis) {
      return std::abs(r.c.space.coefficient(by, axis.variable));
    };
    if (group_.kind != GroupKind::reduction || kept.empty() || reduced.size() < 2) return {};
    const Expr* load = main_load(r);
    const std::int64_t lanes = reduced.back().extent;
    if (load == nullptr || stride(reduced.back()) != 1 || lanes < min_lanes_side_by_side ||
        stride(kept.back()) < lanes || stride(kept.back()) > stride(reduced[reduced.size() - 2]) ||
        std::ranges::any_of(reductions_, [&](NodeId id) { return op(id) == Op::reduce_max; }))
      return {};
    const std::int64_t size = byte_size(load->dtype);
    if (program_.tensors[load->tensor].elements * size < large_bytes) return {};
    std::int64_t sums_size = 0;
    for (NodeId id : reductions_) sums_size += byte_size(dtype(id));
    const std::int64_t block = std::min(
        {row_bytes / (lanes * size), max_local_bytes / (lanes * sums_size), kept.back().extent});
    if (block < 2) return {};
    return SideBySide{kept.back(), reduced.back(), block};
  }
  // The kept axis becomes that of the blocks, and the lanes leave the reduced axes.
  static void take(SideBySide& side, Reduction& r, std::vector<Axis>& kept,
                   std::vector<Axis>& reduced) {
    const std::int64_t blocks = (side.kept.extent + side.block - 1) / side.block;
    side.number = r.c.space.add_variable(std::max<std::int64_t>(blocks, 2));
    kept.back() = {side.number, blocks};
    reduced.pop_back();
  }

  // Lanes along a reduced axis: around the other loops where it is short, so that lanes are
  // combined once.
  Block reduced_nest(KernelWriter& writer, std::vector<Axis> axes, bool lanes, IndexId by,
                     const IndexSpace& space, const Body& body) {
    if (!lanes || axes.empty()) return serial_nest(writer, axes, false, body);
    auto v = std::ranges::find_if(
        axes, [&](const Axis& a) { return std::abs(space.coefficient(by, a.variable)) == 1; });
    if (v == axes.end()) v = axes.end() - 1;
    const Axis vector = *v;
    axes.erase(v);
    if (vector.extent <= max_outer_lanes)
      return loop(writer, kernel::LoopKind::vector, vector, writer.constant(vector.extent), {},
                  [&] { return serial_nest(writer, axes, false, body); });
    axes.push_back(vector);
    return serial_nest(writer, axes, true, body);
  }

  void write(Reduction& r) {
    if (r.c.stores.empty()) return;
    const IndexId by = main_index(r);
    const UsedIndices used = used_indices(r);
    KernelWriter writer(r.c.space, r.c.expressions, program_.tensors);
    auto kept = ordered_axes(writer, r.c.space, axes_of(r, r.kept), by, used.indices());
    auto reduced = ordered_axes(writer, r.c.space, axes_of(r, r.reduced), by, used.indices());
    const bool kept_lanes = !kept.empty() && vector_is_kept(r, by);
    if (kept_lanes) lanes_last(kept, r.c.space, by);
    const std::int64_t work = product(r.c.space, r.reduced);
    auto side = kept_lanes ? std::nullopt : side_by_side(r, kept, reduced, by);
    if (side) take(*side, r, kept, reduced);
    const NestOptions options{.work = side ? work * side->block : work, .vector = kept_lanes};
    Block body = parallel_nest(writer, kept, options, [&] {
      return reduce(
          writer, r, side,
          [&](const auto& inner) {
            return reduced_nest(writer, reduced, !kept_lanes && !side, by, r.c.space, inner);
          },
          [&] { return write_block(writer, r.c); });
    });
    Draft& draft = add_draft(program_, group_, writer, std::move(body), r.c, true);
    // Nothing may take the place of what other results are still made of.
    UsedIndices read_again(r.c.space, r.c.expressions);
    for (ExprId value : r.values) read_again.add(value);
    std::erase_if(draft.in_place, [&](const auto& pair) {
      return std::ranges::any_of(read_again.expressions(), [&](ExprId id) {
        const Expr& e = r.c.expressions[id];
        return e.kind == ExprKind::load && e.tensor == draft.buffers[pair.first];
      });
    });
  }

  // The outermost reduced axis in parts of a length fixed by the shapes; each part's results go to
  // a partial tensor.
  void write_parts(Reduction& r, std::int64_t wanted) {
    r.c.sums.clear();  // of the results, which the second kernel makes
    const IndexId by = main_index(r);
    UsedIndices used(r.c.space, r.c.expressions);
    for (ExprId value : r.values) used.add(value);
    const NodeId first = reductions_[0];
    used.add(offset(r.c, strides_of(shape(first), program_.layouts[first.index], dtype(first)),
                    r.result_at));
    KernelWriter writer(r.c.space, r.c.expressions, program_.tensors);
    auto kept = ordered_axes(writer, r.c.space, axes_of(r, r.kept), by, used.indices());
    auto reduced = ordered_axes(writer, r.c.space, axes_of(r, r.reduced), by, used.indices());
    const bool kept_lanes = vector_is_kept(r, by);
    auto side = kept_lanes ? std::nullopt : side_by_side(r, kept, reduced, by);
    if (side) take(*side, r, kept, reduced);
    const Axis split = reduced[0];
    const std::int64_t length = (split.extent + wanted - 1) / wanted;
    parts_ = (split.extent + length - 1) / length;
    const std::uint32_t part = r.c.space.add_variable(std::max<std::int64_t>(parts_, 2));
    reduced.erase(reduced.begin());
    kept.insert(kept.begin(), {part, parts_});
    if (kept_lanes) lanes_last(kept, r.c.space, by);
    std::vector<IndexId> at;
    for (std::size_t i = 0; i < reductions_.size(); ++i) {
      const NodeId id = reductions_[i];
      Shape s = shape(id);
      s.insert(s.begin(), parts_);
      AxisOrder order = program_.layouts[id.index];
      for (std::int64_t& axis : order) ++axis;
      order.insert(order.begin(), 0);
      partials_.push_back(new_tensor(program_, id, dtype(id), std::move(s), order));
      at.push_back(part_offset(r.c, i, r.c.space.variable(part), r.result_at));
    }
    const std::int64_t work = product(r.c.space, r.reduced);
    const NestOptions options{.work = side ? work * side->block : work, .vector = kept_lanes};
    Block body = parallel_nest(writer, kept, options, [&] {
      const ValueId base = writer.scale(writer.index(r.c.space.variable(part)), length);
      ValueId extent = writer.constant(length);
      if (split.extent % length != 0)
        extent = writer.minimum(extent, writer.add(writer.scale(base, -1), split.extent));
      const auto loops = [&](const auto& inner) {
        const bool alone = reduced.empty() && !kept_lanes && !side;
        return loop(writer, alone ? kernel::LoopKind::vector : kernel::LoopKind::serial, split,
                    extent, base, [&] {
                      return reduced_nest(writer, reduced, !kept_lanes && !side, by, r.c.space,
                                          inner);
                    });
      };
      return reduce(writer, r, side, loops, [&] {
        Block block;
        for (std::size_t i = 0; i < reductions_.size(); ++i) {
          const ExprId value = r.c.expressions.add({.kind = ExprKind::accumulator,
                                                    .dtype = dtype(reductions_[i]),
                                                    .integer = static_cast<std::int64_t>(i)});
          block.push_back(writer.store(partials_[i], at[i], value));
        }
        return block;
      });
    });
    add_draft(program_, group_, writer, std::move(body), r.c, false);
  }

  // Nothing to reduce: 0, or minus infinity.
  void write_empty() {
    Computation c;
    c.domain = add_variables(c.space, Domain(shape(reductions_[0])));
    Emitter emitter(program_, c.space, c.expressions);
    const auto add = [&](NodeId root, ExprId value) {
      emitter.give(root, c.domain.at, value);
      add_store(program_, c, root, c.domain.at, value);
    };
    for (NodeId id : reductions_)
      add(id, c.expressions.constant(
                  op(id) == Op::reduce_max ? -std::numeric_limits<double>::infinity() : 0.0,
                  dtype(id)));
    for (NodeId root : later_) add(root, emitter.emit_definition(root, c.domain.at));
    add_sums(c, emitter, c.domain.at);
    write_stores(program_, group_, c);
  }

  ProgramDraft& program_;
  const Group& group_;
  std::vector<NodeId> reductions_, later_, sums_;  // sums: over all that a contraction makes
  std::vector<std::uint32_t> partials_;
  std::int64_t parts_ = 1;
};

}  // namespace

void lower_reduction(ProgramDraft& program, const Group& group) {
  Lowerer(program, group).run();
}
void lower_products(ProgramDraft& program, const Group& group) {
  Lowerer(program, group).run();
}

}  // namespace ganc::planning
