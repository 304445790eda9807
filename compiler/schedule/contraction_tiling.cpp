#include <algorithm>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t line_bytes = 64;
constexpr std::int64_t few_lanes = 8;         // fewer leave most of a vector empty
constexpr std::int64_t few_common_lanes = 4;  // fewer are not worth a kernel of vectors
constexpr double copy_cycles = 3;             // of an element that is copied into another order
// Of multiplying a vector, measured: as dot products, whose operands both come from L2; where a row
// is a vector that few lanes fill. A full one takes one.
constexpr double dot_step_cycles = 1.8, one_column_cycles = 1.2;
constexpr double dot_sum_cycles = 6;           // to add up the lanes of a sum
constexpr double dot_part_terms = 1024;        // of those that are done in parts
constexpr std::int64_t near_bytes = 16 << 10;  // of L1, for one of two operands
constexpr std::int64_t min_copy_uses = 256;    // of each element that is copied
constexpr std::int64_t min_panel_uses = 4096;  // of each that is copied to lie better
constexpr std::int64_t min_border_uses = 8;    // of each that is copied with a border

class Chooser {
 public:
  Chooser(const ProgramDraft& program, const Product& product)
      : program_(program), p_(product), space_(product.c.space) {}

  std::optional<TilingChoice> run() {
    if (p_.c.stores.empty()) return std::nullopt;
    const bool found = choose_lanes();
    if (dot_products_are_better(found)) {
      choose_dot_products();
    } else if (positions_are_better_lanes(found)) {
      t_.lhs_is_vector = true;
      choice_.vector = positions_innermost();
      return choice_;
    } else if (!found && !choose_common_lanes()) {
      return std::nullopt;
    } else {
      choose_rows();
    }
    if (!t_.dot && !lies_well()) {
      if (t_.m_extent == 1 && outer_count() < min_rows) return std::nullopt;
      choice_.vector = wanted_layout();
      if (!choice_.vector) return std::nullopt;
      return choice_;
    }
    order_reduced();
    if (!choice_.scalar && may_copy_scalars()) {
      if (rows_pay_for_panels()) choice_.scalar = panels_of_rows();
      if (!choice_.scalar && scalars_lie_far()) choice_.scalar = layout_along_sums();
    }
    choose_blocks(program_, p_, t_);
    return choice_;
  }

 private:
  const Operand& vector_operand() const { return t_.lhs_is_vector ? p_.lhs : p_.rhs; }
  const Operand& scalar_operand() const { return t_.lhs_is_vector ? p_.rhs : p_.lhs; }
  std::int64_t stored(std::uint32_t v) const { return space_.coefficient(p_.c.stores[0].index, v); }

  // v: along which the result is contiguous, if that is an axis of one operand alone.
  bool choose_lanes() {
    const auto found =
        std::ranges::find_if(p_.free, [&](std::uint32_t v) { return stored(v) == 1; });
    if (found == p_.free.end()) return false;
    const bool in_lhs = depends(p_.lhs, *found), in_rhs = depends(p_.rhs, *found);
    if (in_lhs != in_rhs) take_lanes(*found, in_lhs);
    if (space_.extent(*found) < few_lanes) take_wider_lanes();
    return t_.v_extent > 1;
  }
  void take_lanes(std::uint32_t v, bool in_lhs) {
    t_.lhs_is_vector = in_lhs;
    t_.v = v;
    t_.v_extent = space_.extent(v);
  }
  // Where they are few, rather the rows, if those are contiguous in their operand: the results are
  // then stored one by one, once for each sum.
  void take_wider_lanes() {
    const std::int64_t least = p_.bordered ? few_lanes : panel_lanes;
    for (std::uint32_t v : p_.free) {
      const bool in_lhs = depends(p_.lhs, v), in_rhs = depends(p_.rhs, v);
      const Operand& operand = in_lhs ? p_.lhs : p_.rhs;
      const bool rows = t_.v_extent == 1 || in_lhs != t_.lhs_is_vector;
      if (in_lhs == in_rhs || !rows || space_.extent(v) < least ||
          space_.coefficient(operand.index, v) != 1)
        continue;
      return take_lanes(v, in_lhs);
    }
  }

