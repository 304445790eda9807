#include <algorithm>
#include <numeric>

#include "compiler/codegen/bug.h"
#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"
#include "compiler/kernel/verify_values.h"
#include "compiler/ops/op.h"

namespace ganc {

using kernel::ValueId;
using kernel::ValueKind;

KernelEmitter::At::At(KernelEmitter& emitter, int depth) : guard_(emitter.ir_) {
  for (std::size_t s = static_cast<std::size_t>(depth) + 1; s < emitter.scopes_.size(); ++s) {
    if (!emitter.scopes_[s].preheader) continue;
    emitter.ir_.SetInsertPoint(emitter.scopes_[s].preheader);
    return;
  }
}

std::uint64_t KernelEmitter::memo_key(ValueId id) const {
  const std::uint8_t varies = lanes_ ? lanes_->varies[id.index] : 0;
  const std::uint64_t row = varies & 2 ? row_ + 1 : 0, column = varies & 1 ? column_ + 1 : 0;
  return std::uint64_t{id.index} << 32 | row << 16 | column;
}

int KernelEmitter::load_depth() const {
  for (std::size_t s = scopes_.size(); s-- > 0;)
    if (scopes_[s].may_be_empty) return static_cast<int>(s);
  return 0;
}

Emitted KernelEmitter::emit(ValueId id) {
  const std::uint64_t key = memo_key(id);
  for (std::size_t s = scopes_.size(); s-- > 0;)
    if (const auto it = scopes_[s].memo.find(key); it != scopes_[s].memo.end()) return it->second;
  const Emitted result = compute(id, kernel_.values[id.index]);
  scopes_[static_cast<std::size_t>(result.depth)].memo[key] = result;
  return result;
}

Emitted KernelEmitter::compute(ValueId id, const kernel::Value& v) {
  switch (v.kind) {
    case ValueKind::constant: {
      LaneScalar scalar(ir_, 0);
      return {.value = scalar.value(scalar.constant(v.number, v.dtype))};
    }
    case ValueKind::accumulator: {
      const AccumulatorState& state = accumulators_[v.accumulator];
      return state.results[state.in_lanes ? column_ : 0];
    }
    case ValueKind::contraction:
      return {.value = contraction_sums_[row_ * lanes_->columns + column_],
              .lanes = true,
              .depth = current_depth()};
    case ValueKind::loop_variable: {
      const Binding& binding = bindings_[v.variable.index];
      switch (binding.by) {
        case Binding::By::none:
          return binding.copies[0];
        case Binding::By::column:
          return binding.copies[column_];
        case Binding::By::row:
          return binding.copies[row_];
      }
      std::abort();
    }
    case ValueKind::apply:
      return is_choice(id, v) ? choose(v) : apply(v);
    case ValueKind::load:
      return emit_load(v);
    case ValueKind::philox:
      return philox(v);
    case ValueKind::pair:
      return pair(v);
    case ValueKind::index_constant:
    case ValueKind::index_add:
    case ValueKind::index_scale:
    case ValueKind::index_floor_divide:
    case ValueKind::index_modulo:
    case ValueKind::index_clamp:
    case ValueKind::index_minimum:
    case ValueKind::index_compare:
    case ValueKind::to_index:
    case ValueKind::from_index:
      return compute_index(id, v);
  }
  std::abort();
}

llvm::Value* KernelEmitter::number_lanes(const Emitted& number) {
  return number.lanes ? number.value : ir_.CreateVectorSplat(lanes_->width, number.value);
}

llvm::Value* KernelEmitter::uniform_index(ValueId id) {
  const Emitted index = emit(id);
  if (index.lanes || index.stride != 0)
    bug("kernel `{}`: an index differs between lanes", kernel_.name);
  return index.value;
}

Emitted KernelEmitter::apply(const kernel::Value& v) {
  std::vector<Emitted> operands;
  Emitted result;
  for (ValueId operand : v.operands) {
    operands.push_back(emit(operand));
    result.lanes |= operands.back().lanes;
    result.depth = std::max(result.depth, operands.back().depth);
  }
  const At here(*this, result.depth);
  LaneScalar scalar(ir_, result.lanes ? lanes_->width : 0);
  std::vector<ScalarId> arguments;
  Node node{.op = v.op, .type = {v.dtype, {}}, .operands = {}, .attributes = {}};
  node.attributes.comparison = v.comparison;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    llvm::Value* value = result.lanes ? number_lanes(operands[i]) : operands[i].value;
    arguments.push_back(scalar.enter(value, kernel_.values[v.operands[i].index].dtype));
  }
  result.value = scalar.value(definition(v.op).scalar(scalar, node, arguments));
  return result;
}

