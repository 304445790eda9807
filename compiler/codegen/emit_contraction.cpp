#include <algorithm>
#include <bit>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"
#include "compiler/codegen/work.h"

namespace ganc {

using kernel::Contraction;
using kernel::ValueKind;

namespace {

constexpr std::size_t max_fetched = 6;  // as many as pointers have registers
constexpr std::size_t busy_sums = 8;    // that keep two multiply-adds of four cycles busy
constexpr std::size_t most_chains = 4;  // as steps are unrolled
constexpr std::int64_t least_chained_steps = 8;

}  // namespace

void KernelEmitter::emit_statement(const Contraction& c) {
  if (c.tiles && target_.tiles) return emit_in_tiles(c);
  Tile tile;
  tile.width =
      target_.vector_bits / 8 / static_cast<unsigned>(bytes_of(kernel_.buffers[c.a_buffer].dtype));
  const RegisterTile shape =
      choose_register_tile(target_, c.m_limit, c.v_limit, tile.width, c.b_panel,
                           {c.a_v_stride != 0, c.b_m_stride != 0, c.dot});
  if (c.m_outer) {
    emit_rows(c, shape, tile, [&](const Tile& rows) {
      emit_columns(c, shape, rows, [&](const Tile& whole) { emit_tile(c, whole); });
    });
  } else {
    emit_columns(c, shape, tile, [&](const Tile& columns) {
      emit_rows(c, shape, columns, [&](const Tile& whole) { emit_tile(c, whole); });
    });
  }
}

// Tiles along v: whole ones, then what is left, under a mask where it is no whole vector. Of dot
// products a column is one element.
void KernelEmitter::emit_columns(const Contraction& c, RegisterTile shape, Tile tile,
                                 const std::function<void(const Tile&)>& body) {
  const std::int64_t width = c.dot ? 1 : tile.width, step = shape.columns * width;
  llvm::Value* end = uniform_index(c.v_count);
  llvm::Type* steps = llvm::FixedVectorType::get(ir_.getInt64Ty(), tile.width);
  const auto mask_below = [&](llvm::Value* count) {
    return ir_.CreateICmpSLT(ir_.CreateStepVector(steps), ir_.CreateVectorSplat(tile.width, count));
  };
  const auto run = [&](llvm::Value* v, std::int64_t columns, llvm::Value* mask) {
    Tile part = tile;
    part.v = v;
    part.columns = static_cast<unsigned>(columns);
    part.last_mask = mask;
    body(part);
  };
  const kernel::Value& count = kernel_.values[c.v_count.index];
  if (count.kind == ValueKind::index_constant) {
    const std::int64_t n = count.integer, whole = n / step * step, rest = n - whole;
    const auto full = [&](llvm::Value* v) { run(v, shape.columns, nullptr); };
    if (whole == step) emit_straight([&] { full(index_constant(0)); });
    if (whole > step) emit_loop(index_constant(0), index_constant(whole), step, false, full);
    llvm::Value* mask = rest % width ? mask_below(index_constant(rest % width)) : nullptr;
    if (rest) emit_straight([&] { run(index_constant(whole), (rest + width - 1) / width, mask); });
    return;
  }
  llvm::Value* whole =
      ir_.CreateMul(ir_.CreateSDiv(end, index_constant(step)), index_constant(step));
  llvm::Value* vectors =
      ir_.CreateMul(ir_.CreateSDiv(end, index_constant(width)), index_constant(width));
  emit_loop(index_constant(0), whole, step, true,
            [&](llvm::Value* v) { run(v, shape.columns, nullptr); });
  if (shape.columns > 1)
    emit_loop(whole, vectors, width, true, [&](llvm::Value* v) { run(v, 1, nullptr); });
  if (width == 1) return;
  llvm::Value* mask = mask_below(ir_.CreateSub(end, vectors));
  emit_guarded(ir_.CreateICmpSLT(vectors, end), [&] { run(vectors, 1, mask); });
}

// Tiles along m: whole ones, then one of exactly the rows that are left, or where their number is
// not known before the program runs, powers of two.
void KernelEmitter::emit_rows(const Contraction& c, RegisterTile shape, Tile tile,
                              const std::function<void(const Tile&)>& body) {
  const auto run = [&](llvm::Value* m, std::int64_t rows) {
    Tile part = tile;
    part.m = m;
    part.rows = static_cast<unsigned>(rows);
    body(part);
  };
  const std::int64_t step = shape.rows;
  const kernel::Value& count = kernel_.values[c.m_count.index];
  const auto full = [&](llvm::Value* m) { run(m, step); };
  if (count.kind == ValueKind::index_constant) {
    const std::int64_t n = count.integer, whole = n / step * step;
    if (whole == step) emit_straight([&] { full(index_constant(0)); });
    if (whole > step) emit_loop(index_constant(0), index_constant(whole), step, false, full);
    if (n > whole) emit_straight([&] { run(index_constant(whole), n - whole); });
    return;
  }
  llvm::Value* end = uniform_index(c.m_count);
  llvm::Value* m = ir_.CreateMul(ir_.CreateSDiv(end, index_constant(step)), index_constant(step));
  llvm::Value* rest = ir_.CreateSub(end, m);
  emit_loop(index_constant(0), m, step, true, full);
  for (auto rows = static_cast<std::int64_t>(std::bit_floor(shape.rows)); rows > 0; rows /= 2) {
    if (rows == step) continue;
    llvm::Value* wanted =
        ir_.CreateICmpNE(ir_.CreateAnd(rest, index_constant(rows)), index_constant(0));
    emit_guarded(wanted, [&] { run(m, rows); });
    m = ir_.CreateSelect(wanted, ir_.CreateAdd(m, index_constant(rows)), m);
  }
}

llvm::Type* KernelEmitter::sum_vector_type(const Contraction& c, const Tile& tile) const {
  return llvm::FixedVectorType::get(register_type(context_, sum_type(kernel_, c)), tile.width);
}

void KernelEmitter::emit_tile(const Contraction& c, const Tile& sum_tile) {
  llvm::Type* type = sum_vector_type(c, sum_tile);
  const std::size_t registers = std::size_t{sum_tile.rows} * sum_tile.columns;
  std::vector<llvm::Value*> sums;
  {
    llvm::IRBuilder<>::InsertPointGuard guard(ir_);
    ir_.SetInsertPoint(entry_end_);
    for (std::size_t i = 0; i < registers * chains_of(c, sum_tile); ++i)
      sums.push_back(ir_.CreateAlloca(type));
  }
  for (llvm::Value* sum : sums) ir_.CreateStore(llvm::Constant::getNullValue(type), sum);
  if (c.initial && !c.dot) emit_initial(c, sum_tile, sums);
  if (optimize_ && !c.dot && c.taps.empty() && c.axes.size() == 1) {
    Tile fetching = sum_tile;
    fetching.fetched = touched_rows(c, sum_tile);
    emit_sum(c, fetching, sums);
  } else {
    emit_sum(c, sum_tile, sums);
  }
  for (std::size_t i = sums.size(); i-- > registers; sums.pop_back()) {
    llvm::Value* place = sums[i % registers];
    ir_.CreateStore(ir_.CreateFAdd(ir_.CreateLoad(type, place), ir_.CreateLoad(type, sums[i])),
                    place);
  }
  const Tile tile = c.dot ? results_of(sum_tile) : sum_tile;
  if (c.dot) sums = add_lanes(c, sum_tile, sums);
  // A long epilogue is written once a column, not once a register.
  const unsigned copies = tile.rows * tile.columns;
  if (copies <= 1 || work_of(kernel_, c.epilogue) * copies <= 300)
    return emit_epilogue(c, tile, sums);
  llvm::Value* places = nullptr;
  {
    llvm::IRBuilder<>::InsertPointGuard guard(ir_);
    ir_.SetInsertPoint(entry_end_);
    places = ir_.CreateAlloca(type, ir_.getInt32(copies));
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    ir_.CreateStore(ir_.CreateLoad(type, sums[i]), ir_.CreateConstGEP1_64(type, places, i));
  emit_epilogue_by_rows(c, tile, places);
}

// In how many parts each sum of a tile is done at once, so that none waits for itself.
std::size_t KernelEmitter::chains_of(const Contraction& c, const Tile& tile) const {
  const std::int64_t lanes = c.dot ? tile.width : 1;
  if (!optimize_ || (!c.axes.empty() && c.axes.back().extent / lanes < least_chained_steps))
    return 1;
  std::size_t chains = 1;
  while (chains < most_chains && 2 * chains * tile.rows * tile.columns <= busy_sums) chains *= 2;
  return chains;
}

// The tile of what a tile of dot products sums up to: a vector of them a row.
KernelEmitter::Tile KernelEmitter::results_of(const Tile& tile) {
  Tile results = tile;
  results.columns = 1;
  results.last_mask = nullptr;
  if (tile.columns < tile.width) {
    llvm::Type* lanes = llvm::FixedVectorType::get(ir_.getInt64Ty(), tile.width);
    results.last_mask = ir_.CreateICmpSLT(
        ir_.CreateStepVector(lanes),
        ir_.CreateVectorSplat(tile.width, index_constant(std::int64_t{tile.columns})));
  }
  return results;
}

// The lanes of each sum of a row, added up in halves: a vector with a lane for each sum.
std::vector<llvm::Value*> KernelEmitter::add_lanes(const Contraction& c, const Tile& tile,
                                                   const std::vector<llvm::Value*>& sums) {
  llvm::Type* type = sum_vector_type(c, tile);
  const auto width = static_cast<int>(tile.width);
  std::vector<llvm::Value*> results(sums.begin(), sums.begin() + tile.rows);
  std::vector<llvm::Value*> rows;
  for (unsigned i = 0; i < tile.rows; ++i) {
    std::vector<llvm::Value*> parts;
    for (unsigned j = 0; j < tile.columns; ++j)
      parts.push_back(ir_.CreateLoad(type, sums[i * tile.columns + j]));
    // Each vector holds groups of lanes, one a sum; two vectors become one with groups half as
    // long.
    for (int group = width; group > 1; group /= 2) {
      std::vector<int> low, high;
      for (int first = 0; first < 2 * width; first += group)
        for (int lane = first; lane < first + group / 2; ++lane)
          low.push_back(lane), high.push_back(lane + group / 2);
      std::vector<llvm::Value*> joined;
      for (std::size_t j = 0; j < parts.size(); j += 2) {
        llvm::Value *x = parts[j], *y = parts[std::min(j + 1, parts.size() - 1)];
        joined.push_back(ir_.CreateFAdd(ir_.CreateShuffleVector(x, y, low),
                                        ir_.CreateShuffleVector(x, y, high)));
      }
      parts = std::move(joined);
    }
    rows.push_back(parts[0]);
  }
  const Tile whole = results_of(tile);
  if (c.initial) emit_initial(c, whole, results);
  for (unsigned i = 0; i < tile.rows; ++i)
    ir_.CreateStore(c.initial ? ir_.CreateFAdd(ir_.CreateLoad(type, results[i]), rows[i]) : rows[i],
                    results[i]);
  return results;
}

// Runs `body` with m and v bound to the elements of the tile. What it computes is forgotten
// afterwards: a value that `initial` and epilogue share must not stay in registers through the sum.
void KernelEmitter::enter_tile(const Contraction& c, const Tile& tile, Lanes& lanes,
                               const std::function<void()>& body) {
  lanes.width = tile.width;
  lanes.rows = tile.rows;
  lanes.columns = tile.columns;
  lanes.masks.assign(tile.columns, nullptr);
  lanes.masks.back() = tile.last_mask;
  lanes.varies = varying_values(c.epilogue, c.v_variable, c.m_variable);
  lanes_ = &lanes;
  emit_straight([&] {
    bind_rows(c.m_variable, tile.m);
    bind_columns(c.v_variable, tile.v, c.dot ? 1 : tile.width);
    body();
  });
  lanes_ = nullptr;
}

// What the epilogue reads or writes with consecutive lanes: of many rows at once, which no
// prefetcher of the hardware follows, so that it is fetched while the sum is made.
std::vector<KernelEmitter::Fetched> KernelEmitter::touched_rows(const Contraction& c,
                                                                const Tile& tile) {
  std::vector<std::pair<std::uint32_t, kernel::ValueId>> places;  // buffer, index
  const auto touch = [&](std::uint32_t buffer, kernel::ValueId index) {
    if (std::ranges::find(places, std::pair(buffer, index)) == places.end())
      places.emplace_back(buffer, index);
  };
  for (kernel::ValueId id : computed(kernel_, c.epilogue))
    if (const kernel::Value& v = kernel_.values[id.index]; v.kind == ValueKind::load)
      touch(v.buffer, v.operands[0]);
  for (const kernel::Statement& s : c.epilogue)
    if (const auto* store = std::get_if<kernel::Store>(&s.node); store && !store->predicate)
      touch(store->buffer, store->index);
  std::vector<Fetched> rows;
  Tile two = tile;
  two.rows = 2;
  two.columns = 1;
  Lanes lanes;
  enter_tile(c, two, lanes, [&] {
    for (const auto& [buffer, index] : places) {
      if (lanes.varies[index.index] != 3 || rows.size() == max_fetched) continue;
      row_ = 0;
      const Emitted first = emit(index);
      row_ = 1;
      const Emitted second = emit(index);
      row_ = 0;
      if (first.lanes || first.stride != 1) continue;
      const std::int64_t bytes = bytes_of(kernel_.buffers[buffer].dtype);
      rows.push_back(
          {address(buffer, first.value),
           ir_.CreateMul(ir_.CreateSub(second.value, first.value), index_constant(bytes)),
           std::int64_t{tile.columns} * tile.width * bytes});
    }
  });
  return rows;
}

void KernelEmitter::emit_initial(const Contraction& c, const Tile& tile,
                                 const std::vector<llvm::Value*>& sums) {
  Lanes lanes;
  enter_tile(c, tile, lanes, [&] {
    for_each_copy([&] {
      const Emitted initial = emit(c.initial);
      ir_.CreateStore(number_lanes(initial), sums[row_ * lanes.columns + column_]);
    });
  });
}

void KernelEmitter::emit_epilogue_statements(const Contraction& c) {
  for (const kernel::Statement& s : c.epilogue)
    if (const auto* accumulate = std::get_if<kernel::Accumulate>(&s.node))
      emit_copy(*accumulate);
    else
      emit_store(std::get<kernel::Store>(s.node));
}

void KernelEmitter::emit_epilogue(const Contraction& c, const Tile& tile,
                                  const std::vector<llvm::Value*>& sums) {
  Lanes lanes;
  enter_tile(c, tile, lanes, [&] {
    llvm::Type* type = sum_vector_type(c, tile);
    contraction_sums_.clear();
    for (llvm::Value* sum : sums) contraction_sums_.push_back(ir_.CreateLoad(type, sum));
    for_each_copy([&] { emit_epilogue_statements(c); });
  });
}

// Runs `body` for each vector of the tile, row by row in a loop, with its place in `sums` (row
// major) and m and v bound.
void KernelEmitter::emit_rows_of_sums(const Contraction& c, const Tile& tile, llvm::Value* sums,
                                      const std::function<void(llvm::Value*)>& body) {
  llvm::Type* type = sum_vector_type(c, tile);
  emit_loop(index_constant(0), index_constant(tile.rows), 1, false, [&](llvm::Value* row) {
    Tile one = tile;
    one.rows = 1;
    one.m = ir_.CreateAdd(tile.m, row);
    llvm::Value* first = ir_.CreateMul(row, index_constant(tile.columns));
    Lanes lanes;
    enter_tile(c, one, lanes, [&] {
      contraction_sums_.clear();
      std::vector<llvm::Value*> places;
      for (unsigned j = 0; j < tile.columns; ++j) {
        places.push_back(ir_.CreateGEP(type, sums, ir_.CreateAdd(first, index_constant(j))));
        contraction_sums_.push_back(ir_.CreateLoad(type, places[j]));
      }
      for_each_copy([&] { body(places[column_]); });
    });
  });
}

void KernelEmitter::emit_epilogue_by_rows(const Contraction& c, const Tile& tile,
                                          llvm::Value* sums) {
  emit_rows_of_sums(c, tile, sums, [&](llvm::Value*) { emit_epilogue_statements(c); });
}

}  // namespace ganc