  // Lanes along which both operands are contiguous, as the channels of a depthwise layer.
  bool choose_common_lanes() {
    for (std::uint32_t v : p_.free) {
      if (stored(v) != 1 || space_.extent(v) < few_common_lanes ||
          space_.coefficient(p_.lhs.index, v) != 1 || space_.coefficient(p_.rhs.index, v) != 1)
        continue;
      take_lanes(v, true);
      return true;
    }
    return false;
  }

  // A contracted axis that is contiguous in both operands.
  std::int64_t dot_extent() const {
    for (std::uint32_t v : p_.reduced)
      if (space_.coefficient(p_.lhs.index, v) == 1 && space_.coefficient(p_.rhs.index, v) == 1)
        return space_.extent(v);
    return 1;
  }
  // Of the result, the axis that is contiguous, or else the longest with which an operand moves.
  std::optional<std::uint32_t> dot_columns() const {
    std::optional<std::uint32_t> best;
    for (std::uint32_t v : p_.free) {
      if (space_.coefficient(p_.lhs.index, v) == 0 && space_.coefficient(p_.rhs.index, v) == 0)
        continue;
      if (stored(v) == 1) return v;
      if (!best || space_.extent(v) > space_.extent(*best)) best = v;
    }
    return best;
  }
  // Whether dot products, that copy nothing and fill their vectors, take less time than the lanes
  // found, by a model of cycles: multiply-adds, copies, and the lanes of a sum that are added up.
  bool dot_products_are_better(bool found) const {
    const std::int64_t extent = dot_extent();
    if (extent < few_lanes || (p_.bordered && !second_axis_fills_vectors()) || p_.tiles ||
        p_.parts > 0 || !dot_columns())
      return false;
    double results = 1;
    for (std::uint32_t v : p_.free) results *= static_cast<double>(space_.extent(v));
    const auto k = static_cast<double>(sum_terms(p_));
    const auto vectors = [](std::int64_t n) {
      return static_cast<double>((n + panel_lanes - 1) / panel_lanes);
    };
    const double lane_sums = k / static_cast<double>(extent) * vectors(extent);
    const double in_dots =
        results * (lane_sums * dot_step_cycles + dot_sum_cycles * (1 + k / dot_part_terms));
    if (!found) return true;
    const bool positions = positions_are_better_lanes(found);
    const Operand& copied = positions ? p_.lhs : vector_operand();
    const bool copies = positions || space_.coefficient(copied.index, t_.v) != 1;
    const auto elements =
        static_cast<double>(element_count(program_.graph[copied.node].type.shape));
    const double lanes =
        positions ? panel_lanes : static_cast<double>(t_.v_extent) / vectors(t_.v_extent);
    const double step_cycles = lanes > panel_lanes / 2 ? 1 : one_column_cycles;
    return in_dots < results * k * step_cycles / lanes + (copies ? copy_cycles * elements : 0);
  }
  // Rows: what moves the operand that columns leave where it is, else positions.
  void choose_dot_products() {
    t_.dot = true;
    take_lanes(*dot_columns(), false);
    t_.lhs_is_vector = depends(p_.lhs, t_.v) && !depends(p_.rhs, t_.v);
    choose_rows();
  }

  // Whether the lanes, few channels of the weights or none, were rather positions along the last
  // axis of the image, which are free where it lies with its border.
  bool positions_are_better_lanes(bool found) const {
    if (found ? t_.lhs_is_vector || t_.v_extent >= few_lanes : !few_channels()) return false;
    if (p_.bordered || p_.spatial.empty()) return false;
    const SpatialAxis& axis = p_.spatial.back();
    const std::int64_t phases = axis.window.lhs_dilation, lanes = axis.outputs / phases;
    if (axis.window.stride > 1 || lanes < few_lanes || axis.outputs % phases != 0) return false;
    std::int64_t uses = t_.v_extent;
    for (const SpatialAxis& s : p_.spatial) uses *= s.rhs_extent;
    const auto filled = [](std::int64_t n) {
      return static_cast<double>(n) /
             static_cast<double>((n + panel_lanes - 1) / panel_lanes * panel_lanes);
    };
    // Not of 7 channels: the copy takes time too, and vectors of 8 lanes are fuller.
    return uses >= min_border_uses * phases && filled(lanes) > 2.5 * filled(t_.v_extent);
  }
  // Whether the result is contiguous along an axis of no operand or of few groups.
  bool few_channels() const {
    return std::ranges::any_of(p_.free, [&](std::uint32_t v) {
      return stored(v) == 1 && (!depends(p_.rhs, v) || space_.extent(v) < few_lanes);
    });
  }
  CopyLayout positions_innermost() const {
    CopyLayout layout{.order = {0}, .border = border_of(p_.spatial.back())};
    const auto rank = static_cast<std::int64_t>(p_.lhs.at.size());
    for (std::int64_t axis = 2; axis + 1 < rank; ++axis) layout.order.push_back(axis);
    layout.order.insert(layout.order.end(), {1, rank - 1});
    return layout;
  }

