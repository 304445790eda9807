#include <algorithm>
#include <functional>

#include "compiler/schedule/winograd.h"

namespace ganc::planning {
namespace {

using kernel::Block;
using kernel::LoopKind;
using kernel::ValueId;

constexpr std::int64_t result_rows = 8;  // filters whose results are transformed back at once
// Between the points: their planes are read and written side by side, and would all fall into one set
// of the caches if they lay a power of two apart.
constexpr std::int64_t gap = 16;

std::int64_t blocks(std::int64_t extent, std::int64_t block) {
  return (extent + block - 1) / block;
}

// Statements of a kernel, written one after the other.
class Nest {
 public:
  explicit Nest(KernelWriter& writer) : writer_(writer) { open_.push_back(&body_); }

  // `body` gets the variable; none where the extent is 1.
  void loop(LoopKind kind, ValueId extent, const std::function<void(ValueId)>& body) {
    const kernel::VarId v = writer_.new_variable();
    kernel::Loop loop{kind, v, extent, {}};
    open_.push_back(&loop.body);
    body(writer_.variable(v));
    open_.pop_back();
    open_.back()->push_back({std::move(loop)});
  }
  void loop(LoopKind kind, std::int64_t extent, const std::function<void(ValueId)>& body) {
    if (extent == 1 && kind == LoopKind::serial) return body(writer_.constant(0));
    loop(kind, writer_.constant(extent), body);
  }
  void add(kernel::Statement statement) { open_.back()->push_back(std::move(statement)); }
  void add(Block block) {
    for (kernel::Statement& s : block) add(std::move(s));
  }
  Block take() { return std::move(body_); }

 private:
  KernelWriter& writer_;
  Block body_;
  std::vector<Block*> open_;
};

// `values` has matrix[0].size() elements an axis, the result matrix.size().
std::vector<ValueId> transformed(KernelWriter& w, const FilterTransform::Matrix& matrix,
                                 std::size_t axes, std::vector<ValueId> values) {
  const std::size_t from = matrix[0].size(), to = matrix.size();
  const auto combination = [&](const std::vector<double>& row, const auto& at) {
    ValueId sum;
    for (const bool positive : {true, false})  // a sum that begins with a plain term
      for (std::size_t i = 0; i < from; ++i) {
        const double c = row[i];
        if (c == 0 || (c > 0) != positive) continue;
        const double size = c < 0 ? -c : c;
        ValueId term = at(i);
        if (size != 1) term = w.apply(Op::multiply, {w.real(size, DType::f32), term}, DType::f32);
        if (!sum)
          sum = positive ? term : w.apply(Op::negate, {term}, DType::f32);
        else
          sum = w.apply(positive ? Op::add : Op::subtract, {sum, term}, DType::f32);
      }
    return sum;
  };
  // The last axis first; it becomes the outermost, so that after as many turns all are in order.
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::size_t rest = values.size() / from;
    std::vector<ValueId> next(to * rest);
    for (std::size_t r = 0; r < rest; ++r)
      for (std::size_t i = 0; i < to; ++i)
        next[i * rest + r] =
            combination(matrix[i], [&](std::size_t k) { return values[r * from + k]; });
    values = std::move(next);
  }
  return values;
}

class Writer {
 public:
  Writer(ProgramDraft& program, const Group& group, Product& product, const WinogradForm& form)
      : program_(program), group_(group), p_(product), f_(form) {
    for (std::size_t i = 0; i < axes(); ++i) {
      points_ *= f_.transforms[i].points();
      outputs_ *= f_.transforms[i].outputs;
      phases_ *= f_.axes[i].phases;
      subs_ *= f_.axes[i].subs;
      tiles_.push_back(blocks(f_.axes[i].outputs, f_.transforms[i].outputs));
    }
    terms_ = subs_ * f_.channels;
    lanes_ = f_.sample_block * f_.tile_block;
    panels_ = f_.lanes_are_samples && f_.sample_block % panel_lanes == 0 &&
              f_.samples % f_.sample_block == 0;
  }

  void run() {
    filters_ = filters();
    write_products();
  }

 private:
  std::size_t axes() const { return f_.axes.size(); }
  const IndexSpace& space() const { return p_.c.space; }

