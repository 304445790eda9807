#include <algorithm>
#include <utility>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {
namespace {

using kernel::Block;
using kernel::ValueId;

class Writer {
 public:
  Writer(ProgramDraft& program, const Group& group, Product& product, const Tiling& tiling)
      : program_(program),
        group_(group),
        p_(product),
        t_(tiling),
        axes_(paired_axes(product, tiling)),
        writer_(product.c.space, product.c.expressions, program.tensors) {}

  void run() {
    fix_variables();
    make_tables();
    Block body =
        units([&] { return parts([&] { return serial(t_.shared, [&] { return tile(); }); }); });
    Draft& draft = add_draft(program_, group_, writer_, std::move(body), p_.c, true);
    // An operand is read until the last tile: nothing may take its place. Where the parts of a sum
    // lie is written before the epilogue reads anything.
    std::erase_if(draft.in_place, [&](const auto& pair) {
      const std::uint32_t read = draft.buffers[pair.first];
      return read == p_.lhs.tensor || read == p_.rhs.tensor ||
             draft.buffers[pair.second] == sum_tensor_;
    });
  }

 private:
  const Operand& a() const { return t_.lhs_is_vector ? p_.rhs : p_.lhs; }
  const Operand& b() const { return t_.lhs_is_vector ? p_.lhs : p_.rhs; }
  // In panels of rows where it has panels.
  const Tensor& scalars() const { return program_.tensors[a().tensor]; }
  const IndexSpace& space() const { return p_.c.space; }

  // Axes on which pairs of positions meet: those that are reduced outside have one output, each of
  // whose positions meets itself.
  static std::vector<SpatialAxis> paired_axes(Product& product, const Tiling& tiling) {
    std::vector<SpatialAxis> axes;
    for (std::uint32_t v : tiling.reduced_outside) {
      SpatialAxis axis;
      axis.lhs_extent = axis.rhs_extent = product.c.space.extent(v);
      axis.lhs_position = axis.rhs_position = v;
      axis.output = product.c.space.constant(0);
      axes.push_back(axis);
    }
    axes.insert(axes.end(), product.spatial.begin(), product.spatial.end());
    return axes;
  }

  // Bases are where all that loops inside the contraction is 0.
  void fix_variables() {
    for (std::uint32_t v : p_.reduced) writer_.bind(v, {});
    for (const SpatialAxis& s : p_.spatial)
      writer_.bind(s.lhs_position, {}), writer_.bind(s.rhs_position, {});
    // Axes of length 1 are in no list; their index is the constant 0.
    writer_.bind(t_.v, {});
    if (t_.m) writer_.bind(*t_.m, {});
  }

  void make_tables() {
    for (const SpatialAxis& s : axes_) {
      kernel::TapTable table{meeting_positions(s)};
      if (t_.lhs_is_vector)
        for (auto& row : table.rows)
          for (auto& [x, k] : row) std::swap(x, k);
      parts_of_.push_back(t_.part_pairs.empty() ? 1
                                                : cut_rows(table, t_.part_pairs[tables_.size()]));
      parts_ *= parts_of_.back();
      tables_.push_back(writer_.new_table(std::move(table)));
    }
  }

  // Each row as several of at most `most` pairs. How many.
  static std::int64_t cut_rows(kernel::TapTable& table, std::int64_t most) {
    std::size_t longest = 0;
    for (const auto& row : table.rows) longest = std::max(longest, row.size());
    const auto length = static_cast<std::size_t>(most);
    const std::size_t parts = (longest + length - 1) / length;
    if (parts <= 1) return 1;
    kernel::TapTable cut;
    for (const auto& row : table.rows)
      for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t from = std::min(part * length, row.size()),
                          to = std::min(from + length, row.size());
        cut.rows.emplace_back(row.begin() + static_cast<std::ptrdiff_t>(from),
                              row.begin() + static_cast<std::ptrdiff_t>(to));
      }
    table = std::move(cut);
    return static_cast<std::int64_t>(parts);
  }

  // Where the sum lies between its parts.
  void place_sum() {
    const NodeId root = group_.roots[0];
    const Node& node = program_.graph[root];
    sum_tensor_ = program_.stored[root.index]
                      ? tensor_for(program_, root)
                      : new_tensor(program_, root, node.type.dtype, node.type.shape,
                                   program_.layouts[root.index]);
    Emitter emitter(program_, p_.c.space, p_.c.expressions);
    const auto& at = p_.c.domain.at;
    sum_index_ = emitter.offset(
        program_.tensors[sum_tensor_],
        {at.begin(), at.begin() + static_cast<std::ptrdiff_t>(node.type.shape.size())});
    sum_ = p_.c.expressions.add({.kind = ExprKind::contraction, .dtype = node.type.dtype});
    loaded_ = p_.c.expressions.add({.kind = ExprKind::load,
                                    .dtype = node.type.dtype,
                                    .tensor = sum_tensor_,
                                    .index = sum_index_});
  }

