#include "compiler/schedule/winograd_kernel.h"

namespace ganc::planning {
namespace {

using kernel::LoopKind;
using kernel::ValueId;

constexpr std::int64_t result_rows = 8;  // rows whose results are transformed back at once

class Writer {
 public:
  Writer(ProgramDraft& program, const Group& group, Product& product, const GradientForm& form)
      : program_(program), group_(group), p_(product), f_(form), t_(form.transform) {
    for (const FilterAxis& axis : f_.axes) {
      points_ *= t_.points();
      outputs_ *= t_.outputs;
      phases_.push_back(axis.phases);
      pieces_.push_back(axis.pieces);
      all_phases_ *= axis.phases;
      all_pieces_ *= axis.pieces;
      tiles_.push_back(blocks(axis.taps, t_.taps));
      all_tiles_ *= tiles_.back();
    }
    tile_blocks_ = blocks(all_tiles_, f_.tile_block);
    row_variable_ = f_.lanes_are_filters ? *f_.sample : *f_.filter;
    lane_variable_ = f_.lanes_are_filters ? *f_.filter : *f_.sample;
    rows_ = f_.lanes_are_filters ? f_.samples : f_.filters;
    lanes_ = f_.lanes_are_filters ? f_.filters : f_.samples;
    rows_at_once_ = divisor_up_to(f_.row_block, result_rows);
  }

  void run() {
    const Side rows = side(true), lanes = side(false);
    const std::uint32_t row_tensor = f_.points_inside ? rows.operand.tensor : write_points(rows),
                        lane_tensor = f_.points_inside ? lanes.operand.tensor : write_points(lanes);
    KernelWriter w(p_.c.space, p_.c.expressions, program_.tensors);
    Nest nest(w);
    const std::uint32_t row_buffer = w.buffer(row_tensor, true, false),
                        lane_buffer = w.buffer(lane_tensor, true, false);
    row_points_ = f_.points_inside ? w.local(DType::f32, points_ * row_plane()) : row_buffer;
    lane_points_ = f_.points_inside ? w.local(DType::f32, points_ * lane_plane()) : lane_buffer;
    sums_ = w.local(DType::f32, points_ * sum_plane());
    results_ = w.local(DType::f32, outputs_ * result_plane());
    const std::vector<std::int64_t> extents = {all_pieces_, all_phases_, rows_ / f_.row_block,
                                               lanes_ / f_.lane_block};
    const std::int64_t units = extents[0] * extents[1] * extents[2] * extents[3];
    w.set_units(units);
    nest.loop(LoopKind::parallel, units, [&](ValueId u) {
      const std::vector<ValueId> part = split(w, u, extents);
      const Unit unit{split(w, part[0], pieces_), split(w, part[1], phases_),
                      w.scale(part[2], f_.row_block), w.scale(part[3], f_.lane_block)};
      if (!at_once()) clear_sums(w, nest);
      nest.loop(LoopKind::serial, tile_blocks_, [&](ValueId tiles) {
        nest.loop(LoopKind::serial, f_.channels / f_.channel_block, [&](ValueId block) {
          const ValueId tile = w.scale(tiles, f_.tile_block),
                        channel = w.scale(block, f_.channel_block);
          if (f_.points_inside) {
            transform_rows(w, nest, unit, row_buffer, tile, channel);
            transform_lanes(w, nest, unit, lane_buffer, tile, channel);
            return multiply(w, nest, w.constant(0), w.constant(0));
          }
          const ValueId term = w.add(w.scale(tile, f_.channels), channel);
          multiply(w, nest, place_of_points(w, rows, part[0], part[1], part[2], term),
                   place_of_points(w, lanes, part[0], part[1], part[3], term));
        });
      });
      finish(w, nest, unit);
    });
    add_products(program_, group_, w, nest.take(), p_);
  }

 private:
  struct Unit {
    std::vector<ValueId> piece, phase;  // by axis
    ValueId row, lane;                  // the first
  };

  std::size_t axes() const { return f_.axes.size(); }
  const Operand& row_operand() const { return f_.lanes_are_filters ? p_.lhs : p_.rhs; }
  const Operand& lane_operand() const { return f_.lanes_are_filters ? p_.rhs : p_.lhs; }

  // A unit's memory: [point][row][term] or, where rows are contiguous, [point][term][row];
  // [point][panel of lanes][term][lane]; [point][row][lane]. A term is a tile and a channel.
  // Points that are made before: [piece and phase][point][block of rows][term][row], the lanes
  // alike.
  std::int64_t row_plane() const {
    return (f_.points_inside ? f_.row_block * f_.terms() : rows_ * all_terms()) + plane_gap;
  }
  std::int64_t lane_plane() const {
    return (f_.points_inside ? f_.lane_block * f_.terms() : lanes_ * all_terms()) + plane_gap;
  }
  bool at_once() const { return f_.terms() == all_terms(); }
  std::int64_t tiles_with_rest() const { return tile_blocks_ * f_.tile_block; }
  std::int64_t all_terms() const { return tiles_with_rest() * f_.channels; }

