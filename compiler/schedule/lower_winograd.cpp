#include <algorithm>

#include "compiler/schedule/winograd_filters.h"

namespace ganc::planning {
namespace {

using kernel::Block;
using kernel::LoopKind;
using kernel::ValueId;

constexpr std::int64_t result_rows = 8;  // filters whose results are transformed back at once

class Writer {
 public:
  Writer(ProgramDraft& program, const Group& group, Product& product, const ImageForm& form)
      : program_(program),
        group_(group),
        p_(product),
        f_(form),
        t_(form.transform),
        n_(form),
        filters_(product, f_, n_) {
    for (const FilterAxis& axis : f_.axes) tiles_.push_back(blocks(axis.outputs, t_.outputs));
    slices_ = form.slices();
    planes_ = n_.points / slices_;
    lanes_ = f_.lanes();
    rows_ = f_.lanes_are_samples ? divisor_up_to(f_.filter_part, result_rows) : f_.filter_part;
    panels_ = f_.lanes_are_samples && f_.sample_block % panel_lanes == 0 &&
              f_.samples % f_.sample_block == 0;
  }

  void run() {
    const std::uint32_t filters =
        f_.filters_inside ? p_.rhs.tensor : filters_.tensor(program_, group_);
    KernelWriter w(space(), p_.c.expressions, program_.tensors);
    Nest nest(w);
    write(w, nest, filters);
    add_products(program_, group_, w, nest.take(), p_);
  }

 private:
  std::size_t axes() const { return f_.axes.size(); }
  const IndexSpace& space() const { return p_.c.space; }

  // One phase, a part of the filters, a block of samples, a block of tiles.
  struct Unit {
    std::vector<ValueId> phase;          // by axis
    std::vector<ValueId> tile;           // by axis, the first of the block
    ValueId all_phases, filter, sample;  // filter, sample: the first
    std::vector<ValueId> tile_counts;    // by axis
    ValueId sample_count;
  };
  // Of the block of a unit, by axis.
  using Tile = std::vector<ValueId>;
  // A tile and a sample of a unit; the sample is in a panel of lanes where there are panels.
  struct Lane {
    Tile tile;
    ValueId panel, in_panel;
  };
  using RowBody = std::function<void(ValueId row, const Lane& lane)>;

  // A unit's memory.
  struct Local {
    std::uint32_t tiles, products;  // of a slice, by point
    std::uint32_t filters;          // transformed, by point: those of the unit, or the tensor
    std::uint32_t halves;           // of slices: results along the last axis, by slice and output
    std::uint32_t results;          // of some filters, or of one tile, by outputs
  };
  // Between those of two points or outputs, with a gap.
  std::int64_t tile_plane() const { return f_.term_part * lanes_ + plane_gap; }
  std::int64_t product_plane() const { return f_.filter_part * lanes_ + plane_gap; }
  std::int64_t result_plane() const {
    return rows_ * (f_.lanes_are_samples ? lanes_ : 1) + plane_gap;
  }

  void write(KernelWriter& w, Nest& nest, std::uint32_t filter_tensor) const {
    const std::uint32_t image = w.buffer(p_.lhs.tensor, true, false),
                        filters = w.buffer(filter_tensor, true, false);
    Local local;
    local.filters = f_.filters_inside ? w.local(DType::f32, n_.points * filters_.plane()) : filters;
    local.tiles = w.local(DType::f32, planes_ * tile_plane());
    local.products = w.local(DType::f32, planes_ * product_plane());
    local.halves =
        f_.sliced ? w.local(DType::f32, slices_ * t_.outputs * product_plane()) : local.products;
    local.results = w.local(DType::f32, n_.outputs * result_plane());
    std::vector<std::int64_t> extents = {n_.all_phases, f_.filters / f_.filter_part,
                                         blocks(f_.samples, f_.sample_block)};
    for (std::size_t i = 0; i < axes(); ++i)
      extents.push_back(blocks(tiles_[i], f_.tile_blocks[i]));
    std::int64_t units = 1;
    for (std::int64_t extent : extents) units *= extent;
    w.set_units(units);
    nest.loop(LoopKind::parallel, units, [&](ValueId u) {
      const Unit unit = unit_of(w, split(w, u, extents));
      nest.loop(LoopKind::serial, slices_, [&](ValueId slice) {
        nest.loop(LoopKind::serial, n_.terms / f_.term_part, [&](ValueId part) {
          transform_image(w, nest, unit, slice, part, image, local);
          if (f_.filters_inside)
            filters_.write_part(w, nest, unit.phase, unit.filter, part, filters, local.filters);
          multiply(w, nest, unit, slice, part, local);
        });
        if (f_.sliced) transform_back(w, nest, unit, slice, local);
      });
      finish(w, nest, unit, local);
    });
  }

