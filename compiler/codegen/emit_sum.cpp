#include <llvm/IR/IntrinsicsX86.h>

#include <algorithm>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"

namespace ganc {

using kernel::Contraction;

namespace {

constexpr std::int64_t far_stride_bytes = 128;
constexpr std::int64_t prefetch_steps = 16;
constexpr std::int64_t line_bytes = 64;
constexpr std::int64_t vector_prefetch_steps = 8;     // as long as L2 takes to answer
constexpr std::int64_t first_cache_bytes = 16 << 10;  // of L1, for the vectors of a tile
constexpr std::size_t most_written_pairs = 8;

// How the positions of every row go on from its first, where all rows with two or more agree: those
// of a filter do. None: a row of another kind.
std::optional<std::pair<std::int32_t, std::int32_t>> steps_of(const kernel::TapTable& table) {
  std::optional<std::pair<std::int32_t, std::int32_t>> steps;
  for (const auto& row : table.rows)
    for (std::size_t i = 1; i < row.size(); ++i) {
      const std::pair step(row[i].first - row[i - 1].first, row[i].second - row[i - 1].second);
      if (steps.value_or(step) != step) return std::nullopt;
      steps = step;
    }
  return steps.value_or(std::pair<std::int32_t, std::int32_t>(0, 0));
}

// Multiply-adds of one sum, at an inner position.
std::int64_t steps_of_sum(const kernel::Kernel& kernel, const Contraction& c) {
  std::int64_t n = 1;
  for (const kernel::ReduceAxis& axis : c.axes) n *= axis.extent;
  for (const kernel::TapAxis& axis : c.taps) {
    std::size_t most = 0;
    for (const auto& row : kernel.tables[axis.table].rows) most = std::max(most, row.size());
    n *= static_cast<std::int64_t>(most);
  }
  return n;
}

// Of the vectors that the columns of a tile read in one sum.
std::int64_t vector_bytes(const kernel::Kernel& kernel, const Contraction& c, unsigned columns) {
  return steps_of_sum(kernel, c) * columns * line_bytes;
}

}  // namespace

// In `sums`, places of one vector each that the optimizer turns into registers.
void KernelEmitter::emit_sum(const Contraction& c, const Tile& tile,
                             const std::vector<llvm::Value*>& sums) {
  const DType dtype = kernel_.buffers[c.a_buffer].dtype;
  llvm::Value* a = address(c.a_buffer, uniform_index(c.a_base));
  llvm::Value* b = address(c.b_buffer, uniform_index(c.b_base));
  llvm::Value* v = tile.v;
  if (c.b_panel > 0) {
    llvm::Value* panel = index_constant(c.b_panel);
    v = ir_.CreateAdd(
        ir_.CreateMul(ir_.CreateUDiv(tile.v, panel), index_constant(c.b_panel_stride)),
        ir_.CreateURem(tile.v, panel));
  }
  llvm::Value* ahead = nullptr;
  if (optimize_ && c.a_ahead != 0) ahead = advance(a, dtype, index_constant(c.a_ahead), 1);
  if (optimize_ && c.b_ahead != 0) {  // each tile its share, in the order of the rows
    ahead = advance(b, dtype, index_constant(c.b_ahead), 1);
    ahead = advance(ahead, dtype, tile.m, c.axes[0].extent * c.v_limit / c.m_limit);
  }
  a = advance(a, dtype, tile.m, c.a_m_stride);
  if (c.a_v_stride != 0) a = advance(a, dtype, tile.v, c.a_v_stride);
  if (c.b_m_stride != 0) b = advance(b, dtype, tile.m, c.b_m_stride);
  emit_taps(c, tile, 0, {a, advance(b, dtype, v, c.b_v_stride), ahead}, sums);
}

llvm::Value* KernelEmitter::advance(llvm::Value* pointer, DType dtype, llvm::Value* count,
                                    std::int64_t stride) {
  return ir_.CreateGEP(register_type(context_, dtype), pointer,
                       ir_.CreateNSWMul(count, index_constant(stride)));
}

// As constants. With steps: of each row the positions of the first pair and the number of pairs.
// Else where the positions of each row begin (one more at the end), then the pairs.
llvm::GlobalVariable* KernelEmitter::tap_table(std::uint32_t index) {
  if (tap_tables_[index]) return tap_tables_[index];
  const kernel::TapTable& table = kernel_.tables[index];
  std::vector<std::uint32_t> words;
  if (steps_of(table)) {
    for (const auto& row : table.rows) {
      words.push_back(row.empty() ? 0 : static_cast<std::uint32_t>(row[0].first));
      words.push_back(row.empty() ? 0 : static_cast<std::uint32_t>(row[0].second));
      words.push_back(static_cast<std::uint32_t>(row.size()));
    }
  } else {
    auto position = static_cast<std::uint32_t>(table.rows.size() + 1);
    for (const auto& row : table.rows) {
      words.push_back(position);
      position += static_cast<std::uint32_t>(2 * row.size());
    }
    words.push_back(position);
    for (const auto& row : table.rows)
      for (const auto& [a, b] : row) {
        words.push_back(static_cast<std::uint32_t>(a));
        words.push_back(static_cast<std::uint32_t>(b));
      }
  }
  llvm::Constant* data = llvm::ConstantDataArray::get(context_, words);
  tap_tables_[index] = new llvm::GlobalVariable(module_, data->getType(), true,
                                                llvm::GlobalValue::PrivateLinkage, data, "taps");
  return tap_tables_[index];
}

// Border taps are not in the table: no halo, no mask.
void KernelEmitter::emit_taps(const Contraction& c, const Tile& tile, std::size_t tap, Operands at,
                              const std::vector<llvm::Value*>& sums) {
  if (tap == c.taps.size()) return emit_axes(c, tile, 0, at, sums);
  const kernel::TapAxis& axis = c.taps[tap];
  const DType dtype = kernel_.buffers[c.a_buffer].dtype;
  llvm::GlobalVariable* table = tap_table(axis.table);
  const auto word = [&](llvm::Value* i) {
    llvm::Value* place = ir_.CreateGEP(ir_.getInt32Ty(), table, i);
    return ir_.CreateZExt(ir_.CreateLoad(ir_.getInt32Ty(), place), ir_.getInt64Ty());
  };
  bool may_be_empty = false;
  for (const auto& row : kernel_.tables[axis.table].rows) may_be_empty |= row.empty();
  llvm::Value* row = uniform_index(axis.row);
  if (const auto steps = steps_of(kernel_.tables[axis.table])) {
    llvm::Value* place = ir_.CreateMul(row, index_constant(3));
    const Operands first{
        advance(at.a, dtype, word(place), axis.a_stride),
        advance(at.b, dtype, word(ir_.CreateAdd(place, index_constant(1))), axis.b_stride)};
    const bool innermost = optimize_ && tap + 1 == c.taps.size() && c.axes.empty();
    if (innermost && vector_bytes(kernel_, c, tile.columns) <= first_cache_bytes)
      if (const std::optional<std::size_t> few = few_pairs(axis)) {
        for (std::size_t i = 0; i < *few; ++i) {
          llvm::Value* pair = index_constant(static_cast<std::int64_t>(i));
          multiply_add(c, tile,
                       {advance(first.a, dtype, pair, steps->first * axis.a_stride),
                        advance(first.b, dtype, pair, steps->second * axis.b_stride)},
                       sums, i);
        }
        return;
      }
    llvm::Value* count = word(ir_.CreateAdd(place, index_constant(2)));
    if (innermost)
      return emit_steps(c, tile, first, count,
                        {0, steps->first * axis.a_stride, steps->second * axis.b_stride}, sums);
    return emit_loop(index_constant(0), count, 1, may_be_empty, [&](llvm::Value* i) {
      emit_taps(c, tile, tap + 1,
                {advance(first.a, dtype, i, steps->first * axis.a_stride),
                 advance(first.b, dtype, i, steps->second * axis.b_stride)},
                sums);
    });
  }
  llvm::Value* begin = word(row);
  llvm::Value* end = word(ir_.CreateAdd(row, index_constant(1)));
  emit_loop(begin, end, 2, may_be_empty, [&](llvm::Value* i) {
    llvm::Value* a = advance(at.a, dtype, word(i), axis.a_stride);
    llvm::Value* b = advance(at.b, dtype, word(ir_.CreateAdd(i, index_constant(1))), axis.b_stride);
    emit_taps(c, tile, tap + 1, {a, b}, sums);
  });
}

// How many pairs the row of a table holds, where that is known and they are few enough to be
// written one by one.
std::optional<std::size_t> KernelEmitter::few_pairs(const kernel::TapAxis& axis) const {
  const kernel::Value& row = kernel_.values[axis.row.index];
  if (row.kind != kernel::ValueKind::index_constant) return std::nullopt;
  const std::size_t pairs =
      kernel_.tables[axis.table].rows[static_cast<std::size_t>(row.integer)].size();
  if (pairs > most_written_pairs) return std::nullopt;
  return pairs;
}

// So many steps of a sum whose last pairs of positions are its innermost axis.
void KernelEmitter::emit_steps(const Contraction& c, const Tile& tile, Operands from,
                               llvm::Value* count, const kernel::ReduceAxis& axis,
                               const std::vector<llvm::Value*>& sums) {
  const DType dtype = kernel_.buffers[c.a_buffer].dtype;
  const bool fetch = vector_bytes(kernel_, c, tile.columns) > first_cache_bytes;
  const auto after = [&](Operands at, llvm::Value* steps) -> Operands {
    return {advance(at.a, dtype, steps, axis.a_stride), advance(at.b, dtype, steps, axis.b_stride)};
  };
  const auto walk = [&](llvm::Value* begin, llvm::Value* end, std::int64_t unroll) {
    const Operands first = after(from, begin);
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::PHINode *a = nullptr, *b = nullptr;
    Operands next{};
    llvm::BasicBlock* latch = nullptr;
    emit_loop(begin, end, unroll, true, [&](llvm::Value*) {
      a = ir_.CreatePHI(ir_.getPtrTy(), 2);
      b = ir_.CreatePHI(ir_.getPtrTy(), 2);
      for (std::int64_t i = 0; i < unroll; ++i) {
        const Operands now = after({a, b}, index_constant(i));
        if (fetch) emit_vector_prefetch(c, tile, now.b, axis.b_stride);
        multiply_add(c, tile, now, sums, static_cast<std::size_t>(i));
      }
      next = after({a, b}, index_constant(unroll));
      latch = ir_.GetInsertBlock();
    });
    a->addIncoming(first.a, before), a->addIncoming(next.a, latch);
    b->addIncoming(first.b, before), b->addIncoming(next.b, latch);
  };
  // Large tiles hide what a loop costs.
  const std::int64_t unroll = tile.rows * tile.columns > 12 ? 1 : 4;
  if (unroll == 1) return walk(index_constant(0), count, 1);
  llvm::Value* whole = ir_.CreateAnd(count, index_constant(-unroll));
  walk(index_constant(0), whole, unroll);
  walk(whole, count, 1);
}

// Pointers step along the axis, several elements an iteration on the innermost one. All else in the
// addresses is constant, so there is nothing left for LLVM's strength reduction, which takes most
// of the time of a compilation and is switched off.
void KernelEmitter::emit_axes(const Contraction& c, const Tile& tile, std::size_t index,
                              Operands at, const std::vector<llvm::Value*>& sums,
                              std::size_t step) {
  if (index == c.axes.size())
    return tile.in_tiles ? multiply_tiles(c, tile, at) : multiply_add(c, tile, at, sums, step);
  kernel::ReduceAxis axis = c.axes[index];
  const DType dtype = kernel_.buffers[c.a_buffer].dtype;
  const bool innermost = index + 1 == c.axes.size();
  const std::int64_t last_lanes = innermost && c.dot ? axis.extent % tile.width : 0;
  if (innermost && (tile.in_tiles || c.dot))  // in steps of a whole tile or vector
    axis = {axis.extent / tile.width, axis.a_stride * tile.width, axis.b_stride * tile.width};
  const bool fetch = innermost && optimize_ && !tile.in_tiles &&
                     std::abs(axis.a_stride) * bytes_of(dtype) >= far_stride_bytes;
  const bool fetch_vectors = innermost && optimize_ && !tile.in_tiles && !c.dot &&
                             axis.extent > 1 &&
                             vector_bytes(kernel_, c, tile.columns) > first_cache_bytes;
  const std::int64_t in_line = line_bytes / bytes_of(dtype),
                     ahead_step = c.b_ahead != 0
                                      ? (tile.rows * c.v_limit + c.m_limit - 1) / c.m_limit
                                      : in_line;
  const auto after = [&](Operands from, std::int64_t steps) {
    llvm::Value* count = index_constant(steps);
    Operands to{advance(from.a, dtype, count, axis.a_stride),
                advance(from.b, dtype, count, axis.b_stride)};
    if (from.ahead != nullptr) to.ahead = advance(from.ahead, dtype, count, ahead_step);
    return to;
  };
  const auto elements = [&](Operands from, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const Operands now = after(from, i);
      for (std::int64_t part = 0; now.ahead != nullptr && part < ahead_step; part += in_line)
        emit_prefetch(advance(now.ahead, dtype, index_constant(part), 1));
      if (fetch) emit_prefetch(c, tile, now.a, axis.a_stride);
      if (fetch_vectors) emit_vector_prefetch(c, tile, now.b, axis.b_stride);
      emit_axes(c, tile, index + 1, now, sums, innermost ? static_cast<std::size_t>(i) : 0);
    }
  };
  // `steps` of them, `unroll` an iteration, which also fetches the next row of each of `rows`.
  const auto walk = [&](Operands from, std::int64_t steps, std::int64_t unroll,
                        const std::vector<Fetched>& rows) {
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::BasicBlock* latch = nullptr;
    std::vector<llvm::Value*> first = {from.a, from.b}, next;
    if (from.ahead != nullptr) first.push_back(from.ahead);
    for (const Fetched& f : rows) first.push_back(f.row);
    std::vector<llvm::PHINode*> now;
    emit_loop(index_constant(0), index_constant(steps), unroll, false, [&](llvm::Value*) {
      for (std::size_t i = 0; i < first.size(); ++i)
        now.push_back(ir_.CreatePHI(ir_.getPtrTy(), 2));
      const Operands at_now{now[0], now[1], from.ahead != nullptr ? now[2] : nullptr};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        llvm::Value* row = now[now.size() - rows.size() + i];
        for (std::int64_t byte = 0; byte < rows[i].row_bytes; byte += line_bytes)
          emit_prefetch(ir_.CreateConstGEP1_64(ir_.getInt8Ty(), row, byte));
      }
      elements(at_now, unroll);
      const Operands then = after(at_now, unroll);
      next = {then.a, then.b};
      if (then.ahead != nullptr) next.push_back(then.ahead);
      for (std::size_t i = 0; i < rows.size(); ++i)
        next.push_back(
            ir_.CreateGEP(ir_.getInt8Ty(), now[now.size() - rows.size() + i], rows[i].step));
      latch = ir_.GetInsertBlock();
    });
    for (std::size_t i = 0; i < first.size(); ++i) {
      now[i]->addIncoming(first[i], before);
      now[i]->addIncoming(next[i], latch);
    }
  };
  std::int64_t unroll = 1, done = 0;
  if (innermost && optimize_) unroll = tile.rows * tile.columns > 12 ? 2 : 4;
  if (innermost && axis.extent <= 4) unroll = std::max<std::int64_t>(axis.extent, 1);
  if (const std::int64_t steps = std::min<std::int64_t>(axis.extent / tile.rows, 4);
      !tile.fetched.empty() && steps > 0 && tile.rows > 1) {
    done = tile.rows * steps;
    walk(at, done, steps, tile.fetched);
  }
  const std::int64_t whole = (axis.extent - done) / unroll * unroll;
  const Operands rest = after(at, done);
  if (whole == unroll)
    elements(rest, unroll);
  else if (whole > 0)
    walk(rest, whole, unroll, {});
  elements(after(at, done + whole), axis.extent - done - whole);
  if (last_lanes > 0) {
    Tile last = tile;
    llvm::Type* lanes = llvm::FixedVectorType::get(ir_.getInt64Ty(), tile.width);
    last.sum_mask = ir_.CreateICmpSLT(
        ir_.CreateStepVector(lanes), ir_.CreateVectorSplat(tile.width, index_constant(last_lanes)));
    multiply_add(c, last, after(at, axis.extent), sums, 0);
  }
}