  bool depends(const Operand& operand, std::uint32_t v) const {
    return space_.depends_on(operand.index, v);
  }

  void choose_rows() {
    for (std::uint32_t v : p_.free) {
      if (v == t_.v || !depends(scalar_operand(), v) || depends(vector_operand(), v)) continue;
      if (space_.extent(v) > t_.m_extent) t_.m = v, t_.m_extent = space_.extent(v);
    }
    if (t_.dot && border_joins_taps()) choice_.scalar = rows_with_border();
    const bool moved = !t_.lhs_is_vector || depends(scalar_operand(), t_.v);
    const bool few = t_.dot ? !taps_are_results(p_) : t_.m_extent < min_rows;
    if (moved && few) rows_of_positions();
    if (t_.m_extent == 1 && !t_.dot) rows_of_both();
  }

  // Rows with which both operands move, as groups: each reads vectors of its own.
  void rows_of_both() {
    if (program_.tensors[vector_operand().tensor].panel > 0) return;
    for (std::uint32_t v : p_.free) {
      if (v == t_.v || space_.coefficient(p_.lhs.index, v) == 0 ||
          space_.coefficient(p_.rhs.index, v) == 0 || space_.extent(v) <= t_.m_extent)
        continue;
      t_.m = v, t_.m_extent = space_.extent(v);
      t_.row_axis.reset();
    }
  }

  // With few samples the rows are positions along the last axis of the image.
  void rows_of_positions() {
    if (p_.bordered || p_.spatial.empty()) return;
    const SpatialAxis& axis = p_.spatial.back();
    const Sum& output = space_[axis.output];
    if (output.terms.size() != 1 || output.constant != 0 || output.terms[0].coefficient != 1)
      return;
    std::vector<RowRange> rows = row_ranges(axis);
    std::int64_t longest = 0;
    for (const RowRange& range : rows)
      if (!range.alone) longest = std::max(longest, range.count);
    if (!t_.lhs_is_vector && !t_.dot && border_makes_rows(axis, std::max(longest, t_.m_extent)))
      choice_.scalar = rows_with_border();
    if (longest <= t_.m_extent) return;
    t_.m = space_.atom(output.terms[0].atom).source;
    t_.m_extent = longest;
    t_.row_axis = p_.spatial.size() - 1;
    t_.rows = std::move(rows);
  }