  Unit unit_of(KernelWriter& w, const std::vector<ValueId>& parts) const {
    Unit unit;
    unit.all_phases = parts[0];
    unit.phase = split(w, parts[0], n_.phases);
    unit.filter = w.scale(parts[1], f_.filter_part);
    unit.sample = w.scale(parts[2], f_.sample_block);
    for (std::size_t i = 0; i < axes(); ++i) {
      const std::int64_t block = f_.tile_blocks[i];
      unit.tile.push_back(w.scale(parts[3 + i], block));
      unit.tile_counts.push_back(count_in_block(w, unit.tile[i], tiles_[i], block));
    }
    unit.sample_count = count_in_block(w, unit.sample, f_.samples, f_.sample_block);
    return unit;
  }
  ValueId tile(KernelWriter& w, const Unit& unit, std::size_t axis, const Tile& in_block) const {
    return w.add(unit.tile[axis], in_block[axis]);
  }
  ValueId number_of(KernelWriter& w, const Tile& tile) const {
    ValueId number;
    for (std::size_t i = 0; i < axes(); ++i)
      number = w.add(number ? w.scale(number, f_.tile_blocks[i]) : ValueId{}, tile[i]);
    return number;
  }
  ValueId sample(KernelWriter& w, const Lane& lane) const {
    return lane.panel ? w.add(w.scale(lane.panel, panel_lanes), lane.in_panel) : lane.in_panel;
  }

  // Rows (terms or filters), then lanes (tiles and samples); with channels as lanes the other way
  // round.
  ValueId place(KernelWriter& w, ValueId row, std::int64_t rows, const Lane& lane) const {
    const ValueId at = w.add(w.scale(number_of(w, lane.tile), f_.sample_block), sample(w, lane));
    if (f_.lanes_are_samples) return w.add(w.scale(row, lanes_), at);
    return w.add(w.scale(at, rows), row);
  }
  ValueId place_in_panel(KernelWriter& w, ValueId row, std::int64_t rows, const Lane& lane) const {
    if (!panels_) return place(w, row, rows, lane);
    const ValueId panel =
        w.add(w.scale(number_of(w, lane.tile), f_.sample_block / panel_lanes), lane.panel);
    return w.add(w.scale(w.add(w.scale(panel, rows), row), panel_lanes), lane.in_panel);
  }