  // One parallel loop over the shared outer axes and blocks.
  Block units(const std::function<Block()>& body) {
    const std::int64_t m_blocks = blocks(t_.m_extent, t_.m_block),
                       v_blocks = blocks(t_.v_extent, t_.v_block);
    const auto in_units = [&](std::size_t i) {
      return i + 1 == t_.shared ? blocks(t_.outer[i].extent, t_.shared_block) : t_.outer[i].extent;
    };
    std::int64_t count = t_.blocks_shared ? m_blocks * v_blocks : 1;
    for (std::size_t i = 0; i < t_.shared; ++i) count *= in_units(i);
    if (count == 1) return body();
    const kernel::VarId u = writer_.new_variable();
    ValueId rest = writer_.variable(u);
    const auto take = [&](std::int64_t extent, bool last) {
      const ValueId part = last ? rest : writer_.remainder(rest, extent);
      if (!last) rest = writer_.quotient(rest, extent);
      return part;
    };
    if (t_.blocks_shared) {
      if (v_blocks > 1)
        v_base_ = writer_.scale(take(v_blocks, m_blocks == 1 && t_.shared == 0), t_.v_block);
      if (m_blocks > 1) m_block_ = take(m_blocks, t_.shared == 0);
    }
    for (std::size_t i = t_.shared; i-- > 0;) {
      const ValueId part = take(in_units(i), i == 0);
      if (i + 1 == t_.shared && t_.shared_block > 1)
        block_base_ = writer_.scale(part, t_.shared_block);
      else
        writer_.bind(t_.outer[i].variable, part);
    }
    writer_.set_units(count);
    kernel::Loop loop{kernel::LoopKind::parallel, u, writer_.constant(count), body()};
    Block block;
    block.push_back({std::move(loop)});
    return block;
  }

  // The other blocks of m, then the other outer axes: the operand of a panel stays in cache.
  Block serial(std::size_t from, const std::function<Block()>& body) {
    const std::int64_t m_blocks = blocks(t_.m_extent, t_.m_block);
    if (!t_.blocks_shared && m_blocks > 1 && !m_block_) {
      const kernel::VarId v = writer_.new_variable();
      m_block_ = writer_.variable(v);
      kernel::Loop loop{kernel::LoopKind::serial, v, writer_.constant(m_blocks),
                        serial(from, body)};
      m_block_ = {};
      Block block;
      block.push_back({std::move(loop)});
      return block;
    }
    if (from == t_.shared && block_base_) {
      const Axis& axis = t_.outer[t_.shared - 1];
      const ValueId base = std::exchange(block_base_, {});
      Block block =
          loop(writer_, kernel::LoopKind::serial, axis, count(base, axis.extent, t_.shared_block),
               base, [&] { return serial(from, body); });
      block_base_ = base;
      return block;
    }
    if (from == t_.outer.size()) return body();
    return loop(writer_, kernel::LoopKind::serial, t_.outer[from],
                writer_.constant(t_.outer[from].extent), {},
                [&] { return serial(from + 1, body); });
  }

  static std::int64_t blocks(std::int64_t extent, std::int64_t block) {
    return (extent + block - 1) / block;
  }

  ValueId count(ValueId base, std::int64_t extent, std::int64_t block) {
    if (!base || extent % block == 0) return writer_.constant(block);
    return writer_.minimum(writer_.constant(block), writer_.add(writer_.scale(base, -1), extent));
  }

  // Which rows a statement computes, and how the operand and the result see row 0.
  struct Rows {
    ValueId count;
    std::int64_t limit = 1;
    ValueId base;                         // of m; of a position
    std::int64_t step = 1;                // of m, a row
    std::int64_t a_step = 0, b_step = 0;  // of the operands, a row
    bool position = false;                // base is the position whose taps are read
    ValueId panel_base = {};              // of the scalar operand's panel
  };