  // One of the two operands: what of it is contiguous, and its points.
  struct Side {
    bool lhs;
    const Operand& operand;
    std::uint32_t variable;
    std::int64_t extent, block, plane;
    std::int64_t pieces, phases;  // for which its points are not the same
  };
  Side side(bool of_rows) const {
    const bool lhs = of_rows == f_.lanes_are_filters;
    bool by_piece = false, by_phase = false;
    for (const FilterAxis& axis : f_.axes) {
      const FilterAxis::First& first = lhs ? axis.lhs_first : axis.rhs_first;
      by_piece |= first.piece != 0;
      by_phase |= first.phase != 0 || first.quotient != 0 || first.remainder != 0;
    }
    return {lhs,
            of_rows ? row_operand() : lane_operand(),
            of_rows ? row_variable_ : lane_variable_,
            of_rows ? rows_ : lanes_,
            of_rows ? f_.row_block : f_.lane_block,
            of_rows ? row_plane() : lane_plane(),
            by_piece ? all_pieces_ : 1,
            by_phase ? all_phases_ : 1};
  }
  // Where the points of a block begin, from a term on, that are made before.
  ValueId place_of_points(KernelWriter& w, const Side& side, ValueId piece, ValueId phase,
                          ValueId block, ValueId term) const {
    ValueId at = w.scale(w.add(w.scale(block, all_terms()), term), side.block);
    if (side.phases > 1) at = w.add(at, w.scale(phase, points_ * side.plane));
    if (side.pieces > 1) at = w.add(at, w.scale(piece, side.phases * points_ * side.plane));
    return at;
  }

  // The points of all rows, or of all lanes, as a tensor.
  std::uint32_t write_points(const Side& side) {
    const std::uint32_t result =
        new_tensor(program_, side.operand.node, DType::f32,
                   {side.pieces * side.phases * points_ * side.plane}, {0});
    KernelWriter w(p_.c.space, p_.c.expressions, program_.tensors);
    Nest nest(w);
    const std::uint32_t from = w.buffer(side.operand.tensor, true, false),
                        to = w.buffer(result, false, true);
    const std::vector<std::int64_t> extents = {side.pieces, side.phases, tiles_with_rest()};
    const std::int64_t units = extents[0] * extents[1] * extents[2];
    w.set_units(units);
    nest.loop(LoopKind::parallel, units, [&](ValueId u) {
      const std::vector<ValueId> part = split(w, u, extents);
      const Unit unit{split(w, part[0], pieces_), split(w, part[1], phases_), {}, {}};
      nest.loop(LoopKind::serial, f_.channels, [&](ValueId channel) {
        if (f_.channel) w.bind(*f_.channel, channel);
        nest.loop(LoopKind::serial, side.extent / side.block, [&](ValueId block) {
          nest.loop(LoopKind::vector, side.block, [&](ValueId lane) {
            w.bind(side.variable, w.add(w.scale(block, side.block), lane));
            const ValueId term = w.add(w.scale(part[2], f_.channels), channel),
                          first = place_of_points(w, side, part[0], part[1], block, term);
            store_planes(nest, w, to, w.add(first, lane), side.plane,
                         points_of(w, unit, part[2], side.lhs, from, {}));
          });
        });
      });
    });
    add_draft(program_, {GroupKind::elementwise, group_.roots, group_.guards, -1}, w, nest.take(),
              Computation{}, false);
    return result;
  }
  std::int64_t sum_plane() const { return f_.row_block * f_.lane_block + plane_gap; }
  std::int64_t result_plane() const { return rows_at_once_ * f_.lane_block + plane_gap; }

  void clear_sums(KernelWriter& w, Nest& nest) const {
    nest.loop(LoopKind::vector, points_ * sum_plane(),
              [&](ValueId i) { nest.store(sums_, i, w.real(0, DType::f32)); });
  }

