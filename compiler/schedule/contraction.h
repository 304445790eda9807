#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "compiler/schedule/lower.h"

namespace ganc::planning {

// A contraction as a product of two operands in memory, before its loops are chosen.
//   free        variables of the result: outer loops, the rows m, the lanes v
//   reduced     contracted axes (and the channels of a convolution)
//   spatial     axes of a convolution on which pairs of positions meet (tables)
// Every index of an operand is affine in free and reduced variables and its positions.
struct SpatialAxis {
  Window window;
  std::int64_t outputs = 1, lhs_extent = 1, rhs_extent = 1;
  std::uint32_t lhs_position = 0, rhs_position = 0;  // variables
  IndexId output;                                    // index of the result's axis
};
struct Operand {
  NodeId node;
  std::vector<IndexId> at;
  std::uint32_t tensor = no_tensor;
  IndexId index;
};
struct Product {
  NodeId node;
  Computation c;  // stores: the results; the contraction's sum is an expression in them
  std::vector<std::uint32_t> free, reduced;
  std::vector<SpatialAxis> spatial;
  bool bordered = false;  // the last axis of lhs has its border in memory
  Operand lhs, rhs;
  // Of pairs of bf16: in how many parts each number is, 1 or 2; of two, the products are those of
  // first with second, first with first, and second with first. 0: the numbers themselves.
  std::int64_t parts = 0;
  bool tiles = false;  // and may be done in tiles
};

// What `make_product` does where an operand cannot be read as it lies: `lhs` or `rhs` copied in
// this layout; its index is then that within the first panel. Where lhs has a border, the output
// positions of the last axis are free variables of it that all meet the same taps: one more reduced
// axis, or where lhs_dilation is more than 1 a spatial axis of so many outputs. Both or none
// are in pairs, along the last contracted axis.
struct OperandLayouts {
  std::optional<CopyLayout> lhs, rhs;
};
// What makes the lhs of an axis long enough for all taps of every output position.
Border border_of(const SpatialAxis& axis);
// Whether a copy with a border, of such strides, goes on from the first axis, which has so many
// elements, to the next tap of its last one as from element to element.
bool rows_follow(const std::vector<std::int64_t>& strides, std::int64_t first,
                 const Window& window);
// Null where no domain suits.
std::unique_ptr<Product> make_product(ProgramDraft& program, const Group& group,
                                      const OperandLayouts& copied);

// Pairs (position in lhs, position in rhs) for each output position: exactly those that meet inside
// both.
std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> meeting_positions(
    const SpatialAxis& axis);

// Output positions of a spatial axis that make rows of one register tile: position first + i * step
// reads the positions of `first`, each of lhs moved by i * lhs_step. Positions near a border meet
// fewer: they are rows of their own.
struct RowRange {
  std::int64_t first = 0, step = 1, count = 1, lhs_step = 0;
  bool alone = false;  // every position by itself
};
std::vector<RowRange> row_ranges(const SpatialAxis& axis);

// The largest divisor of `extent` that is at most `most`, which is at least 1.
std::int64_t divisor_up_to(std::int64_t extent, std::int64_t most);

// How many of so many rows are a panel of the scalar operand: those of one large register tile, or
// of two.
std::int64_t rows_of_panel(std::int64_t rows, std::int64_t register_rows);

inline constexpr std::int64_t min_rows = 8;  // of a block, so that register tiles are full

// Which variable is what, and how the work is cut. Depends on shapes and layouts alone.
struct Tiling {
  bool lhs_is_vector = false;  // b is lhs
  bool dot = false;            // sums are dot products along the innermost of `reduced`
  std::uint32_t v = 0;
  std::optional<std::uint32_t> m;       // rows; both operands may move with them
  std::optional<std::size_t> row_axis;  // m is the output position of this spatial axis
  std::vector<RowRange> rows;           // then: its parts
  std::int64_t v_extent = 1, m_extent = 1, v_block = 1, m_block = 1;
  std::vector<Axis> outer;             // the outermost first
  std::size_t shared = 0;              // so many of `outer` are units,
  std::int64_t shared_block = 1;       // of the last of them so many in a unit,
  bool blocks_shared = false;          // with the blocks of m and v
  std::vector<std::uint32_t> reduced;  // innermost last
  // Reduced axes that the vectors walk through in longer strides than through any position: sums
  // walk through positions inside.
  std::vector<std::uint32_t> reduced_outside;
  // The sum is done in parts of so many pairs of each axis outside and then of each spatial axis,
  // partial results in memory, so that what one part reads of both operands stays in cache; none:
  // in one go. What of `outer` is not shared is done part by part.
  std::vector<std::int64_t> part_pairs;
};
// None: no lanes, or rows too few to pay for a copy. `vector`: the layout in which that operand
// must be copied before there is a tiling; `scalar`: that in which this one is better read, though
// the tiling holds without; none: it lies well.
struct TilingChoice {
  Tiling tiling;
  std::optional<CopyLayout> vector, scalar;
};
std::optional<TilingChoice> choose_tiling(const ProgramDraft& program, const Product& product);

// Appends the kernel of a product in such a tiling, all operands as it wants them.
void write_contraction(ProgramDraft& program, const Group& group, Product& product,
                       const Tiling& tiling);

// Sets what lies around the tiles: outer loops, units, blocks and parts of the sums.
//   needs    lanes, rows and reduced axes of `tiling`, the operands as they are read
void choose_blocks(const ProgramDraft& program, const Product& product, Tiling& tiling);
// Products of one sum, counting the taps of an inner position.
std::int64_t sum_terms(const Product& product);
// Whether the spatial axes are those of a filter's gradient: longer sums than results.
bool taps_are_results(const Product& product);

// How long sums are shared out of which operands are read again for every position of the result,
// as for the gradient of a filter: units of so many of `outer`, with blocks of rows and lanes.
struct SumBlocks {
  std::size_t shared = 0;
  std::int64_t m_block = 1, v_block = 1;
};
// By a model of cycles, which of all ways is the fastest; sums of `terms` products.
SumBlocks choose_sum_blocks(const Tiling& tiling, std::int64_t terms, std::int64_t register_rows);
// Of each sum in such blocks so many terms at a time.
std::int64_t part_terms(const Tiling& tiling, const SumBlocks& blocks);

// How numbers become pairs of bf16: in one part or two; for tiles or for vectors; though the copies
// may cost more than they save.
struct PairForm {
  std::int64_t parts = 1;
  bool tiles = false, always = false;
};
// The layouts in which the operands are copied to be multiplied as pairs, `tiling` being that of
// the numbers as they lie. None where that does not pay, or where the axes do not suit.
std::optional<OperandLayouts> choose_pair_layouts(const ProgramDraft& program, const Product& p,
                                                  const Tiling& tiling, const PairForm& form);

}  // namespace ganc::planning