  // Whether rows, as far as a register tile has use for them, were twice as many for what they cost
  // if every position met all taps: then the first axis of lhs joins them.
  bool border_makes_rows(const SpatialAxis& axis, std::int64_t rows) const {
    if (axis.window.lhs_dilation > 1) return false;
    std::int64_t pairs = 0, joined = axis.outputs;
    for (const auto& row : meeting_positions(axis)) pairs += static_cast<std::int64_t>(row.size());
    if (axis.window.stride == 1) joined *= program_.graph[p_.lhs.node].type.shape.front();
    const std::int64_t vectors =
                           std::min<std::int64_t>((t_.v_extent + panel_lanes - 1) / panel_lanes, 4),
                       wanted = std::min(joined, 4 * min_rows / vectors);
    return wanted * pairs >= 2 * rows * axis.outputs * axis.rhs_extent;
  }
  // Where results are taps and few channels make rows: whether the taps of the last axis are rows
  // with them if every tap meets all positions, so that the vectors are read once for all of them.
  bool border_joins_taps() const {
    if (p_.bordered || t_.lhs_is_vector || depends(p_.lhs, t_.v) || p_.spatial.size() < 2 ||
        !taps_are_results(p_) || dot_extent() < panel_lanes ||
        t_.m_extent >= program_.register_rows)
      return false;
    const SpatialAxis& axis = p_.spatial.back();
    if (axis.outputs == 1) return false;
    Shape shape = program_.graph[p_.lhs.node].type.shape;
    const Border border = border_of(axis);
    shape.back() += border.low + border.high;
    const std::vector<std::int64_t> strides =
        strides_of(shape, rows_with_border().order, program_.graph[p_.lhs.node].type.dtype);
    std::int64_t uses = t_.v_extent;
    for (const SpatialAxis& s : p_.spatial) uses = uses * s.outputs * s.rhs_extent / s.lhs_extent;
    return rows_follow(strides, shape.front(), axis.window) &&
           uses >= min_border_uses * panel_lanes;
  }
  bool second_axis_fills_vectors() const {
    return program_.graph[p_.lhs.node].type.shape[1] >= panel_lanes;
  }
  // Of the scalar operand: positions, its first axis and, where they are many, channels innermost.
  CopyLayout rows_with_border() const {
    const auto last = static_cast<std::int64_t>(p_.lhs.at.size()) - 1;
    const bool channels = second_axis_fills_vectors();
    CopyLayout layout{.border = border_of(p_.spatial.back())};
    if (!channels) layout.order.push_back(1);
    for (std::int64_t axis = 2; axis < last; ++axis) layout.order.push_back(axis);
    layout.order.insert(layout.order.end(), {last, 0});
    if (channels) layout.order.push_back(1);
    return layout;
  }

  bool lies_well() const { return space_.coefficient(vector_operand().index, t_.v) == 1; }

  // Positions outermost, lanes innermost. None where lanes are the outer part of an axis; no panels
  // where they are the inner one, as of a group: it may begin within a panel.
  std::optional<CopyLayout> wanted_layout() const {
    const Operand& b = vector_operand();
    AxisOrder first, rest, last;
    bool alone = true;
    for (std::size_t axis = 0; axis < b.at.size(); ++axis) {
      const auto number = static_cast<std::int64_t>(axis);
      if (space_.depends_on(b.at[axis], t_.v)) {
        if (space_.coefficient(b.at[axis], t_.v) != 1) return std::nullopt;
        last.push_back(number);
        alone = space_[b.at[axis]].terms.size() == 1;
      } else {
        const bool position = std::ranges::any_of(p_.spatial, [&](const SpatialAxis& s) {
          return space_.depends_on(b.at[axis], t_.lhs_is_vector ? s.lhs_position : s.rhs_position);
        });
        (position ? first : rest).push_back(number);
      }
    }
    first.insert(first.end(), rest.begin(), rest.end());
    first.insert(first.end(), last.begin(), last.end());
    return CopyLayout{.order = first,
                      .panel = alone && t_.v_extent > panel_lanes ? panel_lanes : 0};
  }

  bool may_copy_scalars() const {
    return t_.m && !t_.row_axis && !t_.reduced.empty() && !t_.dot &&
           !depends(scalar_operand(), t_.v);
  }
  // Of each element of the scalar operand.
  std::int64_t scalar_uses() const {
    std::int64_t uses = t_.v_extent;
    for (std::uint32_t v : p_.free)
      if (v != t_.v && !depends(scalar_operand(), v)) uses *= space_.extent(v);
    return uses;
  }
  // Whether each step of a long sum reads another cache line of the scalar operand, which is read
  // often enough to pay for a copy. Such lines meet in few sets of L1, and no prefetcher follows.
  bool scalars_lie_far() const {
    const Operand& a = scalar_operand();
    const std::int64_t bytes = byte_size(program_.tensors[a.tensor].dtype);
    return std::abs(space_.coefficient(a.index, t_.reduced.back())) * bytes >= line_bytes &&
           scalar_uses() >= min_copy_uses && sum_terms(p_) * line_bytes >= near_bytes;
  }
  // Whether the scalar operand of long sums is worth a copy of which each step reads what follows
  // in memory, for all rows of a panel. Tiles of one vector a row have other rows.
  bool rows_pay_for_panels() const {
    const std::int64_t uses = scalars_lie_far() ? min_copy_uses : min_panel_uses;
    return p_.parts == 0 && !p_.tiles && !taps_are_results(p_) &&
           !depends(vector_operand(), *t_.m) && t_.m_extent > program_.register_rows &&
           t_.v_extent > panel_lanes && program_.tensors[scalar_operand().tensor].panel == 0 &&
           scalar_uses() >= uses && sum_terms(p_) * line_bytes >= near_bytes;
  }
  // Of the scalar operand: positions, sums, and rows innermost, in panels.
  std::optional<CopyLayout> panels_of_rows() const {
    std::optional<CopyLayout> layout = layout_along_sums();
    if (!layout) return std::nullopt;
    const Operand& a = scalar_operand();
    const auto rows = std::ranges::find_if(layout->order, [&](std::int64_t axis) {
      return space_.depends_on(a.at[static_cast<std::size_t>(axis)], *t_.m);
    });
    const Sum& index = space_[a.at[static_cast<std::size_t>(*rows)]];
    if (index.terms.size() != 1 || index.terms[0].coefficient != 1) return std::nullopt;
    std::rotate(rows, rows + 1, layout->order.end());
    layout->panel = rows_of_panel(t_.m_extent, program_.register_rows);
    return layout;
  }