  // The number of phase or subfilter of each axis in a number of all.
  template <class Count>
  std::vector<ValueId> split(KernelWriter& w, ValueId all, Count count) const {
    std::vector<ValueId> parts(axes());
    for (std::size_t i = axes(); i-- > 0;) {
      const std::int64_t n = count(f_.axes[i]);
      if (n == 1) {
        parts[i] = w.constant(0);
        continue;
      }
      bool last = true;
      for (std::size_t before = 0; before < i; ++before) last &= count(f_.axes[before]) == 1;
      parts[i] = last ? all : w.remainder(all, n);
      if (!last) all = w.quotient(all, n);
    }
    return parts;
  }
  std::vector<ValueId> split_phases(KernelWriter& w, ValueId all) const {
    return split(w, all, [](const FilterAxis& axis) { return axis.phases; });
  }
  std::vector<ValueId> split_subs(KernelWriter& w, ValueId all) const {
    return split(w, all, [](const FilterAxis& axis) { return axis.subs; });
  }
  static ValueId first(KernelWriter& w, const FilterAxis::First& f, ValueId phase, ValueId sub) {
    ValueId at = w.constant(f.base);
    if (f.phase != 0) at = w.add(w.scale(phase, f.phase), at);
    if (f.sub != 0) at = w.add(w.scale(sub, f.sub), at);
    return at;
  }

  // Whether `at`, in [low, high], lies in [0, extent).
  static ValueId inside(KernelWriter& w, ValueId known, ValueId at, std::int64_t low,
                        std::int64_t high, std::int64_t extent) {
    const auto both = [&](Comparison comparison, std::int64_t limit) {
      const ValueId holds = w.value({.kind = kernel::ValueKind::index_compare,
                                     .dtype = DType::pred,
                                     .operands = {at, w.constant(limit)},
                                     .comparison = comparison});
      known = known ? w.apply(Op::logical_and, {known, holds}, DType::pred) : holds;
    };
    if (low < 0) both(Comparison::greater_equal, 0);
    if (high >= extent) both(Comparison::less, extent);
    return known;
  }
  static std::int64_t range_low(const FilterAxis& axis, const FilterAxis::First& f) {
    return f.base + std::min<std::int64_t>(0, f.phase * (axis.phases - 1)) +
           std::min<std::int64_t>(0, f.sub * (axis.subs - 1));
  }
  static std::int64_t range_high(const FilterAxis& axis, const FilterAxis::First& f) {
    return f.base + std::max<std::int64_t>(0, f.phase * (axis.phases - 1)) +
           std::max<std::int64_t>(0, f.sub * (axis.subs - 1));
  }

  // Element `at` of each axis.
  static std::vector<std::int64_t> digits(std::int64_t number, std::int64_t base, std::size_t n) {
    std::vector<std::int64_t> result(n);
    for (std::size_t i = n; i-- > 0; number /= base) result[i] = number % base;
    return result;
  }

  static kernel::Statement store(std::uint32_t buffer, ValueId at, ValueId value) {
    kernel::Store s{};
    s.buffer = buffer;
    s.index = at;
    s.value = value;
    return {s};
  }

  // --- filters -------------------------------------------------------------------------------

  // Where the transformed filters lie: [phase][point][block of filters][sub, channel][filter], or with
  // the channels innermost [phase][point][filter][sub, channel].
  std::int64_t filter_stride() const { return f_.filters_by_channel ? terms_ : 1; }
  std::int64_t term_stride() const { return f_.filters_by_channel ? 1 : f_.filter_block; }
  std::int64_t point_stride() const { return terms_ * f_.filters + gap; }
  std::int64_t tile_plane() const { return terms_ * lanes_ + gap; }
  std::int64_t product_plane() const { return f_.filters * lanes_ + gap; }
  std::int64_t result_plane() const { return rows_at_once() * lanes_ + gap; }

