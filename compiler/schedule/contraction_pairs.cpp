#include <algorithm>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t least_terms = 16;  // along the paired axis: fewer are mostly zeros in a tile
constexpr std::int64_t tile_side = 16;
// Products of each number that is copied, on average: what a copy costs, in products of single
// numbers that pairs save in that time.
constexpr double least_uses = 48;

// Where an axis stands in a copy, the outermost first.
enum class Place : std::uint8_t { outer, position, part, reduced, pair, lanes };

class Layouts {
 public:
  Layouts(const ProgramDraft& program, const Product& p, const Tiling& t, const PairForm& form)
      : program_(program), p_(p), space_(p.c.space), t_(t), form_(form) {}

  std::optional<OperandLayouts> run(const Node& node) const {
    const bool convolution = node.op == Op::convolution;
    if (node.type.dtype != DType::f32) return std::nullopt;
    if (convolution ? node.attributes.groups != 1 : node.attributes.lhs_contract.empty())
      return std::nullopt;
    // Rows with which both operands move are no rows of one tile.
    const IndexId vectors = (t_.lhs_is_vector ? p_.lhs : p_.rhs).index;
    if (form_.tiles && t_.m && !t_.row_axis && space_.depends_on(vectors, *t_.m))
      return std::nullopt;
    const std::int64_t lhs_axis = convolution ? 1 : node.attributes.lhs_contract.back(),
                       rhs_axis = convolution ? 1 : node.attributes.rhs_contract.back();
    const std::int64_t terms = shape(p_.lhs)[static_cast<std::size_t>(lhs_axis)];
    if (terms < least_terms || t_.v_extent < panel_lanes || t_.m_extent < tile_side / 2 ||
        (!form_.always && !worth_copies()))
      return std::nullopt;
    std::int64_t pairs = (terms + 1) / 2;
    if (form_.tiles) pairs = (pairs + tile_side - 1) / tile_side * tile_side;
    OperandLayouts layouts{layout(p_.lhs, lhs_axis, pairs, t_.lhs_is_vector),
                           layout(p_.rhs, rhs_axis, pairs, !t_.lhs_is_vector)};
    if (!layouts.lhs || !layouts.rhs) return std::nullopt;
    return layouts;
  }

 private:
  const Shape& shape(const Operand& operand) const {
    return program_.graph[operand.node].type.shape;
  }

  bool worth_copies() const {
    double products = 1;
    for (std::uint32_t v : p_.free) products *= static_cast<double>(space_.extent(v));
    for (std::uint32_t v : p_.reduced) products *= static_cast<double>(space_.extent(v));
    for (const SpatialAxis& s : p_.spatial) {
      double pairs = 0;
      for (const auto& row : meeting_positions(s)) pairs += static_cast<double>(row.size());
      products *= pairs / static_cast<double>(s.outputs);
    }
    const auto numbers =
        static_cast<double>(element_count(shape(p_.lhs)) + element_count(shape(p_.rhs)));
    return products >= least_uses * numbers;
  }

  bool depends_on_position(IndexId index) const {
    return std::ranges::any_of(p_.spatial, [&](const SpatialAxis& s) {
      return space_.depends_on(index, s.lhs_position) || space_.depends_on(index, s.rhs_position);
    });
  }
  bool depends_on_reduced(IndexId index) const {
    return std::ranges::any_of(p_.reduced,
                               [&](std::uint32_t v) { return space_.depends_on(index, v); });
  }

  // None where an axis is of several kinds.
  std::optional<CopyLayout> layout(const Operand& operand, std::int64_t pair_axis,
                                   std::int64_t pairs, bool is_vector) const {
    std::vector<std::pair<Place, std::int64_t>> axes;
    CopyLayout result{.pair_axis = pair_axis, .pairs = pairs, .parts = form_.parts};
    for (std::size_t i = 0; i < operand.at.size(); ++i) {
      const IndexId index = operand.at[i];
      const auto axis = static_cast<std::int64_t>(i);
      const bool position = depends_on_position(index);
      Place place = position                    ? Place::position
                    : axis == pair_axis         ? Place::pair
                    : depends_on_reduced(index) ? Place::reduced
                                                : Place::outer;
      if (is_vector && space_.depends_on(index, t_.v)) {
        if (place != Place::outer || space_.coefficient(index, t_.v) != 1 ||
            t_.v_extent != shape(operand)[i])
          return std::nullopt;
        place = Place::lanes;
      }
      if (!is_vector && is_row_axis(index)) {
        if (!t_.row_axis && (place != Place::outer || space_.coefficient(index, *t_.m) != 1))
          return std::nullopt;
        result.longer_axis = axis;
        result.longer = longer();
      }
      axes.emplace_back(place, axis);
    }
    if (form_.parts > 1)
      axes.emplace_back(Place::part, static_cast<std::int64_t>(operand.at.size()));
    std::ranges::stable_sort(axes, {}, &std::pair<Place, std::int64_t>::first);
    for (const auto& [place, axis] : axes) result.order.push_back(axis);
    if (is_vector && t_.v_extent > panel_lanes) result.panel = panel_lanes;
    return result;
  }

  bool is_row_axis(IndexId index) const {
    if (t_.row_axis) return space_.depends_on(index, p_.spatial[*t_.row_axis].lhs_position);
    return t_.m && space_.depends_on(index, *t_.m);
  }

  // What tiles read beyond the last row, of a block or a group, in elements of the axis.
  std::int64_t longer() const {
    if (!form_.tiles) return 0;
    std::int64_t step = 1;
    for (const RowRange& range : t_.rows) step = std::max(step, range.lhs_step);
    return (tile_side - 1) * step;
  }

  const ProgramDraft& program_;
  const Product& p_;
  const IndexSpace& space_;
  const Tiling& t_;
  const PairForm form_;
};

}  // namespace

std::optional<OperandLayouts> choose_pair_layouts(const ProgramDraft& program, const Product& p,
                                                  const Tiling& tiling, const PairForm& form) {
  return Layouts(program, p, tiling, form).run(program.graph[p.node]);
}

}  // namespace ganc::planning