  // The points of one tile: of the image where the operand is lhs, else of the taps. Beyond the
  // last tile, in a block of them, all are zeros.
  std::vector<ValueId> points_of(KernelWriter& w, const Unit& unit, ValueId tile, bool of_lhs,
                                 std::uint32_t buffer, ValueId base) const {
    const std::vector<ValueId> tile_of = split(w, tile, tiles_);
    std::vector<AxisRead> reads;
    for (std::size_t i = 0; i < axes(); ++i) {
      const FilterAxis& axis = f_.axes[i];
      const std::int64_t step = t_.taps * (of_lhs ? axis.lhs_step : axis.rhs_step);
      const SpatialAxis& spatial = p_.spatial[i];
      reads.push_back(axis_read(w, of_lhs ? spatial.lhs_position : spatial.rhs_position, axis,
                                of_lhs, {unit.phase[i], w.constant(0), unit.piece[i]},
                                w.scale(tile_of[i], step), (tiles_in_blocks(i) - 1) * step));
    }
    return transformed(w, of_lhs ? t_.input : t_.filter, axes(),
                       load_elements(w, buffer, of_lhs ? p_.lhs.index : p_.rhs.index, base, reads,
                                     of_lhs ? t_.points() : t_.taps));
  }

  // Of an axis, those that the blocks count beyond the last one included: on the first axis that
  // has more than one, as `split` has it.
  std::int64_t tiles_in_blocks(std::size_t axis) const {
    for (std::size_t before = 0; before < axis; ++before)
      if (tiles_[before] > 1) return tiles_[axis];
    return blocks(tiles_with_rest(), all_tiles_ / tiles_[axis]);
  }
  // For each term of a block, with its number.
  void terms(KernelWriter& w, Nest& nest, ValueId first_tile, ValueId first_channel,
             const std::function<void(ValueId term, ValueId tile)>& body) const {
    nest.loop(LoopKind::serial, f_.tile_block, [&](ValueId tile) {
      nest.loop(LoopKind::serial, f_.channel_block, [&](ValueId k) {
        if (f_.channel) w.bind(*f_.channel, w.add(first_channel, k));
        body(w.add(w.scale(tile, f_.channel_block), k), w.add(first_tile, tile));
      });
    });
  }

  void transform_rows(KernelWriter& w, Nest& nest, const Unit& unit, std::uint32_t from,
                      ValueId tile, ValueId channel) const {
    const auto store = [&](ValueId row, ValueId at, ValueId tile_of_row) {
      w.bind(row_variable_, w.add(unit.row, row));
      store_planes(nest, w, row_points_, at, row_plane(),
                   points_of(w, unit, tile_of_row, f_.lanes_are_filters, from, {}));
    };
    if (!f_.rows_by_channel)
      return terms(w, nest, tile, channel, [&](ValueId term, ValueId tile_of_term) {
        nest.loop(LoopKind::vector, f_.row_block, [&](ValueId row) {
          store(row, w.add(w.scale(term, f_.row_block), row), tile_of_term);
        });
      });
    nest.loop(LoopKind::serial, f_.row_block, [&](ValueId row) {
      nest.loop(LoopKind::vector, f_.channel_block, [&](ValueId k) {
        w.bind(*f_.channel, w.add(channel, k));
        store(row, w.add(w.scale(row, f_.channel_block), k), tile);
      });
    });
  }

  void transform_lanes(KernelWriter& w, Nest& nest, const Unit& unit, std::uint32_t from,
                       ValueId first_tile, ValueId channel) const {
    const Tensor& operand = program_.tensors[lane_operand().tensor];
    nest.loop(LoopKind::serial, f_.lane_block / panel_lanes, [&](ValueId panel) {
      terms(w, nest, first_tile, channel, [&](ValueId term, ValueId tile) {
        nest.loop(LoopKind::vector, panel_lanes, [&](ValueId lane) {
          const ValueId first = w.add(unit.lane, w.scale(panel, panel_lanes));
          ValueId base;
          if (operand.panel > 0)
            base = w.scale(w.quotient(first, operand.panel), operand.panel_stride);
          w.bind(lane_variable_, operand.panel > 0 ? lane : w.add(first, lane));
          const std::vector<ValueId> values =
              points_of(w, unit, tile, !f_.lanes_are_filters, from, base);
          const ValueId at =
              w.add(w.scale(w.add(w.scale(panel, f_.terms()), term), panel_lanes), lane);
          store_planes(nest, w, lane_points_, at, lane_plane(), values);
        });
      });
    });
  }