  // Loops over rows and samples of a tile with the right ones as lanes.
  void rows_and_samples(Nest& nest, KernelWriter& w, const Unit& unit, std::int64_t rows,
                        const Tile& tile, const RowBody& body) const {
    if (!f_.lanes_are_samples)
      return nest.loop(LoopKind::vector, rows,
                       [&](ValueId row) { body(row, {tile, {}, w.constant(0)}); });
    if (!panels_)
      return nest.loop(LoopKind::serial, rows, [&](ValueId row) {
        nest.loop(LoopKind::vector, unit.sample_count,
                  [&](ValueId lane) { body(row, {tile, {}, lane}); });
      });
    nest.loop(LoopKind::serial, rows, [&](ValueId row) {
      nest.loop(LoopKind::serial, f_.sample_block / panel_lanes, [&](ValueId panel) {
        nest.loop(LoopKind::vector, panel_lanes,
                  [&](ValueId lane) { body(row, {tile, panel, lane}); });
      });
    });
  }
  void rows_and_lanes(Nest& nest, KernelWriter& w, const Unit& unit, std::int64_t rows,
                      const RowBody& body) const {
    each_tile(nest, w, unit, {},
              [&](const Tile& tile) { rows_and_samples(nest, w, unit, rows, tile, body); });
  }
  void each_tile(Nest& nest, KernelWriter& w, const Unit& unit, const Tile& begun,
                 const std::function<void(const Tile&)>& body) const {
    const std::size_t i = begun.size();
    if (i == axes()) return body(begun);
    const auto further = [&](ValueId next) {
      Tile tile = begun;
      tile.push_back(next);
      each_tile(nest, w, unit, tile, body);
    };
    if (f_.tile_blocks[i] == 1) return further(w.constant(0));
    nest.loop(LoopKind::serial, unit.tile_counts[i], further);
  }

  // Of slices along the first axis the slice's point alone.
  std::vector<ValueId> transformed_tile(KernelWriter& w, ValueId slice,
                                        std::vector<ValueId> elements) const {
    if (!f_.sliced) return transformed(w, t_.input, axes(), std::move(elements));
    return transformed(w, t_.input, 1, row_of_transform(w, t_.input, slice, elements));
  }

  // The tiles of a part of the terms: all of some subfilters, or some channels of one.
  void transform_image(KernelWriter& w, Nest& nest, const Unit& unit, ValueId slice, ValueId part,
                       std::uint32_t image, const Local& local) const {
    const auto [first_sub, first_channel] = filters_.first_of_part(w, part);
    nest.loop(LoopKind::serial, n_.sub_part, [&](ValueId sub_in_part) {
      const ValueId sub = w.add(first_sub, sub_in_part);
      rows_and_lanes(nest, w, unit, n_.channel_part, [&](ValueId channel, const Lane& lane) {
        w.bind(*f_.channel, w.add(first_channel, channel));
        if (f_.sample) w.bind(*f_.sample, w.add(unit.sample, sample(w, lane)));
        const std::vector<ValueId> sub_of = split(w, sub, n_.subs);
        std::vector<AxisRead> reads;
        for (std::size_t i = 0; i < axes(); ++i) {
          const std::int64_t step = t_.outputs * f_.axes[i].lhs_step;
          reads.push_back(axis_read(w, p_.spatial[i].lhs_position, f_.axes[i], true,
                                    part_of(w, f_.axes[i], unit.phase[i], sub_of[i]),
                                    w.scale(tile(w, unit, i, lane.tile), step),
                                    (tiles_[i] - 1) * step));
        }
        const std::vector<ValueId> values = transformed_tile(
            w, slice, load_elements(w, image, p_.lhs.index, {}, reads, t_.points()));
        const ValueId at = place_in_panel(w, w.add(w.scale(sub_in_part, n_.channel_part), channel),
                                          f_.term_part, lane);
        store_planes(nest, w, local.tiles, at, tile_plane(), values);
      });
    });
  }

  // For each point of a slice [filters x terms] times [terms x lanes], of a part of the terms;
  // added to what the parts before it made.
  void multiply(KernelWriter& w, Nest& nest, const Unit& unit, ValueId slice, ValueId part,
                const Local& local) const {
    nest.loop(LoopKind::serial, planes_, [&](ValueId point) {
      filters_.each_block(w, nest, [&](ValueId first, std::int64_t block) {
        ValueId base;
        if (f_.filters_inside) {
          base = w.add(w.scale(point, filters_.plane()), w.scale(first, f_.term_part));
        } else {
          const ValueId plane =
              w.add(w.scale(w.add(w.scale(unit.all_phases, slices_), slice), planes_), point);
          base = w.add(
              w.add(w.scale(plane, filters_.plane()), w.scale(part, f_.term_part * f_.filters)),
              w.scale(w.add(unit.filter, first), f_.term_part));
        }
        nest.add({multiply(w, {point, first, part, base, block}, local)});
      });
    });
  }
  std::int64_t tile_term_stride() const {
    if (!f_.lanes_are_samples) return 1;
    return panels_ ? panel_lanes : lanes_;
  }

