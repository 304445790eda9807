#include <algorithm>
#include <tuple>

#include "compiler/schedule/contraction.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t wanted_units = 32;
constexpr std::int64_t min_unit_products = 1 << 16;  // multiplications that are worth a unit
constexpr std::int64_t many_blocks = 16;         // so that one more or less makes no thread wait
constexpr std::int64_t tile_rows = 32;           // and tiles
constexpr std::int64_t panel_bytes = 512 << 10;  // of the scalar operand, to stay in the L2 cache
constexpr std::int64_t far_bytes = 4 << 20;      // of it, that no cache holds for all units
constexpr std::int64_t least_panel_rows = 16;    // of it, so that the other operand is read seldom
constexpr std::int64_t large_filters = 2 << 20;  // bytes that L2 does not hold beside an image
constexpr std::int64_t cache_bytes = 1 << 20;    // of both operands of a sum that is done in one go
constexpr std::int64_t min_part_terms = 512;  // of a part of a sum: fewer do not pay for the stores
constexpr std::int64_t wanted_filter_units = 8;  // each of which reads its filters
constexpr std::int64_t filter_lanes = 64;        // of such a unit
constexpr std::int64_t panel_part_terms = 256;   // a panel of 16 KB
constexpr std::int64_t large_tile_rows = 14;     // a cache line of them for each step

// The divisor of n that is at least `least` and nearest to it; n itself if there is none below.
std::int64_t divisor_from(std::int64_t n, std::int64_t least) {
  for (std::int64_t d = std::max<std::int64_t>(least, 1); d < n; ++d)
    if (n % d == 0) return d;
  return n;
}

class Cutter {
 public:
  Cutter(const ProgramDraft& program, const Product& product, Tiling& tiling)
      : program_(program), p_(product), space_(product.c.space), t_(tiling) {}

  void run() {
    choose_outer();
    choose_blocks();
    const std::int64_t panel = program_.tensors[scalar_operand().tensor].panel;
    if (panel == 0) return choose_parts();
    const bool alone = !t_.blocks_shared && t_.shared == t_.outer.size();
    t_.m_block = alone ? t_.m_extent : (t_.m_block + panel - 1) / panel * panel;
  }

 private:
  std::int64_t rows_of_block() const { return p_.tiles ? tile_rows : min_rows; }
  const Operand& vector_operand() const { return t_.lhs_is_vector ? p_.lhs : p_.rhs; }
  const Operand& scalar_operand() const { return t_.lhs_is_vector ? p_.rhs : p_.lhs; }
  std::int64_t stored(const Axis& axis) const {
    return space_.coefficient(p_.c.stores[0].index, axis.variable);
  }

  void choose_outer() {
    for (std::uint32_t v : p_.free)
      if (v != t_.v && v != t_.m) t_.outer.push_back({v, space_.extent(v)});
    std::ranges::stable_sort(t_.outer,
                             [&](const Axis& a, const Axis& b) { return stored(a) > stored(b); });
  }

  void choose_blocks() {
    t_.m_block = t_.m_extent;
    t_.v_block = t_.v_extent;
    const std::int64_t k = sum_terms(p_);
    std::int64_t outer = 1;
    for (const Axis& axis : t_.outer) outer *= axis.extent;
    const std::int64_t all = outer * t_.m_extent * t_.v_extent * k;
    const std::int64_t units = std::min(wanted_units, all / min_unit_products);
    if (reads_again(k)) {
      const SumBlocks blocks = choose_sum_blocks(t_, k, program_.register_rows);
      t_.shared = blocks.shared;
      t_.m_block = blocks.m_block;
      t_.v_block = blocks.v_block;
      t_.blocks_shared = t_.m_block < t_.m_extent || t_.v_block < t_.v_extent;
      return;
    }
    const bool parts_in_cache = program_.tensors[vector_operand().tensor].panel > 0;
    if (!t_.row_axis && !parts_in_cache && t_.m_extent * k * 4 > far_bytes)
      return share_panels(k, units);
    if (t_.row_axis && !t_.lhs_is_vector && !p_.tiles && t_.v_extent * k * 4 > large_filters &&
        t_.v_extent > filter_lanes)
      return share_filters();
    std::int64_t shared = 1;
    while (t_.shared < t_.outer.size() && shared < units) shared *= t_.outer[t_.shared++].extent;
    if (t_.row_axis) {
      t_.v_block = shared < units && t_.v_extent >= 128 ? 64 : t_.v_extent;
      t_.blocks_shared = t_.v_block < t_.v_extent;
    } else if (shared < units) {
      const std::int64_t blocks = (units + shared - 1) / shared;
      share_rows(std::max(rows_of_block(), t_.m_extent / blocks));
      shared *= (t_.m_extent + t_.m_block - 1) / t_.m_block;
      share_lanes(shared, units);
      t_.blocks_shared = t_.m_block < t_.m_extent || t_.v_block < t_.v_extent;
    } else if (t_.m_extent * k * 4 > panel_bytes) {
      t_.m_block = divisor_from(t_.m_extent, std::max<std::int64_t>(32, panel_bytes / (4 * k)));
    }
  }