  std::uint32_t filters() {
    std::vector<std::int64_t> key = {static_cast<std::int64_t>(p_.rhs.tensor),
                                     static_cast<std::int64_t>(group_.guards),
                                     f_.filters_by_channel, f_.filter_block, f_.filters,
                                     f_.channels, space()[p_.rhs.index].constant};
    for (const std::uint32_t v : {*f_.filter, *f_.channel})
      key.push_back(space().coefficient(p_.rhs.index, v));
    for (std::size_t i = 0; i < axes(); ++i) {
      const FilterAxis& a = f_.axes[i];
      for (const std::int64_t x :
           {a.phases, a.subs, a.rhs_first.base, a.rhs_first.phase, a.rhs_first.sub, a.rhs_step,
            a.rhs_extent, f_.transforms[i].outputs, f_.transforms[i].taps,
            space().coefficient(p_.rhs.index, p_.spatial[i].rhs_position)})
        key.push_back(x);
    }
    const auto [known, inserted] = program_.transformed_filters.try_emplace(key, no_tensor);
    if (inserted) known->second = write_filters();
    return known->second;
  }

  std::uint32_t write_filters() {
    const std::uint32_t result =
        new_tensor(program_, p_.rhs.node, DType::f32, {phases_ * points_ * point_stride()}, {0});
    Computation c;
    KernelWriter w(space(), p_.c.expressions, program_.tensors);
    const std::uint32_t from = w.buffer(p_.rhs.tensor, true, false),
                        to = w.buffer(result, false, true);
    // Lanes along what is contiguous in the filters; all else is a unit.
    const std::int64_t others = f_.filters_by_channel ? f_.filters : f_.channels;
    const std::int64_t units = phases_ * subs_ * others;
    Nest nest(w);
    w.set_units(units);
    const auto unit = [&](ValueId u) {
      const ValueId other = w.remainder(u, others);
      ValueId rest = w.quotient(u, others);
      const ValueId sub = w.remainder(rest, subs_), phase = w.quotient(rest, subs_);
      const auto lanes = [&](ValueId block, std::int64_t width) {
        nest.loop(LoopKind::vector, width, [&](ValueId lane) {
          const ValueId long_lane = w.add(w.scale(block, width), lane);
          const ValueId filter = f_.filters_by_channel ? other : long_lane,
                        channel = f_.filters_by_channel ? long_lane : other;
          const std::vector<ValueId> values = transformed(
              w, f_.transforms[0].filter, axes(), taps(w, from, phase, sub, filter, channel));
          const ValueId term = w.add(w.scale(sub, f_.channels), channel);
          ValueId at = w.scale(phase, points_ * point_stride());
          if (f_.filters_by_channel) {
            at = w.add(at, w.add(w.scale(filter, terms_), term));
          } else {
            at = w.add(at, w.scale(block, terms_ * f_.filter_block));
            at = w.add(at, w.add(w.scale(term, f_.filter_block), lane));
          }
          for (std::int64_t point = 0; point < points_; ++point)
            nest.add(store(to, w.add(at, point * point_stride()),
                           values[static_cast<std::size_t>(point)]));
        });
      };
      if (f_.filters_by_channel) return lanes(w.constant(0), f_.channels);
      nest.loop(LoopKind::serial, f_.filters / f_.filter_block,
                [&](ValueId block) { lanes(block, f_.filter_block); });
    };
    nest.loop(LoopKind::parallel, units, unit);
    const double elements = static_cast<double>(phases_ * points_ * point_stride());
    add_draft(program_, {GroupKind::elementwise, group_.roots, group_.guards, -1}, w, nest.take(), c,
              elements, false);
    program_.drafts.back().flop = elements;
    return result;
  }

  std::vector<ValueId> taps(KernelWriter& w, std::uint32_t from, ValueId phase, ValueId sub,
                            ValueId filter, ValueId channel) {
    const std::vector<ValueId> phase_of = split_phases(w, phase), sub_of = split_subs(w, sub);
    w.bind(*f_.filter, filter);
    w.bind(*f_.channel, channel);
    const std::int64_t r = f_.transforms[0].taps;
    std::int64_t count = 1;
    for (std::size_t i = 0; i < axes(); ++i) count *= r;
    std::vector<ValueId> values;
    for (std::int64_t n = 0; n < count; ++n) {
      ValueId holds;
      const std::vector<std::int64_t> tap = digits(n, r, axes());
      for (std::size_t i = 0; i < axes(); ++i) {
        const FilterAxis& a = f_.axes[i];
        const ValueId at =
            w.add(first(w, a.rhs_first, phase_of[i], sub_of[i]), tap[i] * a.rhs_step);
        holds = inside(w, holds, at, range_low(a, a.rhs_first) + tap[i] * a.rhs_step,
                       range_high(a, a.rhs_first) + tap[i] * a.rhs_step, a.rhs_extent);
        w.bind(p_.spatial[i].rhs_position, at);
      }
      values.push_back(w.load(from, w.index(p_.rhs.index), DType::f32, holds));
    }
    return values;
  }