void KernelEmitter::emit_prefetch(llvm::Value* place) {
  ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {place->getType()},
                      {place, ir_.getInt32(0), ir_.getInt32(3), ir_.getInt32(1)});
}

// The columns' vectors some steps ahead, each cache line once.
void KernelEmitter::emit_vector_prefetch(const Contraction& c, const Tile& tile, llvm::Value* b,
                                         std::int64_t stride) {
  const DType dtype = kernel_.buffers[c.b_buffer].dtype;
  const std::int64_t in_line = line_bytes / bytes_of(dtype);
  for (unsigned j = 0; j < tile.columns; ++j)
    if (const std::int64_t offset = column_offset(c, tile, j);
        offset % in_line == 0 || tile.width >= in_line || c.dot)
      emit_prefetch(advance(b, dtype, index_constant(vector_prefetch_steps * stride + offset), 1));
}

// The rows' elements of a `prefetch_steps` steps ahead: what lies far apart no prefetcher of the
// hardware finds in time. Not further ahead: at a stride of 2 KB only two dozen lines fit into L1
// at once.
void KernelEmitter::emit_prefetch(const Contraction& c, const Tile& tile, llvm::Value* a,
                                  std::int64_t stride) {
  const DType dtype = kernel_.buffers[c.a_buffer].dtype;
  const std::int64_t row_bytes = std::abs(c.a_m_stride) * bytes_of(dtype);
  // One for each cache line; rows a line or more apart are streams of their own and too many.
  if (row_bytes * tile.rows > 4 * line_bytes) return;
  const std::int64_t last = tile.rows - 1;
  for (std::int64_t row = 0;;
       row = std::min(last, row + std::max<std::int64_t>(
                                      line_bytes / std::max<std::int64_t>(row_bytes, 1), 1))) {
    llvm::Value* place =
        ir_.CreateGEP(register_type(context_, dtype), a,
                      index_constant(prefetch_steps * stride + row * c.a_m_stride));
    emit_prefetch(place);
    if (row == last) return;
  }
}

