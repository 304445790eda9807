#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "compiler/codegen/target.h"
#include "compiler/codegen/tile.h"
#include "compiler/kernel/kernel.h"

namespace ganc {

// What a kernel value has become in LLVM.
struct Emitted {
  llvm::Value* value = nullptr;
  bool lanes = false;       // a vector, one element a lane
  std::int64_t stride = 0;  // of an index that is no vector: lane l has value + l * stride
  std::int64_t multiple =
      1;          // of an index that is no vector: `value` is a multiple of it (0: it is 0)
  int depth = 0;  // the scope that it was computed in
};

// From and to of an index, both included; saturated.
struct Interval {
  std::int64_t low, high;
};
std::vector<Interval> index_intervals(const kernel::Kernel& kernel);

// One kernel's function, being written.
//
// A scope is a loop body (or what stands for one). Inside a vector loop or a tile of a contraction
// statements are emitted for several `copies` at once: in a vector loop copy j holds lanes j * W to
// (j + 1) * W - 1, in a tile copy (i, j) row i of those lanes. A value is emitted once for each
// copy that it differs in, in the outermost scope that has all it depends on: before the loops
// inside it.
class KernelEmitter {
 public:
  KernelEmitter(llvm::Module& module, const Target& target, const kernel::Kernel& kernel,
                const std::string& function_name, bool optimize);
  void run();

 private:
  struct Scope {
    llvm::Instruction* preheader =
        nullptr;                // what ends the block before the loop; none: straight-line code
    bool may_be_empty = false;  // no load may be hoisted out of it
    std::unordered_map<std::uint64_t, Emitted> memo;
  };
  // Copies along m and along lanes; copy (i, j) has `masks[j]` (none: all lanes).
  struct Lanes {
    unsigned width = 0;
    unsigned rows = 1, columns = 1;
    std::vector<llvm::Value*> masks;
    std::vector<std::uint8_t> varies;  // by value: bit 0 along lanes, bit 1 along rows
    unsigned loops = 0;                // serial ones within them that are being written
  };
  struct AccumulatorState {
    kernel::Accumulator::Combine combine;
    DType dtype;
    bool in_lanes = false;               // the statement stands inside the vector loop
    llvm::Instruction* start = nullptr;  // partial results are set to the identity before it
    llvm::Value* scalar = nullptr;       // partial results: places on the stack, made when needed
    std::map<std::pair<unsigned, unsigned>, llvm::Value*> vectors;  // by width and column
    std::vector<Emitted> results;                                   // by copy
  };

  // emitter.cpp
  void make_function(const std::string& name);
  void emit_buffers();
  void emit_block(const kernel::Block& block);
  void emit_statement(const kernel::Loop& loop);
  void emit_statement(const kernel::Store& store);
  void emit_statement(const kernel::Accumulator& accumulator);
  void emit_statement(const kernel::Accumulate& accumulate);
  void emit_copy(const kernel::Accumulate& accumulate);  // of this row and column
  void emit_statement(const kernel::Contraction& contraction);
  template <class F>
  void for_each_copy(F&& f);

  // emit_loop.cpp
  void emit_loop(llvm::Value* begin, llvm::Value* end, std::int64_t step, bool may_be_empty,
                 const std::function<void(llvm::Value*)>& body);
  void emit_straight(const std::function<void()>& body);
  void emit_guarded(llvm::Value* condition, const std::function<void()>& body);
  void bind(kernel::VarId variable, llvm::Value* value, std::int64_t multiple);
  void bind_columns(kernel::VarId variable, llvm::Value* first, std::int64_t multiple);
  void bind_rows(kernel::VarId variable, llvm::Value* first);
  void emit_vector_loop(const kernel::Loop& loop);
  void emit_lanes(const kernel::Loop& loop, llvm::Value* first, unsigned columns,
                  llvm::Value* last_mask);
  std::vector<std::uint8_t> varying_values(const kernel::Block& body, kernel::VarId lane,
                                           kernel::VarId row) const;
  unsigned lane_count(const kernel::Block& body, const std::vector<std::uint8_t>& varies) const;
  unsigned unroll_factor(const kernel::Block& body, const std::vector<std::uint8_t>& varies) const;

  // emit_accumulator.cpp
  llvm::Value* identity(const AccumulatorState& state, llvm::Type* type) const;
  llvm::Value* combine(const AccumulatorState& state, llvm::Value* a, llvm::Value* b);
  llvm::Value* partial(AccumulatorState& state, bool lanes, unsigned column);
  llvm::Value* combine_lanes(const AccumulatorState& state, llvm::Value* vector);
  llvm::Value* combined(AccumulatorState& state);

