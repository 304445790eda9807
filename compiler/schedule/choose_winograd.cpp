#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/schedule/winograd.h"

namespace ganc::planning {
namespace {

// In cycles a vector of lanes of a core that multiplies and adds two vectors a cycle.
constexpr double product_cycles = 0.5;
constexpr double direct_efficiency = 0.85, transformed_efficiency = 0.75;
constexpr double other_cycles = 0.6;       // of a load, a store or an addition in a transform
constexpr double memory_cycles = 1.0;      // of an element that goes to memory and back, a vector
constexpr double least_gain = 1.15;        // below, the direct way: it is the more exact one
constexpr std::int64_t block_lanes = 32;   // samples and tiles of a unit
constexpr std::int64_t min_channels = 16;  // fewer do not pay for the transforms
constexpr std::int64_t min_units = 8;

std::int64_t blocks(std::int64_t extent, std::int64_t block) {
  return (extent + block - 1) / block;
}

double entries(const FilterTransform::Matrix& m) {
  double n = 0;
  for (const auto& row : m)
    n += static_cast<double>(std::ranges::count_if(row, [](double x) { return x != 0; }));
  return n;
}

// Additions of a transform of one tile along all axes, from `from` to `to` elements an axis.
double additions(const FilterTransform::Matrix& m, std::size_t axes, std::int64_t from,
                 std::int64_t to) {
  double n = 0;
  for (std::size_t i = 0; i < axes; ++i)
    n += entries(m) * std::pow(static_cast<double>(to), static_cast<double>(i)) *
         std::pow(static_cast<double>(from), static_cast<double>(axes - 1 - i));
  return n;
}

class Chooser {
 public:
  Chooser(const ProgramDraft& program, const Product& product)
      : program_(program), p_(product), space_(product.c.space) {}

  std::optional<WinogradForm> run() {
    if (p_.spatial.empty() || p_.spatial.size() > 2 || p_.c.stores.empty()) return std::nullopt;
    const Tensor &lhs = program_.tensors[p_.lhs.tensor], &rhs = program_.tensors[p_.rhs.tensor];
    if (lhs.dtype != DType::f32 || lhs.panel > 0 || rhs.panel > 0) return std::nullopt;
    for (const SpatialAxis& axis : p_.spatial) {
      const auto form = filter_axis(axis);
      if (!form || !plain(axis)) return std::nullopt;
      form_.axes.push_back(*form);
    }
    if (!find_variables() || !find_lanes()) return std::nullopt;
    std::optional<WinogradForm> best;
    double least = direct() / least_gain;
    for (const std::int64_t outputs : std::array{2, 4}) {
      WinogradForm form = form_;
      if (!transform(form, outputs)) continue;
      choose_blocks(form);
      const double cycles = transformed(form);
      if (cycles < least) least = cycles, best = form;
    }
    return best;
  }

 private:
  // The output position is a variable of its own.
  bool plain(const SpatialAxis& axis) const {
    const Sum& output = space_[axis.output];
    if (axis.outputs == 1) return output.terms.empty();
    return output.terms.size() == 1 && output.constant == 0 && output.terms[0].coefficient == 1 &&
           space_.atom(output.terms[0].atom).kind == Atom::Kind::variable;
  }
  bool is_position(std::uint32_t v) const {
    return std::ranges::any_of(
        p_.spatial, [&](const SpatialAxis& axis) { return space_.depends_on(axis.output, v); });
  }

  bool find_variables() {
    for (std::uint32_t v : p_.free) {
      if (is_position(v)) continue;
      const bool in_lhs = space_.depends_on(p_.lhs.index, v),
                 in_rhs = space_.depends_on(p_.rhs.index, v);
      if (in_lhs == in_rhs) return false;  // groups
      auto& found = in_lhs ? form_.sample : form_.filter;
      if (found) return false;  // an axis in parts
      found = v;
      (in_lhs ? form_.samples : form_.filters) = space_.extent(v);
    }
    if (p_.reduced.size() > 1) return false;
    if (!p_.reduced.empty()) {
      form_.channel = p_.reduced[0];
      form_.channels = space_.extent(p_.reduced[0]);
    }
    return form_.filter && form_.channel && form_.channels >= min_channels &&
           form_.filters >= min_channels;
  }