  // --- products ------------------------------------------------------------------------------

  // A unit: one phase, a block of samples, a block of tiles along the last axis.
  struct Unit {
    std::vector<ValueId> phase, tile;  // by axis; the last tile is the first of the block
    ValueId all_phases, sample;        // sample: the first
    ValueId tile_count, sample_count;
  };

  void write_products() {
    KernelWriter w(space(), p_.c.expressions, program_.tensors);
    bind_nothing(w);
    const std::uint32_t image = w.buffer(p_.lhs.tensor, true, false),
                        filters = w.buffer(filters_, true, false);
    register_results(w);
    const std::uint32_t tiles = w.local(DType::f32, points_ * tile_plane()),
                        products = w.local(DType::f32, points_ * product_plane()),
                        results = w.local(DType::f32, outputs_ * result_plane());
    Nest nest(w);
    const std::int64_t tile_blocks = blocks(tiles_.back(), f_.tile_block),
                       sample_blocks = blocks(f_.samples, f_.sample_block);
    std::int64_t units = phases_ * sample_blocks * tile_blocks;
    for (std::size_t i = 0; i + 1 < axes(); ++i) units *= tiles_[i];
    w.set_units(units);
    const auto body = [&](ValueId u) {
      const Unit unit = unit_of(w, u, tile_blocks, sample_blocks);
      transform_image(w, nest, unit, image, tiles);
      multiply(w, nest, unit, filters, tiles, products);
      finish(w, nest, unit, products, results);
    };
    nest.loop(LoopKind::parallel, units, body);
    const double sums = static_cast<double>(phases_ * f_.samples) * all_tiles();
    add_draft(program_, group_, w, nest.take(), p_.c,
              sums * static_cast<double>(outputs_ * f_.filters), true);
    Draft& draft = program_.drafts.back();
    std::erase_if(draft.in_place, [&](const auto& pair) {
      const std::uint32_t read = draft.buffers[pair.first];
      return read == p_.lhs.tensor || read == p_.rhs.tensor;
    });
    draft.flop += 2 * sums * static_cast<double>(points_ * terms_ * f_.filters);
  }
  double all_tiles() const {
    double n = 1;
    for (std::int64_t tiles : tiles_) n *= static_cast<double>(tiles);
    return n;
  }
  std::int64_t rows_at_once() const {
    std::int64_t rows = std::min(result_rows, f_.filters);
    while (f_.filters % rows != 0) --rows;
    return rows;
  }

  // Axes of length 1 have no loop.
  void bind_nothing(KernelWriter& w) const {
    for (std::uint32_t v = 0; v < space().variable_count(); ++v)
      if (space().extent(v) == 1) w.bind(v, {});
  }

  // The buffers of what the results are made of and stored to, before the local ones.
  void register_results(KernelWriter& w) const {
    UsedIndices used(space(), p_.c.expressions);
    for (const StoreExpr& s : p_.c.stores) {
      used.add(s.index);
      used.add(s.value);
    }
    for (ExprId id : used.expressions())
      if (p_.c.expressions[id].kind == ExprKind::load)
        w.buffer(p_.c.expressions[id].tensor, true, false);
    for (const StoreExpr& s : p_.c.stores) w.buffer(s.tensor, false, true);
  }