  // Whether sums of so many terms, too long for a cache, read the operands for every position of
  // the result again: those of a filter's gradient.
  bool reads_again(std::int64_t terms) const {
    return !t_.row_axis && !p_.tiles && terms >= 4 * min_part_terms &&
           (t_.m_extent + t_.v_extent) * terms * 4 > cache_bytes && taps_are_results(p_);
  }
  // Blocks of about so many rows: whole blocks where they fill register tiles, for a tile of few
  // rows waits for the vectors it reads; else such that two threads have as much to do.
  void share_rows(std::int64_t wanted) {
    t_.m_block = divisor_from(t_.m_extent, wanted);
    if (t_.m_block > 4 * wanted) t_.m_block = wanted;  // no useful divisor: a rest
    if (p_.tiles || t_.v_extent < 2 * panel_lanes || t_.m_extent / wanted < many_blocks) return;
    double least = block_cost(t_.m_block);
    for (std::int64_t rows = program_.register_rows / 2; rows <= 2 * wanted; ++rows)
      if (const double cost = block_cost(rows); cost < least) least = cost, t_.m_block = rows;
  }

  // Of all rows in blocks of so many: a row, and for each tile that reads the vectors another; the
  // time of the slower of two threads.
  double block_cost(std::int64_t rows) const {
    const std::int64_t blocks = (t_.m_extent + rows - 1) / rows,
                       tiles = (rows + program_.register_rows - 1) / program_.register_rows;
    return static_cast<double>((blocks + 1) / 2 * (rows + tiles));
  }

  // Where the scalar operand does not stay in the caches, a unit has a block of its rows that stays
  // in L2, and several positions, one after the other.
  void share_panels(std::int64_t k, std::int64_t units) {
    t_.m_block = divisor_from(t_.m_extent,
                              std::max<std::int64_t>(least_panel_rows, panel_bytes / 2 / (4 * k)));
    std::int64_t shared = (t_.m_extent + t_.m_block - 1) / t_.m_block;
    t_.blocks_shared = shared > 1;
    while (t_.shared < t_.outer.size() && shared < units) {
      const std::int64_t extent = t_.outer[t_.shared++].extent;
      // No more units than are wanted: the other positions are one after the other.
      if (shared * extent > units) t_.shared_block = divisor_up_to(extent, extent * shared / units);
      shared *= extent / t_.shared_block;
    }
    share_lanes(shared, units);
    t_.blocks_shared |= t_.v_block < t_.v_extent;
  }

  // Filters larger than L2, of few samples: a unit has some of them and does a part of the sums of
  // many positions after the other, so that it reads each filter once or a few times.
  void share_filters() {
    const bool panels = program_.tensors[vector_operand().tensor].panel > 0;
    t_.v_block = filter_lanes;
    if (panels && t_.v_extent < wanted_filter_units * filter_lanes) t_.v_block /= 2;
    t_.blocks_shared = true;
    std::int64_t shared = (t_.v_extent + t_.v_block - 1) / t_.v_block;
    while (t_.shared < t_.outer.size() && shared < wanted_filter_units) {
      const std::int64_t extent = t_.outer[t_.shared++].extent;
      if (shared * extent > wanted_filter_units)
        t_.shared_block = divisor_up_to(extent, extent * shared / wanted_filter_units);
      shared *= extent / t_.shared_block;
    }
  }