// Elements of b from the first column of a tile to another.
std::int64_t KernelEmitter::column_offset(const Contraction& c, const Tile& tile,
                                          unsigned column) const {
  const std::int64_t lane = std::int64_t{column} * (c.dot ? c.b_v_stride : tile.width);
  return c.b_panel > 0 ? lane / c.b_panel * c.b_panel_stride + lane % c.b_panel : lane;
}

// An element of a broadcast to the lanes, or a vector.
llvm::Value* KernelEmitter::load_factor(const Tile& tile, std::uint32_t buffer, llvm::Value* from,
                                        bool lanes, llvm::Value* mask) {
  llvm::Type* scalar = register_type(context_, kernel_.buffers[buffer].dtype);
  llvm::Type* vector = llvm::FixedVectorType::get(scalar, tile.width);
  const llvm::Align align(static_cast<std::uint64_t>(bytes_of(kernel_.buffers[buffer].dtype)));
  llvm::Instruction* load = nullptr;
  if (!lanes)
    load = ir_.CreateAlignedLoad(scalar, from, align);
  else if (mask != nullptr)
    load = ir_.CreateMaskedLoad(vector, from, align, mask, llvm::Constant::getNullValue(vector));
  else
    load = ir_.CreateAlignedLoad(vector, from, align);
  mark(load, buffer);
  return lanes ? load : ir_.CreateVectorSplat(tile.width, load);
}