// Whether one of two values that are read from memory is taken for all lanes, by where they are.
// Not inside a loop within the lanes, which what is chosen may not depend on; nor of memory that
// the kernel writes, which is read at its first use alone.
bool KernelEmitter::is_choice(ValueId id, const kernel::Value& v) const {
  if (!optimize_ || v.op != Op::select || !lanes_ || lanes_->loops > 0 ||
      !(lanes_->varies[id.index] & 1))
    return false;
  const ValueId predicate = v.operands[0];
  const auto reads = std::max(reads_[v.operands[1].index], reads_[v.operands[2].index]);
  return lanes_->varies[predicate.index] == 0 && of_indices_[predicate.index] &&
         reads == Reads::input;
}

// By a branch: the other value is not computed. Of a border by reflection that is one of nine.
Emitted KernelEmitter::choose(const kernel::Value& v) {
  const ValueId predicate = v.operands[0];
  llvm::Value* holds = emit(predicate).value;
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(context_, name, function_);
  };
  llvm::BasicBlock *arms[] = {block("chosen"), block("else")}, *after = block("after");
  llvm::Instruction* branch = ir_.CreateCondBr(holds, arms[0], arms[1]);
  llvm::Type* type = vector_type(register_type(context_, v.dtype));
  llvm::PHINode* result = llvm::PHINode::Create(type, 2);
  for (const std::size_t arm : {0UZ, 1UZ}) {
    ir_.SetInsertPoint(arms[arm]);
    Scope scope;
    scope.may_be_empty = true;
    scope.preheader = branch;
    scopes_.push_back(std::move(scope));
    if (arm == 0) known_.push_back(predicate);
    llvm::Value* value = number_lanes(emit(v.operands[arm + 1]));
    if (arm == 0) known_.pop_back();
    scopes_.pop_back();
    result->addIncoming(value, ir_.GetInsertBlock());
    ir_.CreateBr(after);
  }
  ir_.SetInsertPoint(after);
  ir_.Insert(result);
  return {.value = result, .lanes = true, .depth = current_depth()};
}

bool KernelEmitter::is_known(ValueId predicate) const {
  const auto follows = [&](ValueId from, const auto& self) -> bool {
    if (from == predicate) return true;
    const kernel::Value& v = kernel_.values[from.index];
    return v.kind == ValueKind::apply && v.op == Op::logical_and &&
           std::ranges::any_of(v.operands, [&](ValueId o) { return self(o, self); });
  };
  if (std::ranges::any_of(known_, [&](ValueId from) { return follows(from, follows); }))
    return true;
  const kernel::Value& v = kernel_.values[predicate.index];
  return v.kind == ValueKind::apply && v.op == Op::logical_and &&
         std::ranges::all_of(v.operands, [&](ValueId operand) { return is_known(operand); });
}

// Each operand rounded to bf16, or what that leaves of it, side by side in a word.
Emitted KernelEmitter::pair(const kernel::Value& v) {
  const Emitted operands[2] = {emit(v.operands[0]), emit(v.operands[1])};
  Emitted result;
  result.lanes = operands[0].lanes || operands[1].lanes;
  result.depth = std::max(operands[0].depth, operands[1].depth);
  const At here(*this, result.depth);
  const unsigned lanes = result.lanes ? lanes_->width : 0;
  llvm::Value* words[2];
  for (std::size_t i = 0; i < 2; ++i) {
    llvm::Value* x = lanes > 0 ? number_lanes(operands[i]) : operands[i].value;
    words[i] = rounded_word(x, lanes);
    if (v.integer == 0) continue;
    llvm::Value* rounded = ir_.CreateBitCast(ir_.CreateShl(words[i], 16), x->getType());
    words[i] = rounded_word(ir_.CreateFSub(x, rounded), lanes);
  }
  result.value = ir_.CreateOr(words[0], ir_.CreateShl(words[1], 16));
  return result;
}

// The bits of x as bf16 in the low half of a word.
llvm::Value* KernelEmitter::rounded_word(llvm::Value* x, unsigned lanes) {
  llvm::Type *word = ir_.getInt32Ty(), *half = ir_.getInt16Ty(), *narrow = ir_.getBFloatTy();
  if (lanes > 0) {
    word = llvm::FixedVectorType::get(word, lanes);
    half = llvm::FixedVectorType::get(half, lanes);
    narrow = llvm::FixedVectorType::get(narrow, lanes);
  }
  if (target_.bf16 && lanes > 0)
    return ir_.CreateZExt(ir_.CreateBitCast(ir_.CreateFPTrunc(x, narrow), half), word);
  LaneScalar scalar(ir_, lanes);
  const ScalarId rounded = scalar.convert(scalar.enter(x, DType::f32), DType::bf16);
  return ir_.CreateZExt(to_memory(ir_, scalar.value(rounded), DType::bf16), word);
}