  // Blocks of lanes where the other axes make fewer units than are wanted.
  void share_lanes(std::int64_t shared, std::int64_t units) {
    if (shared >= units || t_.v_extent < 128) return;
    const std::int64_t wanted = (units + shared - 1) / shared;
    t_.v_block = std::max<std::int64_t>(64, (t_.v_extent / wanted + 63) / 64 * 64);
  }

  void choose_parts() {
    if (p_.spatial.empty()) return;
    const std::int64_t k = sum_terms(p_);
    const Tensor& vectors = program_.tensors[vector_operand().tensor];
    const bool panels = vectors.panel > 0;
    if (k < 4 * min_part_terms) return;
    if (!panels && (t_.m_block + t_.v_block) * k * byte_size(vectors.dtype) <= cache_bytes) return;
    // Without panels whole rows of the image, but for dot products; with them, what the first cache
    // holds of a panel.
    std::int64_t pairs = panels ? panel_part_terms : min_part_terms;
    if (reads_again(k)) pairs = part_terms(t_, {t_.shared, t_.m_block, t_.v_block});
    for (std::uint32_t v : t_.reduced) pairs = std::max<std::int64_t>(pairs / space_.extent(v), 1);
    // Of what lies nearest in the vectors first.
    struct Length {
      std::int64_t stride, positions;
      std::size_t axis;
      bool row = false;
    };
    std::vector<Length> lengths;
    const auto add = [&](std::uint32_t v, std::int64_t positions) {
      const std::int64_t stride = std::abs(space_.coefficient(vector_operand().index, v));
      lengths.push_back({stride, positions, lengths.size()});
    };
    for (std::uint32_t v : t_.reduced_outside) add(v, space_.extent(v));
    for (const SpatialAxis& s : p_.spatial)
      add(t_.lhs_is_vector ? s.lhs_position : s.rhs_position, std::min(s.lhs_extent, s.rhs_extent));
    lengths.back().row = lengths.size() > 1 && !panels && !t_.dot;  // of the image: the last axis
    std::ranges::stable_sort(lengths, [](const Length& a, const Length& b) {
      return std::tie(a.stride, b.axis) < std::tie(b.stride, a.axis);
    });
    t_.part_pairs.resize(lengths.size());
    for (const Length& length : lengths) {
      t_.part_pairs[length.axis] =
          length.row ? length.positions : std::min(pairs, length.positions);
      pairs = std::max<std::int64_t>(pairs / length.positions, 1);
    }
  }

  const ProgramDraft& program_;
  const Product& p_;
  const IndexSpace& space_;
  Tiling& t_;
};

}  // namespace

void choose_blocks(const ProgramDraft& program, const Product& product, Tiling& tiling) {
  Cutter(program, product, tiling).run();
}

std::int64_t sum_terms(const Product& product) {
  std::int64_t n = 1;
  for (std::uint32_t v : product.reduced) n *= product.c.space.extent(v);
  for (const SpatialAxis& s : product.spatial) n *= std::min(s.lhs_extent, s.rhs_extent);
  return n;
}

bool taps_are_results(const Product& product) {
  return !product.spatial.empty() && std::ranges::all_of(product.spatial, [](const SpatialAxis& s) {
    return s.rhs_extent >= s.outputs;
  });
}

std::int64_t rows_of_panel(std::int64_t rows, std::int64_t register_rows) {
  // A tile costs its rows, no less than four for its sums wait for each other, and what it reads of
  // the other operand.
  const auto tile_cost = [](std::int64_t r) {
    return r > 0 ? std::max<double>(static_cast<double>(r), 4) + 1.5 : 0;
  };
  const auto cost = [&](std::int64_t r) {
    return static_cast<double>(r / register_rows) * tile_cost(register_rows) +
           tile_cost(r % register_rows);
  };
  const std::int64_t most = large_tile_rows / register_rows * register_rows;
  std::int64_t best = most;
  double least = 1e300;
  for (std::int64_t panel = most; panel >= most / 2; --panel) {
    const std::int64_t rest = rows % panel;
    const double all = static_cast<double>(rows / panel) * cost(panel) + cost(rest);
    if (all < least) least = all, best = panel;
  }
  return best;
}

std::int64_t divisor_up_to(std::int64_t extent, std::int64_t most) {
  std::int64_t d = std::min(extent, most);
  while (extent % d != 0) --d;
  return d;
}

}  // namespace ganc::planning