// One step along the innermost axis: a column of vectors of b, each row's element of a broadcast;
// each of them again for every row or column that it moves with. What the tile has fewer of is read
// first and stays in registers.
void KernelEmitter::multiply_add(const Contraction& c, const Tile& tile, Operands at,
                                 const std::vector<llvm::Value*>& sums, std::size_t step) {
  const std::size_t registers = std::size_t{tile.rows} * tile.columns;
  const std::size_t chain = step % (sums.size() / registers) * registers;
  llvm::Type* scalar = register_type(context_, kernel_.buffers[c.a_buffer].dtype);
  const auto factor = [&](std::uint32_t buffer, llvm::Value* from, std::int64_t offset, bool lanes,
                          unsigned column) {
    llvm::Value* mask = c.dot                        ? tile.sum_mask
                        : column + 1 == tile.columns ? tile.last_mask
                                                     : nullptr;
    return load_factor(tile, buffer, ir_.CreateGEP(scalar, from, index_constant(offset)), lanes,
                       mask);
  };
  const std::int64_t a_column = c.a_v_stride * (c.dot ? 1 : tile.width);
  const auto of_a = [&](unsigned i, unsigned j) {
    return factor(c.a_buffer, at.a, i * c.a_m_stride + j * a_column, c.dot || c.a_v_stride != 0, j);
  };
  const auto of_b = [&](unsigned i, unsigned j) {
    return factor(c.b_buffer, at.b, i * c.b_m_stride + column_offset(c, tile, j), true, j);
  };
  const auto add = [&](unsigned i, unsigned j, llvm::Value* a, llvm::Value* b) {
    llvm::Value* sum = sums[chain + i * tile.columns + j];
    llvm::Value* before = ir_.CreateLoad(sum_vector_type(c, tile), sum);
    ir_.CreateStore(add_product(a, b, before), sum);
  };
  const bool a_moves = c.a_v_stride != 0 && tile.columns > 1,
             b_moves = c.b_m_stride != 0 && tile.rows > 1;
  if (tile.rows < tile.columns && !a_moves && !b_moves) {
    std::vector<llvm::Value*> rows(tile.rows);
    for (unsigned i = 0; i < tile.rows; ++i) rows[i] = of_a(i, 0);
    for (unsigned j = 0; j < tile.columns; ++j) {
      llvm::Value* b = of_b(0, j);
      for (unsigned i = 0; i < tile.rows; ++i) add(i, j, rows[i], b);
    }
    return;
  }
  std::vector<llvm::Value*> columns(tile.columns);
  for (unsigned j = 0; j < tile.columns; ++j) columns[j] = of_b(0, j);
  for (unsigned i = 0; i < tile.rows; ++i) {
    llvm::Value* a = of_a(i, 0);
    for (unsigned j = 0; j < tile.columns; ++j) {
      if (j > 0 && a_moves) a = of_a(i, j);
      add(i, j, a, i > 0 && b_moves ? of_b(i, j) : columns[j]);
    }
  }
}