  // For each point [rows x terms] times [terms x lanes], added to the sums. Where the first point's
  // rows and lanes begin.
  void multiply(KernelWriter& w, Nest& nest, ValueId rows, ValueId lanes) const {
    nest.loop(LoopKind::serial, points_, [&](ValueId point) {
      kernel::Contraction c{};
      c.m_variable = w.new_variable();
      c.v_variable = w.new_variable();
      c.m_limit = f_.row_block;
      c.v_limit = f_.lane_block;
      c.m_count = w.constant(c.m_limit);
      c.v_count = w.constant(c.v_limit);
      c.a_buffer = row_points_;
      c.b_buffer = lane_points_;
      c.a_base = w.add(rows, w.scale(point, row_plane()));
      c.b_base = w.add(lanes, w.scale(point, lane_plane()));
      c.a_m_stride = f_.rows_by_channel ? f_.terms() : 1;
      c.axes = {{f_.terms(), f_.rows_by_channel ? 1 : f_.row_block, f_.lane_block}};
      if (f_.points_inside) {
        c.axes[0].b_stride = c.b_panel = panel_lanes;
        c.b_panel_stride = f_.terms() * panel_lanes;
      }
      kernel::Store sum{};
      sum.buffer = sums_;
      sum.index = w.add(
          w.add(w.scale(point, sum_plane()), w.scale(w.variable(c.m_variable), f_.lane_block)),
          w.variable(c.v_variable));
      sum.value = w.value({.kind = kernel::ValueKind::contraction, .dtype = DType::f32});
      if (!at_once()) c.initial = w.load(sums_, sum.index, DType::f32, {});
      c.epilogue.push_back({sum});
      nest.add({std::move(c)});
    });
  }

  // Some rows at once: back from the points, then the results of the group.
  void finish(KernelWriter& w, Nest& nest, const Unit& unit) const {
    nest.loop(LoopKind::serial, f_.row_block / rows_at_once_, [&](ValueId block) {
      const ValueId base = w.scale(block, rows_at_once_);
      rows_and_lanes(nest, [&](ValueId row, ValueId lane) {
        const ValueId from = w.add(w.scale(w.add(base, row), f_.lane_block), lane);
        std::vector<ValueId> values;
        for (std::int64_t point = 0; point < points_; ++point)
          values.push_back(w.load(sums_, w.add(from, point * sum_plane()), DType::f32, {}));
        values = transformed(w, t_.output, axes(), std::move(values));
        const ValueId at = w.add(w.scale(row, f_.lane_block), lane);
        store_planes(nest, w, results_, at, result_plane(), values);
      });
      std::vector<ValueId> output;
      write_results(w, nest, unit, base, output);
    });
  }
  // For each output of a piece that there is.
  void write_results(KernelWriter& w, Nest& nest, const Unit& unit, ValueId base,
                     std::vector<ValueId>& output) const {
    const std::size_t i = output.size();
    const auto first = [&](std::size_t axis) { return w.scale(unit.piece[axis], t_.outputs); };
    if (i < axes())
      return nest.loop(LoopKind::serial,
                       output_count(w, f_.axes[i], unit.phase[i], first(i), t_.outputs),
                       [&](ValueId o) {
                         output.push_back(o);
                         write_results(w, nest, unit, base, output);
                         output.pop_back();
                       });
    rows_and_lanes(nest, [&](ValueId row, ValueId lane) {
      ValueId number;
      for (std::size_t axis = 0; axis < axes(); ++axis) {
        number = w.add(number ? w.scale(number, t_.outputs) : ValueId{}, output[axis]);
        const ValueId o = w.add(first(axis), output[axis]);
        bind_output(w, p_, axis, w.add(w.scale(o, f_.axes[axis].phases), unit.phase[axis]));
      }
      w.bind(row_variable_, w.add(w.add(unit.row, base), row));
      w.bind(lane_variable_, w.add(unit.lane, lane));
      w.give_sum(
          w.load(results_,
                 w.add(w.scale(number, result_plane()), w.add(w.scale(row, f_.lane_block), lane)),
                 DType::f32, {}));
      nest.add(write_block(w, p_.c));
    });
  }
  void rows_and_lanes(Nest& nest, const std::function<void(ValueId, ValueId)>& body) const {
    nest.loop(LoopKind::serial, rows_at_once_, [&](ValueId row) {
      nest.loop(LoopKind::vector, f_.lane_block, [&](ValueId lane) { body(row, lane); });
    });
  }

  ProgramDraft& program_;
  const Group& group_;
  Product& p_;
  const GradientForm& f_;
  const FilterTransform& t_;
  std::vector<std::int64_t> phases_, pieces_, tiles_;  // by axis
  std::int64_t points_ = 1, outputs_ = 1;
  std::int64_t all_phases_ = 1, all_pieces_ = 1, all_tiles_ = 1, tile_blocks_ = 1;
  std::uint32_t row_variable_ = 0, lane_variable_ = 0;
  std::int64_t rows_ = 1, lanes_ = 1, rows_at_once_ = 1;
  std::uint32_t row_points_ = 0, lane_points_ = 0, sums_ = 0, results_ = 0;
};

}  // namespace

void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const GradientForm& form) {
  Writer(program, group, product, form).run();
}

}  // namespace ganc::planning