  Unit unit_of(KernelWriter& w, ValueId u, std::int64_t tile_blocks, std::int64_t sample_blocks) {
    Unit unit;
    ValueId rest = u;
    const auto take = [&](std::int64_t extent) {
      if (extent == 1) return w.constant(0);
      const ValueId part = w.remainder(rest, extent);
      rest = w.quotient(rest, extent);
      return part;
    };
    unit.tile.resize(axes());
    unit.tile.back() = w.scale(take(tile_blocks), f_.tile_block);
    for (std::size_t i = axes() - 1; i-- > 0;) unit.tile[i] = take(tiles_[i]);
    unit.sample = w.scale(take(sample_blocks), f_.sample_block);
    unit.all_phases = rest;
    unit.phase = split_phases(w, rest);
    unit.tile_count = count(w, unit.tile.back(), tiles_.back(), f_.tile_block);
    unit.sample_count = count(w, unit.sample, f_.samples, f_.sample_block);
    return unit;
  }
  static ValueId count(KernelWriter& w, ValueId base, std::int64_t extent, std::int64_t block) {
    if (extent % block == 0) return w.constant(block);
    return w.minimum(w.constant(block), w.add(w.scale(base, -1), extent));
  }

  // A tile and a sample of a unit; the sample is in a panel of lanes where there are panels.
  struct Lane {
    ValueId tile, panel, in_panel;
  };
  ValueId sample(KernelWriter& w, const Lane& lane) const {
    return lane.panel ? w.add(w.scale(lane.panel, panel_lanes), lane.in_panel) : lane.in_panel;
  }
  // Strides of a unit's memory: points, then rows (terms or filters) and lanes (tiles and samples), or
  // with channels as lanes the other way round.
  ValueId place(KernelWriter& w, ValueId row, std::int64_t rows, const Lane& lane) const {
    const ValueId at = w.add(w.scale(lane.tile, f_.sample_block), sample(w, lane));
    if (f_.lanes_are_samples) return w.add(w.scale(row, lanes_), at);
    return w.add(w.scale(at, rows), row);
  }
  // The same in panels where there are any.
  ValueId place_in_panel(KernelWriter& w, ValueId row, std::int64_t rows, const Lane& lane) const {
    if (!panels_) return place(w, row, rows, lane);
    const ValueId panel =
        w.add(w.scale(lane.tile, f_.sample_block / panel_lanes), lane.panel);
    return w.add(w.scale(w.add(w.scale(panel, rows), row), panel_lanes), lane.in_panel);
  }

  // Loops over rows, tiles and samples with the right one as lanes.
  void rows_and_lanes(KernelWriter& w, Nest& nest, const Unit& unit, std::int64_t rows,
                      const std::function<void(ValueId row, const Lane& lane)>& body) {
    nest.loop(LoopKind::serial, unit.tile_count,
              [&](ValueId tile) { rows_and_samples(w, nest, unit, rows, tile, body); });
  }
  void rows_and_samples(KernelWriter& w, Nest& nest, const Unit& unit, std::int64_t rows,
                        ValueId tile,
                        const std::function<void(ValueId row, const Lane& lane)>& body) {
    if (!f_.lanes_are_samples)
      return nest.loop(LoopKind::vector, rows,
                       [&](ValueId row) { body(row, {tile, {}, w.constant(0)}); });
    if (!panels_)
      return nest.loop(LoopKind::serial, rows, [&](ValueId row) {
        nest.loop(LoopKind::vector, unit.sample_count,
                  [&](ValueId sample) { body(row, {tile, {}, sample}); });
      });
    nest.loop(LoopKind::serial, f_.sample_block / panel_lanes, [&](ValueId panel) {
      nest.loop(LoopKind::serial, rows, [&](ValueId row) {
        nest.loop(LoopKind::vector, panel_lanes,
                  [&](ValueId lane) { body(row, {tile, panel, lane}); });
      });
    });
  }

  void transform_image(KernelWriter& w, Nest& nest, const Unit& unit, std::uint32_t image,
                       std::uint32_t tiles) {
    nest.loop(LoopKind::serial, subs_, [&](ValueId sub) {
      rows_and_lanes(w, nest, unit, f_.channels, [&](ValueId channel, const Lane& lane) {
        const std::vector<ValueId> values =
            transformed(w, f_.transforms[0].input, axes(),
                        tile_of_image(w, unit, image, sub, channel, lane));
        const ValueId at =
            place_in_panel(w, w.add(w.scale(sub, f_.channels), channel), terms_, lane);
        for (std::int64_t point = 0; point < points_; ++point)
          nest.add(store(tiles, w.add(at, point * tile_plane()),
                         values[static_cast<std::size_t>(point)]));
      });
    });
  }