  bool find_lanes() {
    const IndexId stored = p_.c.stores[0].index;
    form_.filters_by_channel = space_.coefficient(p_.rhs.index, *form_.channel) == 1;
    if (form_.sample && space_.coefficient(stored, *form_.sample) == 1) {
      form_.lanes_are_samples = true;
      return space_.coefficient(p_.lhs.index, *form_.sample) == 1;
    }
    form_.lanes_are_samples = false;
    return space_.coefficient(stored, *form_.filter) == 1 &&
           space_.coefficient(p_.lhs.index, *form_.channel) == 1;
  }

  static bool transform(WinogradForm& form, std::int64_t outputs) {
    for (const FilterAxis& axis : form.axes) {
      if (axis.taps < 2 || axis.taps > 3 || axis.outputs < outputs) return false;
      if (axis.taps != form.axes[0].taps) return false;
      form.transforms.push_back(filter_transform(outputs, axis.taps));
    }
    return true;
  }

  static void choose_blocks(WinogradForm& form) {
    const std::int64_t last = blocks(form.axes.back().outputs, form.transforms.back().outputs);
    std::int64_t wanted = block_lanes;
    for (;; wanted /= 2) {
      const std::int64_t parts = blocks(form.samples, wanted);
      form.sample_block = form.lanes_are_samples
                              ? std::min(form.samples, blocks(blocks(form.samples, parts), 8) * 8)
                              : 1;
      form.tile_block = std::clamp<std::int64_t>(wanted / form.sample_block, 1, last);
      std::int64_t units = blocks(form.samples, form.sample_block) * blocks(last, form.tile_block);
      for (std::size_t i = 0; i < form.axes.size(); ++i) {
        units *= form.axes[i].phases;
        if (i + 1 < form.axes.size())
          units *= blocks(form.axes[i].outputs, form.transforms[i].outputs);
      }
      if (units >= min_units || wanted <= 8) break;
    }
    form.filter_block = form.filters;
    for (std::int64_t b = 64; b >= 16; b -= 16)
      if (form.filters % b == 0) {
        form.filter_block = b;
        break;
      }
  }

  double direct() const {
    double products = static_cast<double>(form_.samples * form_.filters * form_.channels);
    for (const SpatialAxis& axis : p_.spatial) {
      double pairs = 0;
      for (const auto& row : meeting_positions(axis)) pairs += static_cast<double>(row.size());
      products *= pairs;
    }
    return products * product_cycles / direct_efficiency;
  }

  double transformed(const WinogradForm& form) const {
    double tiles = 1, phases = 1, subs = 1, points = 1, outputs = 1, taps = 1;
    for (std::size_t i = 0; i < form.axes.size(); ++i) {
      const FilterTransform& t = form.transforms[i];
      tiles *= static_cast<double>(blocks(form.axes[i].outputs, t.outputs));
      phases *= static_cast<double>(form.axes[i].phases);
      subs *= static_cast<double>(form.axes[i].subs);
      points *= static_cast<double>(t.points());
      outputs *= static_cast<double>(t.outputs);
      taps *= static_cast<double>(t.taps);
    }
    const FilterTransform& t = form.transforms[0];
    const std::size_t axes = form.axes.size();
    const double b = static_cast<double>(form.samples) * phases * tiles,
                 f = static_cast<double>(form.filters),
                 c = static_cast<double>(form.channels) * subs;
    const double products = b * f * c * points * product_cycles / transformed_efficiency;
    const double image = b * c * (2 * points + additions(t.input, axes, t.points(), t.points()));
    const double results =
        b * f * (2 * points + 3 * outputs + additions(t.output, axes, t.points(), t.outputs));
    const double filters =
        phases * f * c * (taps + 2 * points + additions(t.filter, axes, t.taps, t.points()));
    // Each unit reads the filters of its phase again.
    const double lanes = static_cast<double>(form.sample_block * form.tile_block);
    const double moved = phases * f * c * points + b * f * c * points / lanes / 4;
    return products + (image + results + filters) * other_cycles + moved * memory_cycles;
  }

  const ProgramDraft& program_;
  const Product& p_;
  const IndexSpace& space_;
  WinogradForm form_;
};

}  // namespace

std::optional<WinogradForm> choose_winograd(const ProgramDraft& program, const Product& product) {
  return Chooser(program, product).run();
}

}  // namespace ganc::planning