  // emit_value.cpp
  Emitted emit(kernel::ValueId id);
  Emitted compute(kernel::ValueId id, const kernel::Value& value);
  Emitted compute_index(kernel::ValueId id, const kernel::Value& value);
  Emitted index_sum(kernel::ValueId id, const kernel::Value& value);
  Emitted index_product(kernel::ValueId id, const kernel::Value& value);
  Emitted index_quotient(kernel::ValueId id, const kernel::Value& value);
  Emitted index_bound(kernel::ValueId id, const kernel::Value& value);
  Emitted index_compare(kernel::ValueId id, const kernel::Value& value);
  Emitted to_index(kernel::ValueId id, const kernel::Value& value);
  Emitted from_index(kernel::ValueId id, const kernel::Value& value);
  Emitted apply(const kernel::Value& value);
  bool is_choice(kernel::ValueId id, const kernel::Value& value) const;
  Emitted choose(const kernel::Value& value);
  bool is_known(kernel::ValueId predicate) const;  // it holds here
  Emitted philox(const kernel::Value& value);
  Emitted pair(const kernel::Value& value);
  llvm::Value* rounded_word(llvm::Value* x, unsigned lanes);
  llvm::Value* index_lanes(const Emitted& index, unsigned bits);
  unsigned index_bits(kernel::ValueId id) const;
  llvm::Value* number_lanes(const Emitted& number);
  llvm::Value* uniform_index(kernel::ValueId id);
  std::uint64_t memo_key(kernel::ValueId id) const;
  // While it lives, instructions go to the end of the scope `depth`, before the loops that are
  // being written in it.
  class At {
   public:
    At(KernelEmitter& emitter, int depth);

   private:
    llvm::IRBuilder<>::InsertPointGuard guard_;
  };
  int current_depth() const { return static_cast<int>(scopes_.size()) - 1; }
  int load_depth() const;
  llvm::Constant* index_constant(std::int64_t x) {
    return ir_.getInt64(static_cast<std::uint64_t>(x));
  }

  // emit_memory.cpp
  struct Place {  // of an access
    std::uint32_t buffer;
    Emitted index;
    llvm::Value* predicate;  // i1, or one a lane; none: always
  };
  Emitted emit_load(const kernel::Value& value);
  llvm::Value* load_scalar(const Place& place);
  llvm::Value* load_lanes(const Place& place, unsigned bits);
  llvm::Value* load_consecutive(const Place& place, llvm::Value* mask);
  llvm::Value* load_reversed(const Place& place, llvm::Value* mask);
  llvm::Value* load_strided(const Place& place);
  llvm::Value* load_one_by_one(const Place& place);
  llvm::Value* addresses(const Place& place, unsigned bits);
  void store_scalar(const Place& place, llvm::Value* value);
  void store_lanes(const Place& place, llvm::Value* value, unsigned bits);
  void emit_store(const kernel::Store& store);
  llvm::Value* lane_mask(llvm::Value* predicate);
  llvm::Value* address(std::uint32_t buffer, llvm::Value* index);
  llvm::Align alignment(std::uint32_t buffer, const Emitted& index) const;
  void mark(llvm::Instruction* access, std::uint32_t buffer);
  llvm::Type* vector_type(llvm::Type* element) const {
    return llvm::FixedVectorType::get(element, lanes_->width);
  }

  // emit_contraction.cpp: tiles over (m, v)
  struct Fetched {            // rows of memory, to be in the cache soon
    llvm::Value *row, *step;  // the first; bytes to the next
    std::int64_t row_bytes;
  };
  struct Tile {
    unsigned rows = 0, columns = 0, width = 0;
    llvm::Value *m = nullptr, *v = nullptr;  // the first
    llvm::Value* last_mask = nullptr;        // of the last column; none: all lanes
    bool in_tiles = false;                   // emit_tiles.cpp
    llvm::Value* sum_mask = nullptr;         // of a step of dot products; none: all lanes
    std::vector<Fetched> fetched;            // while it sums
  };
  void emit_columns(const kernel::Contraction& c, RegisterTile shape, Tile tile,
                    const std::function<void(const Tile&)>& body);
  void emit_rows(const kernel::Contraction& c, RegisterTile shape, Tile tile,
                 const std::function<void(const Tile&)>& body);
  void emit_tile(const kernel::Contraction& c, const Tile& tile);
  std::size_t chains_of(const kernel::Contraction& c, const Tile& tile) const;
  Tile results_of(const Tile& tile);
  std::vector<llvm::Value*> add_lanes(const kernel::Contraction& c, const Tile& tile,
                                      const std::vector<llvm::Value*>& sums);
  std::vector<Fetched> touched_rows(const kernel::Contraction& c, const Tile& tile);
  llvm::Type* sum_vector_type(const kernel::Contraction& c, const Tile& tile) const;
  void enter_tile(const kernel::Contraction& c, const Tile& tile, Lanes& lanes,
                  const std::function<void()>& body);
  void emit_initial(const kernel::Contraction& c, const Tile& tile,
                    const std::vector<llvm::Value*>& sums);
  void emit_epilogue(const kernel::Contraction& c, const Tile& tile,
                     const std::vector<llvm::Value*>& sums);
  void emit_rows_of_sums(const kernel::Contraction& c, const Tile& tile, llvm::Value* sums,
                         const std::function<void(llvm::Value*)>& body);
  void emit_epilogue_by_rows(const kernel::Contraction& c, const Tile& tile, llvm::Value* sums);
  void emit_epilogue_statements(const kernel::Contraction& c);  // of this row and column