llvm::Value* KernelEmitter::add_product(llvm::Value* a, llvm::Value* b, llvm::Value* sum) {
  llvm::Type* type = sum->getType();
  const auto multiply_add = [&](llvm::Value* x, llvm::Value* y, llvm::Value* z) {
    return ir_.CreateIntrinsic(llvm::Intrinsic::fma, {type}, {x, y, z});
  };
  if (a->getType() == type) return multiply_add(a, b, sum);
  if (target_.bf16) {
    const unsigned lanes = llvm::cast<llvm::FixedVectorType>(type)->getNumElements();
    llvm::Type* halves = llvm::FixedVectorType::get(ir_.getBFloatTy(), 2 * lanes);
    return ir_.CreateIntrinsic(llvm::Intrinsic::x86_avx512bf16_dpbf16ps_512, {},
                               {sum, ir_.CreateBitCast(a, halves), ir_.CreateBitCast(b, halves)});
  }
  const auto low = [&](llvm::Value* x) { return ir_.CreateBitCast(ir_.CreateShl(x, 16), type); };
  const auto high = [&](llvm::Value* x) {
    return ir_.CreateBitCast(ir_.CreateAnd(x, 0xffff0000), type);
  };
  return multiply_add(high(a), high(b), multiply_add(low(a), low(b), sum));
}

}  // namespace ganc
