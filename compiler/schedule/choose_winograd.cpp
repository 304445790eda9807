#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "compiler/schedule/winograd_kernel.h"

namespace ganc::planning {
namespace {

// In cycles a vector of lanes of a core that multiplies and adds two vectors a cycle.
constexpr double product_cycles = 0.5;
constexpr double other_cycles = 0.6;   // of a load, a store or an addition in a transform
constexpr double strided_cycles = 32;  // of a load whose lanes lie apart
constexpr double near_cycles = 2.5;    // of a vector from L2 or to it
constexpr double middle_cycles = 6.0;  // from L3
constexpr double memory_cycles = 12.0;
constexpr double hidden = 0.5;  // share of the traffic of a product that goes on beside it
// Shares of the limit that the products reach: of a layer, of the gradient of filters, of points.
constexpr double image_efficiency = 0.85, gradient_efficiency = 0.7, point_efficiency = 0.88;
// Of a transform along one axis, along two: with more the error grows.
constexpr std::int64_t most_points_of_one = 8, most_points_of_two = 6;
constexpr std::int64_t min_channels = 16;  // fewer do not pay for the transforms
constexpr std::array<std::int64_t, 3> image_lanes = {32, 64, 128};  // samples and tiles of a unit
constexpr std::array<std::int64_t, 3> image_terms = {128, 64, 32};  // of a product of matrices
constexpr std::array<std::int64_t, 4> gradient_blocks = {128, 64, 32, 16};  // rows, lanes, terms
constexpr std::int64_t most_local_bytes = 896 << 10;  // of a unit, to stay in L2

// `n` and what fills the last block up.
std::int64_t in_blocks(std::int64_t n, std::int64_t block) {
  return blocks(n, block) * block;
}

double real(std::int64_t n) {
  return static_cast<double>(n);
}

// Additions of a transform of one tile along all axes.
double additions(const FilterTransform::Matrix& m, std::size_t axes) {
  double entries = 0, n = 0;
  for (const auto& row : m)
    entries += static_cast<double>(std::ranges::count_if(row, [](double x) { return x != 0; }));
  for (std::size_t i = 0; i < axes; ++i)
    n += entries * std::pow(static_cast<double>(m.size()), static_cast<double>(i)) *
         std::pow(static_cast<double>(m[0].size()), static_cast<double>(axes - 1 - i));
  return n;
}

double direct_cycles(const Product& p, const WinogradForm& form, double efficiency) {
  double products = real(form.samples) * real(form.filters) * real(form.channels);
  for (const SpatialAxis& axis : p.spatial) {
    double pairs = 0;
    for (const auto& row : meeting_positions(axis)) pairs += static_cast<double>(row.size());
    products *= pairs;
  }
  return products * product_cycles / efficiency;
}

// Reads what both forms have in common out of a product.
class Reader {
 public:
  Reader(const ProgramDraft& program, const Product& product)
      : program_(program), p_(product), space_(product.c.space) {}

  bool read(WinogradForm& form) const {
    if (p_.bordered || p_.spatial.empty() || p_.spatial.size() > 2 || p_.c.stores.empty())
      return false;
    if (program_.tensors[p_.lhs.tensor].dtype != DType::f32) return false;
    for (const SpatialAxis& axis : p_.spatial) {
      const auto found = filter_axis(axis);
      if (!found || !plain(axis)) return false;
      form.axes.push_back(*found);
    }
    return find_variables(form);
  }

 private:
  // The output position is a variable of its own.
  bool plain(const SpatialAxis& axis) const {
    const Sum& output = space_[axis.output];
    return output.terms.size() == 1 && output.constant == 0 && output.terms[0].coefficient == 1 &&
           space_.atom(output.terms[0].atom).kind == Atom::Kind::variable;
  }
  bool is_position(std::uint32_t v) const {
    return std::ranges::any_of(
        p_.spatial, [&](const SpatialAxis& axis) { return space_.depends_on(axis.output, v); });
  }
  bool find_variables(WinogradForm& form) const {
    for (std::uint32_t v : p_.free) {
      if (is_position(v)) continue;
      const bool in_lhs = space_.depends_on(p_.lhs.index, v),
                 in_rhs = space_.depends_on(p_.rhs.index, v);
      if (in_lhs == in_rhs) return false;  // groups
      auto& found = in_lhs ? form.sample : form.filter;
      if (found) return false;  // an axis in parts
      found = v;
      (in_lhs ? form.samples : form.filters) = space_.extent(v);
    }
    if (p_.reduced.size() > 1 || !form.filter) return false;
    if (!p_.reduced.empty()) {
      form.channel = p_.reduced[0];
      form.channels = space_.extent(p_.reduced[0]);
    }
    return form.filters >= min_channels;
  }

