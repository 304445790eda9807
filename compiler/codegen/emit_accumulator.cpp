#include <limits>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"

namespace ganc {

using kernel::Accumulator;

void KernelEmitter::emit_statement(const Accumulator& accumulator) {
  AccumulatorState& state = accumulators_[accumulator.id];
  state = {};
  state.combine = accumulator.combine;
  state.dtype = accumulator.dtype;
  state.in_lanes = lanes_ != nullptr;
  auto* body = llvm::BasicBlock::Create(context_, "sum", function_);
  state.start = ir_.CreateBr(body);
  ir_.SetInsertPoint(body);
  emit_block(accumulator.body);
  if (!state.in_lanes) {
    state.results = {{.value = combined(state), .depth = current_depth()}};
    return;
  }
  for (unsigned j = 0; j < lanes_->columns; ++j) {
    llvm::Value* place = partial(state, true, j);
    llvm::Type* type = vector_type(register_type(context_, state.dtype));
    state.results.push_back(
        {.value = ir_.CreateLoad(type, place), .lanes = true, .depth = current_depth()});
  }
}

void KernelEmitter::emit_statement(const kernel::Accumulate& accumulate) {
  for_each_copy([&] { emit_copy(accumulate); });
}

void KernelEmitter::emit_copy(const kernel::Accumulate& accumulate) {
  AccumulatorState& state = accumulators_[accumulate.accumulator];
  const Emitted number = emit(accumulate.value);
  llvm::Value* value = lanes_ ? number_lanes(number) : number.value;
  llvm::Value* place = partial(state, lanes_ != nullptr, column_);
  llvm::Value* before = ir_.CreateLoad(value->getType(), place);
  llvm::Value* after = combine(state, before, value);
  llvm::Value* mask = lanes_ && !state.in_lanes ? lanes_->masks[column_] : nullptr;
  ir_.CreateStore(mask ? ir_.CreateSelect(mask, after, before) : after, place);
}

// What changes nothing: 0, or the least number.
llvm::Value* KernelEmitter::identity(const AccumulatorState& state, llvm::Type* type) const {
  if (state.combine == Accumulator::Combine::sum) return llvm::Constant::getNullValue(type);
  if (is_real(state.dtype))
    return llvm::ConstantFP::get(type, -std::numeric_limits<double>::infinity());
  return llvm::ConstantInt::get(type, state.dtype == DType::i32 ? 0x80000000u : 0u);
}

llvm::Value* KernelEmitter::combine(const AccumulatorState& state, llvm::Value* a, llvm::Value* b) {
  if (state.combine == Accumulator::Combine::sum)
    return is_real(state.dtype) ? ir_.CreateFAdd(a, b) : ir_.CreateAdd(a, b);
  if (is_real(state.dtype)) return emit_extreme(ir_, a, b, true);
  return ir_.CreateBinaryIntrinsic(
      state.dtype == DType::i32 ? llvm::Intrinsic::smax : llvm::Intrinsic::umax, a, b);
}

// The stack place of a partial result, set to the identity where the accumulator begins.
llvm::Value* KernelEmitter::partial(AccumulatorState& state, bool lanes, unsigned column) {
  llvm::Type* type = register_type(context_, state.dtype);
  if (lanes) type = vector_type(type);
  llvm::Value*& place = lanes ? state.vectors[{lanes_->width, column}] : state.scalar;
  if (place) return place;
  llvm::IRBuilder<>::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(entry_end_);
  place = ir_.CreateAlloca(type);
  ir_.SetInsertPoint(state.start);
  ir_.CreateStore(identity(state, type), place);
  return place;
}

// Halves onto each other until one element is left: the same order whatever the machine.
llvm::Value* KernelEmitter::combine_lanes(const AccumulatorState& state, llvm::Value* vector) {
  const unsigned width = llvm::cast<llvm::FixedVectorType>(vector->getType())->getNumElements();
  for (unsigned half = width / 2; half > 0; half /= 2) {
    std::vector<int> low, high;
    for (unsigned i = 0; i < half; ++i) {
      low.push_back(static_cast<int>(i));
      high.push_back(static_cast<int>(half + i));
    }
    vector =
        combine(state, ir_.CreateShuffleVector(vector, low), ir_.CreateShuffleVector(vector, high));
  }
  return ir_.CreateExtractElement(vector, std::uint64_t{0});
}

// Pairs of columns, pairs of pairs, then lanes; what was accumulated outside a vector loop comes
// last.
llvm::Value* KernelEmitter::combined(AccumulatorState& state) {
  llvm::Type* type = register_type(context_, state.dtype);
  llvm::Value* result = nullptr;
  const auto include = [&](llvm::Value* x) { result = result ? combine(state, result, x) : x; };
  for (auto it = state.vectors.begin(); it != state.vectors.end();) {
    const unsigned width = it->first.first;
    std::vector<llvm::Value*> parts;
    for (; it != state.vectors.end() && it->first.first == width; ++it)
      parts.push_back(ir_.CreateLoad(llvm::FixedVectorType::get(type, width), it->second));
    while (parts.size() > 1) {
      std::vector<llvm::Value*> pairs;
      for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
        pairs.push_back(combine(state, parts[i], parts[i + 1]));
      if (parts.size() % 2) pairs.push_back(parts.back());
      parts = std::move(pairs);
    }
    include(combine_lanes(state, parts[0]));
  }
  if (state.scalar) include(ir_.CreateLoad(type, state.scalar));
  return result ? result : identity(state, type);
}

}  // namespace ganc