namespace {

struct Product {
  llvm::Value *low, *high;
};

// 32 x 32 bits, scalars or an even number of lanes: of these first the even ones, then the odd ones
// are multiplied where they are, so that nothing crosses lanes.
Product wide_product(llvm::IRBuilder<>& ir, llvm::Value* x, std::uint32_t factor) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(x->getType());
  llvm::Type* wide = ir.getInt64Ty();
  if (!vector) {
    llvm::Value* product =
        ir.CreateMul(ir.CreateZExt(x, wide), llvm::ConstantInt::get(wide, factor));
    return {ir.CreateTrunc(product, x->getType()),
            ir.CreateTrunc(ir.CreateLShr(product, 32), x->getType())};
  }
  const auto lanes = static_cast<int>(vector->getNumElements());
  wide = llvm::FixedVectorType::get(wide, static_cast<unsigned>(lanes) / 2);
  llvm::Value* pairs = ir.CreateBitCast(x, wide);
  const auto times = [&](llvm::Value* half) {
    return ir.CreateBitCast(ir.CreateMul(half, llvm::ConstantInt::get(wide, factor)), x->getType());
  };
  llvm::Value* even = times(ir.CreateAnd(pairs, 0xFFFFFFFF));
  llvm::Value* odd = times(ir.CreateLShr(pairs, 32));
  std::vector<int> low, high;
  for (int lane = 0; lane < lanes; lane += 2) {
    low.insert(low.end(), {lane, lanes + lane});
    high.insert(high.end(), {lane + 1, lanes + lane + 1});
  }
  return {ir.CreateShuffleVector(even, odd, low), ir.CreateShuffleVector(even, odd, high)};
}

}  // namespace

// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011. Every lane computes its own
// block.
Emitted KernelEmitter::philox(const kernel::Value& v) {
  const Emitted key_low = emit(v.operands[0]), key_high = emit(v.operands[1]),
                step = emit(v.operands[2]);
  const Emitted element = emit(v.operands[3]);
  Emitted result;
  result.lanes =
      key_low.lanes || key_high.lanes || step.lanes || element.lanes || element.stride != 0;
  for (const Emitted& e : {key_low, key_high, step, element})
    result.depth = std::max(result.depth, e.depth);
  const At here(*this, result.depth);
  const unsigned width = result.lanes ? lanes_->width : 0;
  llvm::Type* word = ir_.getInt32Ty();
  if (width) word = llvm::FixedVectorType::get(word, width);
  const auto number = [&](const Emitted& e) { return width ? number_lanes(e) : e.value; };
  const auto constant = [&](std::uint64_t x) { return llvm::ConstantInt::get(word, x); };

  llvm::Value* index = width ? index_lanes(element, 64) : element.value;
  llvm::Value* which = ir_.CreateAnd(ir_.CreateTrunc(index, word), constant(3));
  llvm::Value* counter[4] = {ir_.CreateTrunc(ir_.CreateLShr(index, 2), word),
                             ir_.CreateTrunc(ir_.CreateLShr(index, 34), word),
                             constant(static_cast<std::uint32_t>(v.integer)), number(step)};
  llvm::Value* key[2] = {number(key_low), number(key_high)};
  for (int round = 0; round < 10; ++round) {
    const Product first = wide_product(ir_, counter[0], 0xD2511F53);
    const Product second = wide_product(ir_, counter[2], 0xCD9E8D57);
    counter[0] = ir_.CreateXor(ir_.CreateXor(second.high, counter[1]), key[0]);
    counter[2] = ir_.CreateXor(ir_.CreateXor(first.high, counter[3]), key[1]);
    counter[1] = second.low;
    counter[3] = first.low;
    key[0] = ir_.CreateAdd(key[0], constant(0x9E3779B9));
    key[1] = ir_.CreateAdd(key[1], constant(0xBB67AE85));
  }
  result.value = counter[3];
  for (unsigned i = 3; i-- > 0;)
    result.value = ir_.CreateSelect(ir_.CreateICmpEQ(which, constant(i)), counter[i], result.value);
  return result;
}

}  // namespace ganc