  const ProgramDraft& program_;
  const Product& p_;
  const IndexSpace& space_;
};

std::pair<std::int64_t, std::int64_t> range_of(const std::vector<FilterAxis>& axes,
                                               std::int64_t FilterAxis::* extent) {
  const auto [least, most] = std::ranges::minmax(axes, {}, extent);
  return {least.*extent, most.*extent};
}

std::int64_t most_points(const WinogradForm& form) {
  return form.axes.size() == 1 ? most_points_of_one : most_points_of_two;
}

// --- a layer, or its data gradient ---------------------------------------------------------------

bool find_lanes(const ProgramDraft& program, const Product& p, ImageForm& form) {
  const IndexSpace& space = p.c.space;
  if (form.channels < min_channels) return false;
  if (program.tensors[p.lhs.tensor].panel > 0 || program.tensors[p.rhs.tensor].panel > 0)
    return false;
  const IndexId stored = p.c.stores[0].index;
  form.lanes_are_samples = form.sample && space.coefficient(stored, *form.sample) == 1;
  // As lanes filters must be contiguous in the product, whichever way they are read.
  form.filters_by_channel =
      form.lanes_are_samples && space.coefficient(p.rhs.index, *form.channel) == 1;
  form.filters_contiguous = space.coefficient(p.rhs.index, *form.filter) == 1;
  if (form.lanes_are_samples) return space.coefficient(p.lhs.index, *form.sample) == 1;
  return space.coefficient(stored, *form.filter) == 1 &&
         space.coefficient(p.lhs.index, *form.channel) == 1;
}

std::int64_t tiles_along(const ImageForm& form, std::size_t axis) {
  return blocks(form.axes[axis].outputs, form.transform.outputs);
}

std::int64_t units(const ImageForm& form) {
  std::int64_t n = blocks(form.samples, form.sample_block) * (form.filters / form.filter_part);
  for (std::size_t i = 0; i < form.axes.size(); ++i)
    n *= form.axes[i].phases * blocks(tiles_along(form, i), form.tile_blocks[i]);
  return n;
}

// Numbers that a form has of each kind.
struct Counts {
  double phases = 1, subs = 1, points = 1, outputs = 1, taps = 1;
  explicit Counts(const WinogradForm& form) {
    const FilterTransform& t = form.transform;
    for (const FilterAxis& axis : form.axes) {
      phases *= real(axis.phases);
      subs *= real(axis.subs * axis.pieces);
      points *= real(t.points());
      outputs *= real(t.outputs);
      taps *= real(t.taps);
    }
  }
};

double cycles(const ImageForm& form) {
  const FilterTransform& t = form.transform;
  const Counts n(form);
  const std::size_t axes = form.axes.size();
  // Tiles and samples, and with those that fill the last blocks up.
  double b = real(form.samples) * n.phases,
         filled = real(in_blocks(form.samples, form.sample_block)) * n.phases;
  for (std::size_t i = 0; i < axes; ++i) {
    b *= real(tiles_along(form, i));
    filled *= real(in_blocks(tiles_along(form, i), form.tile_blocks[i]));
  }
  const double f = real(form.filters), c = real(form.channels) * n.subs,
               slices = real(form.slices()), again = f / real(form.filter_part);
  const double products = filled * f * c * n.points * product_cycles / point_efficiency;
  // A slice at a time: all elements of a tile times a row of the transform, then along the last
  // axis.
  const double slice =
      form.sliced ? 2 * n.points + additions(t.input, 1) : additions(t.input, axes);
  const double image = b * c * again *
                       ((n.points * slices + n.points + slices * slice) * other_cycles +
                        n.points * slices * middle_cycles + 2 * n.points * near_cycles * hidden);
  const double partial =
      2 * filled * f * n.points * (c / real(form.term_part)) * near_cycles * hidden;
  const double results = b * f *
                         ((n.points + 3 * n.outputs + additions(t.output, axes)) * other_cycles +
                          n.points * near_cycles);
  const double transformed = n.phases * f * c * n.points;
  const double filters =
      n.phases * f * c *
      ((n.points + additions(t.filter, axes)) * other_cycles +
       n.taps *
           (form.filters_contiguous || form.filters_by_channel ? other_cycles : strided_cycles));
  // Each unit reads the filters of its phase again, or makes them. What is made once often serves
  // other calls as well: to fetch what is written over is not counted.
  const double times = filled / n.phases / real(form.lanes());
  const double of_filters =
      form.filters_inside
          ? times * (filters + n.phases * f * c * n.taps * middle_cycles +
                     2 * transformed * near_cycles * hidden)
          : filters + transformed * memory_cycles + times * transformed * middle_cycles;
  return products + image + partial + results + of_filters;
}

// Of a unit: tiles and products of a slice, half transformed results, and filters.
std::int64_t local_bytes(const ImageForm& form) {
  const FilterTransform& t = form.transform;
  const std::int64_t lanes = form.lanes();
  std::int64_t planes = 1;
  for (std::size_t i = 0; i < form.axes.size(); ++i) planes *= t.points();
  planes /= form.slices();
  const std::int64_t halves = form.sliced ? t.points() * t.outputs : 0;
  const std::int64_t filters = form.filters_inside ? planes * form.term_part * form.filter_part : 0;
  return 4 * (lanes * (planes * (form.term_part + form.filter_part) + halves * form.filter_part) +
              filters);
}

// As rows a panel, whose elements of a term lie beside each other; as lanes whole vectors.
std::int64_t filter_block(const ImageForm& form, std::int64_t register_rows) {
  if (form.lanes_are_samples)
    return std::min(form.filter_part, rows_of_panel(form.filter_part, register_rows));
  for (const std::int64_t lanes : {32, 16})
    if (form.filter_part % lanes == 0) return lanes;
  return form.filter_part;
}

// Of about so many tiles, the last axis first, all blocks of an axis alike.
void set_tile_blocks(ImageForm& form, std::int64_t tiles) {
  form.tile_blocks.assign(form.axes.size(), 1);
  for (std::size_t i = form.axes.size(); i-- > 0;) {
    const std::int64_t all = tiles_along(form, i), block = std::clamp<std::int64_t>(tiles, 1, all);
    form.tile_blocks[i] = blocks(all, blocks(all, block));
    if (form.tile_blocks[i] < all) return;
    tiles /= all;
  }
}

void choose_blocks(ImageForm& form, std::int64_t register_rows) {
  std::int64_t subs = 1;
  for (const FilterAxis& axis : form.axes) subs *= axis.subs * axis.pieces;
  ImageForm best;
  std::pair<bool, double> least(true, std::numeric_limits<double>::infinity());
  const auto consider = [&] {
    const bool fits = local_bytes(form) <= most_local_bytes && units(form) >= min_units;
    // Where none fits, the smallest unit.
    const std::pair value(!fits, fits ? cycles(form) : real(local_bytes(form)));
    if (value < least) least = value, best = form;
  };
  for (const auto& [sliced, inside] : {std::pair(false, false), {true, false}, {false, true}}) {
    if (sliced && form.axes.size() != 2) continue;
    if (inside && form.filters_by_channel) continue;
    form.sliced = sliced;
    form.filters_inside = inside;
    for (const std::int64_t terms : image_terms) {
      const std::int64_t channel_part = divisor_up_to(form.channels, terms);
      form.term_part = channel_part == form.channels
                           ? channel_part * divisor_up_to(subs, terms / channel_part)
                           : channel_part;
      for (const std::int64_t lanes : image_lanes) {
        form.sample_block = 1;
        if (form.lanes_are_samples) {
          const std::int64_t parts = blocks(form.samples, lanes);
          form.sample_block = std::min(form.samples, blocks(blocks(form.samples, parts), 8) * 8);
        }
        set_tile_blocks(form, lanes / form.sample_block);
        for (form.filter_part = form.filters;; form.filter_part /= 2) {
          form.filter_block = filter_block(form, register_rows);
          consider();
          if (form.filter_part % 2 != 0 || form.filter_part < 2 * min_channels) break;
        }
      }
    }
  }
  form = best;
}

// --- the gradient of filters ---------------------------------------------------------------------

bool find_lanes(const Product& p, GradientForm& form) {
  const IndexSpace& space = p.c.space;
  if (!form.sample || form.samples < min_channels) return false;
  const IndexId stored = p.c.stores[0].index;
  form.lanes_are_filters = space.coefficient(stored, *form.filter) == 1;
  const Operand &rows = form.lanes_are_filters ? p.lhs : p.rhs,
                &lanes = form.lanes_are_filters ? p.rhs : p.lhs;
  const std::uint32_t lane = form.lanes_are_filters ? *form.filter : *form.sample,
                      row = form.lanes_are_filters ? *form.sample : *form.filter;
  form.rows_by_channel = form.channel && space.coefficient(rows.index, *form.channel) == 1;
  if (form.rows_by_channel ? form.channels < min_channels : space.coefficient(rows.index, row) != 1)
    return false;
  return space.coefficient(stored, lane) == 1 && space.coefficient(lanes.index, lane) == 1;
}

std::int64_t rows_of(const GradientForm& form) {
  return form.lanes_are_filters ? form.samples : form.filters;
}
std::int64_t lanes_of(const GradientForm& form) {
  return form.lanes_are_filters ? form.filters : form.samples;
}

std::int64_t all_tiles(const GradientForm& form) {
  std::int64_t n = 1;
  for (const FilterAxis& axis : form.axes) n *= blocks(axis.taps, form.transform.taps);
  return n;
}

double cycles(const GradientForm& form) {
  const FilterTransform& t = form.transform;
  const std::size_t axes = form.axes.size();
  double phases = 1, points = 1;
  for (const FilterAxis& axis : form.axes) {
    phases *= real(axis.phases * axis.pieces);
    points *= real(t.points());
  }
  const double rows = real(rows_of(form)), lanes = real(lanes_of(form)),
               sums =
                   phases * real(in_blocks(all_tiles(form), form.tile_block)) * real(form.channels);
  const double products = sums * rows * lanes * points * product_cycles / point_efficiency;
  const FilterTransform::Matrix &of_rows = form.lanes_are_filters ? t.input : t.filter,
                                &of_lanes = form.lanes_are_filters ? t.filter : t.input;
  const auto work = [&](const FilterTransform::Matrix& m) {
    const double elements = std::pow(static_cast<double>(m[0].size()), static_cast<double>(axes));
    return (elements + points + additions(m, axes)) * other_cycles + elements * middle_cycles +
           2 * points * near_cycles;
  };
  const double row_times = lanes / real(form.lane_block), lane_times = rows / real(form.row_block),
               partial =
                   2 * rows * lanes * points * sums / real(form.terms()) * near_cycles * hidden;
  if (form.points_inside)
    return products + sums * rows * row_times * work(of_rows) +
           sums * lanes * lane_times * work(of_lanes) + partial;
  const double moved = sums * points *
                       ((rows + lanes) * memory_cycles +
                        (rows * row_times + lanes * lane_times) * middle_cycles * hidden);
  return products + sums * rows * work(of_rows) + sums * lanes * work(of_lanes) + partial + moved;
}

// Of a unit: points of rows, of lanes, and sums.
std::int64_t local_bytes(const GradientForm& form) {
  std::int64_t points = 1;
  for (std::size_t i = 0; i < form.axes.size(); ++i) points *= form.transform.points();
  const std::int64_t inside =
      form.points_inside ? form.terms() * (form.row_block + form.lane_block) : 0;
  return 4 * points * (inside + form.row_block * form.lane_block);
}

bool choose_blocks(GradientForm& form, bool may_make_points) {
  std::int64_t phases = 1;
  for (const FilterAxis& axis : form.axes) phases *= axis.phases * axis.pieces;
  const std::int64_t tiles = all_tiles(form);
  GradientForm best;
  std::pair<bool, double> least(true, std::numeric_limits<double>::infinity());
  for (const bool inside : {true, false})
    for (const std::int64_t row_block : gradient_blocks)
      for (const std::int64_t lane_block : gradient_blocks)
        for (const std::int64_t terms : gradient_blocks) {
          if (!inside && !may_make_points) continue;
          form.points_inside = inside;
          form.row_block = divisor_up_to(rows_of(form), row_block);
          form.lane_block = lane_block;
          if (lanes_of(form) % lane_block != 0) continue;
          form.channel_block = divisor_up_to(form.channels, terms);
          form.tile_block = form.rows_by_channel
                                ? 1
                                : std::clamp<std::int64_t>(terms / form.channel_block, 1, tiles);
          form.tile_block = blocks(tiles, blocks(tiles, form.tile_block));
          // Terms of a block lie beside each other.
          if (!inside && form.tile_block > 1 && form.channel_block < form.channels) continue;
          const std::int64_t units =
              phases * (rows_of(form) / form.row_block) * (lanes_of(form) / form.lane_block);
          if (form.row_block < 8 || form.terms() < 8) continue;
          const bool fits = units >= min_units && local_bytes(form) <= most_local_bytes;
          // Where none fits, the smallest unit.
          const std::pair value(!fits, fits ? cycles(form) : real(local_bytes(form)));
          if (value < least) least = value, best = form;
        }
  if (least.second == std::numeric_limits<double>::infinity()) return false;
  form = best;
  return true;
}

}  // namespace

std::optional<ImageForm> choose_image_form(const ProgramDraft& program, const Product& product,
                                           double least_gain) {
  ImageForm form;
  if (!Reader(program, product).read(form) || !find_lanes(program, product, form))
    return std::nullopt;
  const std::vector<FilterAxis> axes = form.axes;
  const auto [least_taps, most_taps] = range_of(axes, &FilterAxis::taps);
  const std::int64_t least_outputs = range_of(axes, &FilterAxis::outputs).first;
  std::optional<ImageForm> best;
  if (least_taps < 2) return best;
  double least = direct_cycles(product, form, image_efficiency) / least_gain;
  for (std::int64_t taps = 2; taps <= most_taps; ++taps)
    for (std::int64_t outputs = 2; outputs + taps - 1 <= most_points(form); ++outputs) {
      if (outputs > least_outputs) break;
      form.transform = filter_transform(outputs, taps);
      for (std::size_t i = 0; i < axes.size(); ++i) form.axes[i] = in_pieces_of_taps(axes[i], taps);
      choose_blocks(form, program.register_rows);
      if (const double c = cycles(form); c < least) least = c, best = form;
    }
  return best;
}

std::optional<GradientForm> choose_gradient_form(const ProgramDraft& program,
                                                 const Product& product, double least_gain) {
  GradientForm form;
  if (!Reader(program, product).read(form) || !find_lanes(product, form)) return std::nullopt;
  const Operand& lanes = form.lanes_are_filters ? product.rhs : product.lhs;
  const bool may_make_points = !form.rows_by_channel && program.tensors[lanes.tensor].panel == 0;
  const std::vector<FilterAxis> axes = form.axes;
  const auto [least_outputs, most_outputs] = range_of(axes, &FilterAxis::outputs);
  const std::int64_t least_taps = range_of(axes, &FilterAxis::taps).first;
  std::optional<GradientForm> best;
  if (least_outputs < 2) return best;
  for (const FilterAxis& axis : axes)
    if (axis.subs != 1) return best;
  double least = direct_cycles(product, form, gradient_efficiency) / least_gain;
  for (std::int64_t outputs = 2; outputs <= most_outputs; ++outputs)
    for (std::int64_t taps = 2; outputs + taps - 1 <= most_points(form); ++taps) {
      if (taps > least_taps) break;
      form.transform = filter_transform(outputs, taps);
      for (std::size_t i = 0; i < axes.size(); ++i)
        form.axes[i] = in_pieces_of_outputs(axes[i], outputs);
      if (!choose_blocks(form, may_make_points)) continue;
      if (const double c = cycles(form); c < least) least = c, best = form;
    }
  return best;
}

}  // namespace ganc::planning