  std::vector<ValueId> tile_of_image(KernelWriter& w, const Unit& unit, std::uint32_t image,
                                     ValueId sub, ValueId channel, const Lane& lane) {
    w.bind(*f_.channel, channel);
    if (f_.sample) w.bind(*f_.sample, w.add(unit.sample, sample(w, lane)));
    const std::vector<ValueId> sub_of = split_subs(w, sub);
    const std::int64_t side = f_.transforms[0].points();
    std::vector<ValueId> values;
    for (std::int64_t n = 0; n < points_; ++n) {
      const std::vector<std::int64_t> in_tile = digits(n, side, axes());
      ValueId holds;
      for (std::size_t i = 0; i < axes(); ++i) {
        const FilterAxis& a = f_.axes[i];
        const std::int64_t m = f_.transforms[i].outputs, offset = in_tile[i] * a.lhs_step;
        const ValueId t = i + 1 == axes() ? w.add(unit.tile[i], lane.tile) : unit.tile[i];
        const ValueId at = w.add(w.add(w.scale(t, m * a.lhs_step),
                                       first(w, a.lhs_first, unit.phase[i], sub_of[i])),
                                 offset);
        holds = inside(w, holds, at, range_low(a, a.lhs_first) + offset,
                       range_high(a, a.lhs_first) + (tiles_[i] - 1) * m * a.lhs_step + offset,
                       a.lhs_extent);
        w.bind(p_.spatial[i].lhs_position, at);
      }
      values.push_back(w.load(image, w.index(p_.lhs.index), DType::f32, holds));
    }
    return values;
  }

  // For each point [filters x terms] times [terms x lanes].
  void multiply(KernelWriter& w, Nest& nest, const Unit& unit, std::uint32_t filters,
                std::uint32_t tiles, std::uint32_t products) {
    const std::int64_t filter_blocks = f_.filters / f_.filter_block;
    nest.loop(LoopKind::serial, points_, [&](ValueId point) {
      nest.loop(LoopKind::serial, filter_blocks, [&](ValueId block) {
        const ValueId filter_base =
            w.add(w.scale(w.add(w.scale(unit.all_phases, points_), point), point_stride()),
                  w.scale(block, f_.filter_block * terms_));
        const ValueId tile_base = w.scale(point, tile_plane());
        kernel::Contraction c{};
        c.m_variable = w.new_variable();
        c.v_variable = w.new_variable();
        const std::int64_t f = f_.filter_block;
        const bool samples = f_.lanes_are_samples;
        c.m_limit = samples ? f : lanes_;
        c.v_limit = samples ? lanes_ : f;
        c.m_count = w.constant(c.m_limit);
        c.v_count = w.constant(c.v_limit);
        c.a_buffer = samples ? filters : tiles;
        c.b_buffer = samples ? tiles : filters;
        c.a_base = samples ? filter_base : tile_base;
        c.b_base = samples ? tile_base : filter_base;
        c.a_m_stride = samples ? filter_stride() : terms_;
        if (panels_) c.b_panel = panel_lanes, c.b_panel_stride = terms_ * panel_lanes;
        c.axes = {samples ? kernel::ReduceAxis{terms_, term_stride(), panels_ ? panel_lanes : lanes_}
                          : kernel::ReduceAxis{terms_, 1, term_stride()}};
        const ValueId m = w.variable(c.m_variable), v = w.variable(c.v_variable);
        const ValueId filter = w.add(w.scale(block, f), samples ? m : v);
        const ValueId lane = samples ? v : m;
        const ValueId at = samples ? w.add(w.scale(filter, lanes_), lane)
                                   : w.add(w.scale(lane, f_.filters), filter);
        const ValueId sum = w.value({.kind = kernel::ValueKind::contraction, .dtype = DType::f32});
        c.epilogue.push_back(
            store(products, w.add(w.scale(point, product_plane()), at), sum));
        nest.add({std::move(c)});
      });
    });
  }