  Block tile() {
    if (!t_.row_axis) {
      const auto step = [&](const Operand& operand) {
        return t_.m ? space().coefficient(operand.index, *t_.m) : 0;
      };
      if (scalars().panel > 0) return panels();
      const ValueId base = m_block_ ? writer_.scale(m_block_, t_.m_block) : ValueId{};
      return sums(
          {count(base, t_.m_extent, t_.m_block), t_.m_block, base, 1, step(a()), step(b()), false});
    }
    const std::uint32_t position = p_.spatial[*t_.row_axis].lhs_position;
    const std::int64_t stride = space().coefficient(p_.lhs.index, position);
    Block block;
    for (const RowRange& range : t_.rows) {
      if (!range.alone) {
        append(block,
               sums({writer_.constant(range.count), range.count, writer_.constant(range.first),
                     range.step, t_.lhs_is_vector ? 0 : range.lhs_step * stride,
                     t_.lhs_is_vector ? range.lhs_step * stride : 0, true}));
        continue;
      }
      const kernel::VarId v = writer_.new_variable();
      const ValueId at = writer_.add(writer_.scale(writer_.variable(v), range.step), range.first);
      kernel::Loop loop{kernel::LoopKind::serial, v, writer_.constant(range.count),
                        sums({writer_.constant(1), 1, at, 1, 0, 0, true})};
      block.push_back({std::move(loop)});
    }
    return block;
  }

  // The panels of a block of rows, one after the other; of the last one as many rows as there are.
  Block panels() {
    const std::int64_t panel = scalars().panel, in_block = t_.m_block / panel,
                       rest = t_.m_extent % panel;
    const bool all = t_.m_block >= t_.m_extent;
    const std::int64_t full = all ? t_.m_extent / panel : in_block;
    const ValueId first = m_block_ ? writer_.scale(m_block_, in_block) : ValueId{};
    const auto rows = [&](ValueId number, ValueId count, std::int64_t limit) {
      const ValueId base = writer_.scale(number, panel);
      if (!count) count = this->count(base, t_.m_extent, panel);
      return sums(
          {count, limit, base, 1, 1, 0, false, writer_.scale(number, scalars().panel_stride)});
    };
    const ValueId whole = all ? writer_.constant(panel) : ValueId{};
    Block block;
    if (full == 1) {
      block = rows(first ? first : writer_.constant(0), whole, panel);
    } else if (full > 1) {
      const kernel::VarId v = writer_.new_variable();
      kernel::Loop loop{kernel::LoopKind::serial, v,
                        count(first, (t_.m_extent + panel - 1) / panel, full),
                        rows(writer_.add(first, writer_.variable(v)), whole, panel)};
      block.push_back({std::move(loop)});
    }
    if (all && rest > 0) append(block, rows(writer_.constant(full), writer_.constant(rest), rest));
    return block;
  }

  static void append(Block& block, Block more) {
    for (kernel::Statement& s : more) block.push_back(std::move(s));
  }

  // All sums of a unit, in parts where they are long.
  Block parts(const std::function<Block()>& sums) {
    if (parts_ <= 1) return sums();
    place_sum();
    const auto of = [&](ValueId index, bool adds, bool last) {
      part_ = {index, adds, last};
      return sums();
    };
    Block block = of(writer_.constant(0), false, false);
    const bool plain =
        p_.c.stores.size() == 1 && p_.c.stores[0].tensor == sum_tensor_ && p_.c.sums.empty();
    const std::int64_t looped = plain ? parts_ - 1 : parts_ - 2;
    if (looped > 0) {
      const kernel::VarId v = writer_.new_variable();
      kernel::Loop loop{kernel::LoopKind::serial, v, writer_.constant(looped),
                        of(writer_.add(writer_.variable(v), 1), true, false)};
      block.push_back({std::move(loop)});
    }
    if (!plain) append(block, of(writer_.constant(parts_ - 1), true, true));
    return block;
  }