  // Of the scalar operand: rows outermost, then positions, and each sum along consecutive memory.
  // None where an axis is more than one of these.
  std::optional<CopyLayout> layout_along_sums() const {
    const Operand& a = scalar_operand();
    std::vector<std::pair<std::size_t, std::int64_t>> axes;  // place, number
    for (std::size_t axis = 0; axis < a.at.size(); ++axis) {
      std::size_t place = 0;
      for (const SpatialAxis& s : p_.spatial)
        if (space_.depends_on(a.at[axis], t_.lhs_is_vector ? s.rhs_position : s.lhs_position))
          place = 1;
      for (std::size_t i = 0; i < t_.reduced.size(); ++i) {
        if (!space_.depends_on(a.at[axis], t_.reduced[i])) continue;
        if (place > 0 || space_.depends_on(a.at[axis], *t_.m)) return std::nullopt;
        place = 2 + i;
      }
      axes.emplace_back(place, axis);
    }
    std::ranges::stable_sort(axes, {}, &std::pair<std::size_t, std::int64_t>::first);
    CopyLayout layout;
    for (const auto& [place, axis] : axes) layout.order.push_back(axis);
    return layout;
  }

  std::int64_t outer_count() const {
    std::int64_t n = 1;
    for (std::uint32_t v : p_.free)
      if (v != t_.v && v != t_.m) n *= space_.extent(v);
    return n;
  }

  void order_reduced() {
    t_.reduced = p_.reduced;
    const IndexId by = vector_operand().index;
    std::ranges::stable_sort(t_.reduced, [&](std::uint32_t a, std::uint32_t b) {
      return std::abs(space_.coefficient(by, a)) > std::abs(space_.coefficient(by, b));
    });
    if (p_.spatial.empty()) return;
    const std::int64_t longest = longest_position_stride(by);
    const auto inside = std::ranges::find_if(t_.reduced, [&](std::uint32_t v) {
      return longest == 0 || std::abs(space_.coefficient(by, v)) < longest;
    });
    t_.reduced_outside.assign(t_.reduced.begin(), inside);
    t_.reduced.erase(t_.reduced.begin(), inside);
    // Positions along a border, so that a part of a sum holds few of them.
    while (t_.dot && p_.bordered && t_.reduced.size() > 1) {
      t_.reduced_outside.push_back(t_.reduced.front());
      t_.reduced.erase(t_.reduced.begin());
    }
  }
  std::int64_t longest_position_stride(IndexId by) const {
    std::int64_t longest = 0;
    for (const SpatialAxis& s : p_.spatial)
      longest = std::max(longest, std::abs(space_.coefficient(
                                      by, t_.lhs_is_vector ? s.lhs_position : s.rhs_position)));
    return longest;
  }

  const ProgramDraft& program_;
  const Product& p_;
  const IndexSpace& space_;
  TilingChoice choice_;
  Tiling& t_ = choice_.tiling;
};

}  // namespace

std::optional<TilingChoice> choose_tiling(const ProgramDraft& program, const Product& product) {
  return Chooser(program, product).run();
}

}  // namespace ganc::planning