  struct Factors {
    ValueId point, filter, part, filter_base;  // filter: the first of a block in its part
    std::int64_t block;
  };
  kernel::Contraction multiply(KernelWriter& w, const Factors& at, const Local& local) const {
    const bool samples = f_.lanes_are_samples;
    const ValueId tile_base = w.scale(at.point, tile_plane());
    kernel::Contraction c{};
    c.m_variable = w.new_variable();
    c.v_variable = w.new_variable();
    c.m_limit = samples ? at.block : lanes_;
    c.v_limit = samples ? lanes_ : at.block;
    c.m_count = w.constant(c.m_limit);
    c.v_count = w.constant(c.v_limit);
    c.a_buffer = samples ? local.filters : local.tiles;
    c.b_buffer = samples ? local.tiles : local.filters;
    c.a_base = samples ? at.filter_base : tile_base;
    c.b_base = samples ? tile_base : at.filter_base;
    c.a_m_stride = samples ? filters_.filter_stride() : f_.term_part;
    if (panels_) c.b_panel = panel_lanes, c.b_panel_stride = f_.term_part * panel_lanes;
    if (!f_.filters_inside) (samples ? c.a_ahead : c.b_ahead) = f_.term_part * at.block;
    const std::int64_t filter_terms = filters_.term_stride(at.block);
    c.axes = {samples ? kernel::ReduceAxis{f_.term_part, filter_terms, tile_term_stride()}
                      : kernel::ReduceAxis{f_.term_part, tile_term_stride(), filter_terms}};
    const ValueId m = w.variable(c.m_variable), v = w.variable(c.v_variable);
    const ValueId filter = w.add(at.filter, samples ? m : v), lane = samples ? v : m;
    const ValueId place = samples ? w.add(w.scale(filter, lanes_), lane)
                                  : w.add(w.scale(lane, f_.filter_part), filter);
    kernel::Store sum{};
    sum.buffer = local.products;
    sum.index = w.add(w.scale(at.point, product_plane()), place);
    sum.value = w.value({.kind = kernel::ValueKind::contraction, .dtype = DType::f32});
    if (n_.terms > f_.term_part) {
      const ValueId before = w.value({.kind = kernel::ValueKind::index_compare,
                                      .dtype = DType::pred,
                                      .operands = {at.part, w.constant(0)},
                                      .comparison = Comparison::greater});
      c.initial = w.load(local.products, sum.index, DType::f32, before);
    }
    c.epilogue.push_back({sum});
    return c;
  }

  // From a slice's points to outputs along the last axis.
  void transform_back(KernelWriter& w, Nest& nest, const Unit& unit, ValueId slice,
                      const Local& local) const {
    rows_and_lanes(nest, w, unit, f_.filter_part, [&](ValueId row, const Lane& lane) {
      const ValueId at = place(w, row, f_.filter_part, lane);
      std::vector<ValueId> values;
      for (std::int64_t point = 0; point < t_.points(); ++point)
        values.push_back(
            w.load(local.products, w.add(at, point * product_plane()), DType::f32, {}));
      values = transformed(w, t_.output, 1, std::move(values));
      const ValueId to = w.add(w.scale(slice, t_.outputs * product_plane()), at);
      store_planes(nest, w, local.halves, to, product_plane(), values);
    });
  }