  // emit_sum.cpp: the sum of a tile
  struct Operands {  // where a and b stand, and what is fetched ahead; null: nothing
    llvm::Value *a, *b, *ahead = nullptr;
  };
  void emit_sum(const kernel::Contraction& c, const Tile& tile,
                const std::vector<llvm::Value*>& sums);
  void emit_taps(const kernel::Contraction& c, const Tile& tile, std::size_t tap, Operands at,
                 const std::vector<llvm::Value*>& sums);
  std::optional<std::size_t> few_pairs(const kernel::TapAxis& axis) const;
  void emit_steps(const kernel::Contraction& c, const Tile& tile, Operands from, llvm::Value* count,
                  const kernel::ReduceAxis& axis, const std::vector<llvm::Value*>& sums);
  void emit_axes(const kernel::Contraction& c, const Tile& tile, std::size_t axis, Operands at,
                 const std::vector<llvm::Value*>& sums, std::size_t step = 0);
  // `step`: which of the sum's steps that are written one after another.
  void multiply_add(const kernel::Contraction& c, const Tile& tile, Operands at,
                    const std::vector<llvm::Value*>& sums, std::size_t step);
  llvm::Value* load_factor(const Tile& tile, std::uint32_t buffer, llvm::Value* from, bool lanes,
                           llvm::Value* mask);
  llvm::Value* add_product(llvm::Value* a, llvm::Value* b, llvm::Value* sum);
  void emit_prefetch(llvm::Value* place);
  void emit_vector_prefetch(const kernel::Contraction& c, const Tile& tile, llvm::Value* b,
                            std::int64_t stride);
  void emit_prefetch(const kernel::Contraction& c, const Tile& tile, llvm::Value* a,
                     std::int64_t stride);
  llvm::Value* advance(llvm::Value* pointer, DType dtype, llvm::Value* count, std::int64_t stride);
  llvm::GlobalVariable* tap_table(std::uint32_t table);

  std::int64_t column_offset(const kernel::Contraction& c, const Tile& tile, unsigned column) const;

  // emit_tiles.cpp: contractions in tile registers
  void emit_in_tiles(const kernel::Contraction& c);
  void emit_tile_block(const kernel::Contraction& c, const Tile& tile);
  void multiply_tiles(const kernel::Contraction& c, const Tile& tile, Operands at);
  void load_tile(unsigned tile, llvm::Value* from, std::int64_t row_bytes);

  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> ir_;
  const Target target_;
  const kernel::Kernel& kernel_;
  const bool optimize_;
  llvm::Function* function_ = nullptr;
  llvm::Instruction* entry_end_ = nullptr;                      // allocations stand before it
  std::vector<llvm::Value*> bases_;                             // by buffer
  std::vector<llvm::MDNode*> own_scope_, other_scopes_;         // by buffer, for alias analysis
  std::vector<Interval> intervals_;                             // by value
  enum class Reads : std::uint8_t { nothing, input, written };  // memory that the kernel writes
  std::vector<Reads> reads_;                                    // by value, all that it is made of
  std::vector<bool> of_indices_;                                // see kernel::made_of_indices()
  std::vector<Scope> scopes_;
  std::vector<kernel::ValueId> known_;  // predicates that hold where it is being written
  struct Binding {
    enum class By : std::uint8_t { none, column, row } by = By::none;
    std::vector<Emitted> copies;
  };
  std::vector<Binding> bindings_;  // by variable
  std::vector<AccumulatorState> accumulators_;
  std::vector<llvm::Value*> contraction_sums_;  // by copy, in an epilogue
  std::vector<llvm::GlobalVariable*> tap_tables_;
  llvm::Value* tile_sums_ = nullptr;  // memory between tile registers and epilogue
  Lanes* lanes_ = nullptr;
  unsigned row_ = 0, column_ = 0;
};

template <class F>
void KernelEmitter::for_each_copy(F&& f) {
  const unsigned rows = lanes_ ? lanes_->rows : 1, columns = lanes_ ? lanes_->columns : 1;
  for (row_ = 0; row_ < rows; ++row_)
    for (column_ = 0; column_ < columns; ++column_) f();
  row_ = column_ = 0;
}

}  // namespace ganc