  // The sums of some rows and what is made of them, or the part of them that is being written.
  Block sums(const Rows& rows) {
    kernel::Contraction c{};
    c.m_variable = writer_.new_variable();
    c.v_variable = writer_.new_variable();
    c.m_count = rows.count;
    c.m_limit = rows.limit;
    c.v_count = count(v_base_, t_.v_extent, t_.v_block);
    c.v_limit = t_.v_block;
    if (t_.m) writer_.bind(*t_.m, scalars().panel > 0 ? ValueId{} : rows.base);
    const Tensor& vectors = program_.tensors[b().tensor];
    writer_.bind(t_.v, vectors.panel > 0 ? ValueId{} : v_base_);
    c.a_base = writer_.add(writer_.index(a().index), rows.panel_base);
    c.b_base = writer_.index(b().index);
    if (vectors.panel > 0) {
      c.b_panel = vectors.panel;
      c.b_panel_stride = vectors.panel_stride;
      if (v_base_)  // whole panels
        c.b_base =
            writer_.add(c.b_base, writer_.scale(v_base_, vectors.panel_stride / vectors.panel));
    }
    c.a_buffer = writer_.buffer(a().tensor, true, false);
    c.b_buffer = writer_.buffer(b().tensor, true, false);
    c.a_m_stride = rows.a_step;
    c.b_m_stride = rows.b_step;
    c.a_v_stride = space().coefficient(a().index, t_.v);
    if (t_.dot) c.b_v_stride = space().coefficient(b().index, t_.v);
    c.dot = t_.dot;
    // Rows that read vectors of their own: what follows in memory, tile by tile.
    c.m_outer = c.b_m_stride != 0 && c.a_v_stride == 0 && !t_.dot;
    c.taps = taps(rows);
    if (p_.parts > 1) c.taps.push_back(products_of_parts());
    c.axes = reduce_axes();
    c.tiles = p_.tiles;
    if (t_.m)
      writer_.bind(
          *t_.m, writer_.add(rows.base, writer_.scale(writer_.variable(c.m_variable), rows.step)));
    writer_.bind(t_.v, writer_.add(v_base_, writer_.variable(c.v_variable)));
    if (part_.adds) c.initial = writer_.expression(loaded_);
    if (part_.last)
      c.epilogue = write_block(writer_, p_.c);
    else
      c.epilogue.push_back(writer_.store(sum_tensor_, sum_index_, sum_));
    Block block;
    block.push_back({std::move(c)});
    return block;
  }

  std::vector<kernel::TapAxis> taps(const Rows& rows) {
    std::vector<kernel::TapAxis> result(axes_.size());
    ValueId part = part_.index;
    for (std::size_t i = axes_.size(); i-- > 0;) {
      const SpatialAxis& s = axes_[i];
      const std::uint32_t ap = t_.lhs_is_vector ? s.rhs_position : s.lhs_position;
      const std::uint32_t bp = t_.lhs_is_vector ? s.lhs_position : s.rhs_position;
      const bool rows_here = rows.position && i == t_.reduced_outside.size() + *t_.row_axis;
      ValueId row = rows_here ? rows.base : writer_.index(s.output);
      if (part && parts_of_[i] > 1) {
        row = writer_.add(writer_.scale(row, parts_of_[i]), writer_.remainder(part, parts_of_[i]));
        part = writer_.quotient(part, parts_of_[i]);
      }
      result[i] = {tables_[i], row, space().coefficient(a().index, ap),
                   space().coefficient(b().index, bp)};
    }
    return result;
  }

  // Of numbers in two parts: which parts meet.
  kernel::TapAxis products_of_parts() {
    if (parts_table_ == UINT32_MAX) parts_table_ = writer_.new_table({{{{0, 1}, {0, 0}, {1, 0}}}});
    return {parts_table_, writer_.constant(0), program_.tensors[a().tensor].strides.back(),
            program_.tensors[b().tensor].strides.back()};
  }

  // Neighbours that both operands walk through as one are one.
  std::vector<kernel::ReduceAxis> reduce_axes() const {
    std::vector<kernel::ReduceAxis> axes;
    for (std::uint32_t v : t_.reduced) {
      const kernel::ReduceAxis axis{space().extent(v), space().coefficient(a().index, v),
                                    space().coefficient(b().index, v)};
      if (!axes.empty() && axes.back().a_stride == axis.extent * axis.a_stride &&
          axes.back().b_stride == axis.extent * axis.b_stride)
        axes.back() = {axes.back().extent * axis.extent, axis.a_stride, axis.b_stride};
      else
        axes.push_back(axis);
    }
    return axes;
  }

  ProgramDraft& program_;
  const Group& group_;
  Product& p_;
  const Tiling& t_;
  const std::vector<SpatialAxis> axes_;
  KernelWriter writer_;
  std::vector<std::uint32_t> tables_;
  std::uint32_t parts_table_ = UINT32_MAX;
  ValueId m_block_;  // which block of rows
  ValueId v_base_;
  ValueId block_base_;                  // of the last shared axis, until its loop is written
  std::vector<std::int64_t> parts_of_;  // by axis
  std::int64_t parts_ = 1;
  // Which part is being written (all of the sum where there are no parts): added to what is there
  // if `adds`; what is made of the sums is stored if `last`, else the sums are.
  struct Part {
    ValueId index;
    bool adds = false, last = true;
  } part_;
  std::uint32_t sum_tensor_ = no_tensor;
  IndexId sum_index_;
  ExprId sum_, loaded_;
};

}  // namespace

void write_contraction(ProgramDraft& program, const Group& group, Product& product,
                       const Tiling& tiling) {
  Writer(program, group, product, tiling).run();
}

}  // namespace ganc::planning