  // Some filters at once: from points, or halves of slices, to outputs, then the results of the
  // group. Where filters are lanes, all of one tile at once.
  void finish(KernelWriter& w, Nest& nest, const Unit& unit, const Local& local) const {
    if (!f_.lanes_are_samples)
      return each_tile(nest, w, unit, {}, [&](const Tile& tile) {
        rows_and_samples(nest, w, unit, rows_, tile, [&](ValueId row, const Lane& lane) {
          finish_lane(w, nest, w.constant(0), row, lane, local);
        });
        std::vector<ValueId> output;
        write_results(w, nest, unit, w.constant(0), local, tile, output);
      });
    nest.loop(LoopKind::serial, f_.filter_part / rows_, [&](ValueId block) {
      const ValueId base = w.scale(block, rows_);
      rows_and_lanes(nest, w, unit, rows_, [&](ValueId row, const Lane& lane) {
        finish_lane(w, nest, base, row, lane, local);
      });
      each_tile(nest, w, unit, {}, [&](const Tile& tile) {
        std::vector<ValueId> output;
        write_results(w, nest, unit, base, local, tile, output);
      });
    });
  }
  void finish_lane(KernelWriter& w, Nest& nest, ValueId base, ValueId row, const Lane& lane,
                   const Local& local) const {
    const ValueId from = place(w, w.add(base, row), f_.filter_part, lane);
    std::vector<ValueId> values;
    for (std::int64_t n = 0; n < (f_.sliced ? slices_ * t_.outputs : n_.points); ++n)
      values.push_back(w.load(local.halves, w.add(from, n * product_plane()), DType::f32, {}));
    values = f_.sliced ? transformed_first(w, t_.output, values)
                       : transformed(w, t_.output, axes(), std::move(values));
    const ValueId at = result_place(w, row, lane);
    store_planes(nest, w, local.results, at, result_plane(), values);
  }
  ValueId result_place(KernelWriter& w, ValueId row, const Lane& lane) const {
    return f_.lanes_are_samples ? place(w, row, rows_, lane) : row;
  }

  // For each output of a tile that lies in the image.
  void write_results(KernelWriter& w, Nest& nest, const Unit& unit, ValueId base,
                     const Local& local, const Tile& in_block, std::vector<ValueId>& output) const {
    const std::size_t i = output.size();
    if (i < axes()) {
      const ValueId first = w.scale(tile(w, unit, i, in_block), t_.outputs);
      return nest.loop(LoopKind::serial,
                       output_count(w, f_.axes[i], unit.phase[i], first, t_.outputs),
                       [&](ValueId o) {
                         output.push_back(o);
                         write_results(w, nest, unit, base, local, in_block, output);
                         output.pop_back();
                       });
    }
    rows_and_samples(nest, w, unit, rows_, in_block, [&](ValueId row, const Lane& lane) {
      ValueId number;
      for (std::size_t axis = 0; axis < axes(); ++axis) {
        number = w.add(number ? w.scale(number, t_.outputs) : ValueId{}, output[axis]);
        const ValueId o = w.add(w.scale(tile(w, unit, axis, in_block), t_.outputs), output[axis]);
        bind_output(w, p_, axis, w.add(w.scale(o, f_.axes[axis].phases), unit.phase[axis]));
      }
      w.bind(*f_.filter, w.add(w.add(unit.filter, base), row));
      if (f_.sample) w.bind(*f_.sample, w.add(unit.sample, sample(w, lane)));
      w.give_sum(w.load(local.results,
                        w.add(w.scale(number, result_plane()), result_place(w, row, lane)),
                        DType::f32, {}));
      nest.add(write_block(w, p_.c));
    });
  }

  ProgramDraft& program_;
  const Group& group_;
  Product& p_;
  const ImageForm& f_;
  const FilterTransform& t_;
  const ImageParts n_;
  const FilterPoints filters_;
  std::vector<std::int64_t> tiles_;       // by axis
  std::int64_t slices_ = 1, planes_ = 1;  // planes: points of a slice
  std::int64_t lanes_ = 1;                // tiles and samples of a unit
  std::int64_t rows_ = 1;                 // filters whose results are transformed back at once
  bool panels_ = false;                   // lanes of the transformed image are in panels
};

}  // namespace

void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const ImageForm& form) {
  Writer(program, group, product, form).run();
}

}  // namespace ganc::planning
