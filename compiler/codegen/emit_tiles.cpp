#include <llvm/IR/IntrinsicsX86.h>

#include <algorithm>

#include "compiler/codegen/emitter.h"

// Contractions in the tile registers of AMX: 16 rows of 64 bytes each, for which the runtime
// configures all eight. A tile of `a` holds 16 rows of 16 pairs, one of `b` 16 pairs of 16 lanes,
// and one of sums 16 rows of 16 lanes.
namespace ganc {

using kernel::Contraction;

namespace {

constexpr std::int64_t tile_side = 16;
constexpr std::int64_t bytes_of_pair = 4;
// Registers: sums 0 to 3, then two for either operand.
constexpr unsigned first_of_a = 4, first_of_b = 6, of_each = 2;

// Tiles of rows and of columns whose sums are made at once: where there are two of both, each
// operand that is loaded is multiplied twice.
RegisterTile choose_block(std::int64_t m, std::int64_t v) {
  const auto tiles = [](std::int64_t extent) {
    return static_cast<unsigned>(std::min<std::int64_t>((extent + tile_side - 1) / tile_side, 4));
  };
  const unsigned rows = tiles(m), columns = tiles(v);
  if (rows == 1 || columns == 1) return {rows, columns};
  return {2, 2};
}

}  // namespace

void KernelEmitter::load_tile(unsigned tile, llvm::Value* from, std::int64_t row_bytes) {
  ir_.CreateIntrinsic(
      llvm::Intrinsic::x86_tileloadd64, {},
      {ir_.getInt8(static_cast<std::uint8_t>(tile)), from, index_constant(row_bytes)});
}

void KernelEmitter::emit_in_tiles(const Contraction& c) {
  Tile tile;
  tile.width = tile_side;
  tile.in_tiles = true;
  RegisterTile shape = choose_block(c.m_limit, c.v_limit);
  shape.rows *= tile_side;
  emit_columns(c, shape, tile, [&](const Tile& columns) {
    emit_rows(c, shape, columns, [&](const Tile& whole) { emit_tile_block(c, whole); });
  });
}

void KernelEmitter::emit_tile_block(const Contraction& c, const Tile& tile) {
  const unsigned rows = (tile.rows + tile_side - 1) / tile_side;
  const std::int64_t row_bytes = tile.columns * tile_side * bytes_of_pair;
  if (!tile_sums_) {
    llvm::IRBuilder<>::InsertPointGuard guard(ir_);
    ir_.SetInsertPoint(entry_end_);
    tile_sums_ = ir_.CreateAlloca(sum_vector_type(c, tile), ir_.getInt32(4 * tile_side));
  }
  const auto for_each_tile = [&](const auto& body) {
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned j = 0; j < tile.columns; ++j)
        body(i * tile.columns + j,
             ir_.CreateConstGEP1_64(ir_.getInt8Ty(), tile_sums_,
                                    i * tile_side * row_bytes + j * tile_side * bytes_of_pair));
  };
  if (c.initial) {
    emit_rows_of_sums(c, tile, tile_sums_, [&](llvm::Value* place) {
      ir_.CreateStore(number_lanes(emit(c.initial)), place);
    });
    for_each_tile(
        [&](unsigned number, llvm::Value* place) { load_tile(number, place, row_bytes); });
  } else {
    for_each_tile([&](unsigned number, llvm::Value*) {
      ir_.CreateIntrinsic(llvm::Intrinsic::x86_tilezero, {},
                          {ir_.getInt8(static_cast<std::uint8_t>(number))});
    });
  }
  emit_sum(c, tile, {});
  for_each_tile([&](unsigned number, llvm::Value* place) {
    ir_.CreateIntrinsic(
        llvm::Intrinsic::x86_tilestored64, {},
        {ir_.getInt8(static_cast<std::uint8_t>(number)), place, index_constant(row_bytes)});
  });
  emit_epilogue_by_rows(c, tile, tile_sums_);
}

// 16 steps along the innermost axis.
void KernelEmitter::multiply_tiles(const Contraction& c, const Tile& tile, Operands at) {
  const unsigned rows = (tile.rows + tile_side - 1) / tile_side;
  const auto number = [&](unsigned x) { return ir_.getInt8(static_cast<std::uint8_t>(x)); };
  for (unsigned i = 0; i < rows; ++i) {
    const unsigned a = first_of_a + i % of_each;
    load_tile(a, advance(at.a, DType::u32, index_constant(i * tile_side), c.a_m_stride),
              c.a_m_stride * bytes_of_pair);
    for (unsigned j = 0; j < tile.columns; ++j) {
      const unsigned b = first_of_b + j % of_each;
      // Of more than two columns there is one row of tiles.
      if (i == 0)
        load_tile(b, advance(at.b, DType::u32, index_constant(column_offset(c, tile, j)), 1),
                  c.axes.back().b_stride * bytes_of_pair);
      ir_.CreateIntrinsic(llvm::Intrinsic::x86_tdpbf16ps, {},
                          {number(i * tile.columns + j), number(a), number(b)});
    }
  }
}

}  // namespace ganc