  // Some filters at once: back from the points, then the results of the group.
  void finish(KernelWriter& w, Nest& nest, const Unit& unit, std::uint32_t products,
              std::uint32_t results) {
    const std::int64_t rows = rows_at_once();
    nest.loop(LoopKind::serial, f_.filters / rows, [&](ValueId block) {
      const ValueId base = w.scale(block, rows);
      rows_and_lanes(w, nest, unit, rows, [&](ValueId row, const Lane& lane) {
        const ValueId from = place(w, w.add(base, row), f_.filters, lane);
        std::vector<ValueId> values;
        for (std::int64_t point = 0; point < points_; ++point)
          values.push_back(w.load(products, w.add(from, point * product_plane()), DType::f32, {}));
        values = transformed(w, f_.transforms[0].output, axes(), std::move(values));
        const ValueId at = place(w, row, rows, lane);
        for (std::int64_t n = 0; n < outputs_; ++n)
          nest.add(store(results, w.add(at, n * result_plane()), values[static_cast<std::size_t>(n)]));
      });
      write_results(w, nest, unit, base, results);
    });
  }

  // For each output of a tile that lies in the image.
  void write_results(KernelWriter& w, Nest& nest, const Unit& unit, ValueId base,
                     std::uint32_t results) {
    nest.loop(LoopKind::serial, unit.tile_count, [&](ValueId tile) {
      std::vector<ValueId> output;
      outputs_of_tile(w, nest, unit, tile, output, [&] {
        rows_and_samples(w, nest, unit, rows_at_once(), tile, [&](ValueId row, const Lane& lane) {
          write_result(w, nest, unit, base, results, output, row, lane);
        });
      });
    });
  }
  void outputs_of_tile(KernelWriter& w, Nest& nest, const Unit& unit, ValueId tile,
                       std::vector<ValueId>& output, const std::function<void()>& body) {
    const std::size_t i = output.size();
    if (i == axes()) return body();
    const std::int64_t m = f_.transforms[i].outputs;
    const ValueId t = i + 1 == axes() ? w.add(unit.tile[i], tile) : unit.tile[i];
    nest.loop(LoopKind::serial, count(w, w.scale(t, m), f_.axes[i].outputs, m), [&](ValueId o) {
      output.push_back(o);
      outputs_of_tile(w, nest, unit, tile, output, body);
      output.pop_back();
    });
  }
  void write_result(KernelWriter& w, Nest& nest, const Unit& unit, ValueId base,
                    std::uint32_t results, const std::vector<ValueId>& output, ValueId row,
                    const Lane& lane) {
    ValueId number;
    for (std::size_t i = 0; i < axes(); ++i) {
      number = number ? w.add(w.scale(number, f_.transforms[i].outputs), output[i]) : output[i];
      const ValueId t = i + 1 == axes() ? w.add(unit.tile[i], lane.tile) : unit.tile[i];
      const ValueId o = w.add(w.scale(t, f_.transforms[i].outputs), output[i]);
      const Sum& index = space()[p_.spatial[i].output];
      w.bind(space().atom(index.terms[0].atom).source,
             w.add(w.scale(o, f_.axes[i].phases), unit.phase[i]));
    }
    w.bind(*f_.filter, w.add(base, row));
    if (f_.sample) w.bind(*f_.sample, w.add(unit.sample, sample(w, lane)));
    const std::int64_t rows = rows_at_once();
    const ValueId at = w.add(w.scale(number, result_plane()), place(w, row, rows, lane));
    w.give_sum(w.load(results, at, DType::f32, {}));
    nest.add(write_block(w, p_.c));
  }

  ProgramDraft& program_;
  const Group& group_;
  Product& p_;
  const WinogradForm& f_;
  std::int64_t points_ = 1, outputs_ = 1, phases_ = 1, subs_ = 1;
  std::int64_t terms_ = 1;  // of a sum of products: subfilters and channels
  std::int64_t lanes_ = 1;  // tiles and samples of a unit
  bool panels_ = false;     // lanes of the transformed image are in panels
  std::vector<std::int64_t> tiles_;
  std::uint32_t filters_ = no_tensor;
};

}  // namespace

void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const WinogradForm& form) {
  Writer(program, group, product, form).run();
}

}  // namespace ganc::planning
