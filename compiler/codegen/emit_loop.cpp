#include <algorithm>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/work.h"
#include "compiler/kernel/verify_values.h"

namespace ganc {

using kernel::Value;
using kernel::ValueId;
using kernel::ValueKind;

void KernelEmitter::emit_loop(llvm::Value* begin, llvm::Value* end, std::int64_t step,
                              bool may_be_empty, const std::function<void(llvm::Value*)>& body) {
  auto* before = ir_.GetInsertBlock();
  auto* loop = llvm::BasicBlock::Create(context_, "loop", function_);
  auto* after = llvm::BasicBlock::Create(context_, "after", function_);
  Scope scope;
  scope.may_be_empty = may_be_empty;
  scope.preheader = may_be_empty ? ir_.CreateCondBr(ir_.CreateICmpSLT(begin, end), loop, after)
                                 : ir_.CreateBr(loop);
  ir_.SetInsertPoint(loop);
  llvm::PHINode* i = ir_.CreatePHI(ir_.getInt64Ty(), 2);
  i->addIncoming(begin, before);
  scopes_.push_back(std::move(scope));
  body(i);
  scopes_.pop_back();
  llvm::Value* next = ir_.CreateNSWAdd(i, index_constant(step));
  i->addIncoming(next, ir_.GetInsertBlock());
  ir_.CreateCondBr(ir_.CreateICmpSLT(next, end), loop, after);
  ir_.SetInsertPoint(after);
}

void KernelEmitter::emit_straight(const std::function<void()>& body) {
  scopes_.emplace_back();
  body();
  scopes_.pop_back();
}

void KernelEmitter::emit_guarded(llvm::Value* condition, const std::function<void()>& body) {
  auto* inside = llvm::BasicBlock::Create(context_, "if", function_);
  auto* after = llvm::BasicBlock::Create(context_, "after", function_);
  Scope scope;
  scope.may_be_empty = true;
  scope.preheader = ir_.CreateCondBr(condition, inside, after);
  ir_.SetInsertPoint(inside);
  scopes_.push_back(std::move(scope));
  body();
  scopes_.pop_back();
  ir_.CreateBr(after);
  ir_.SetInsertPoint(after);
}

void KernelEmitter::bind(kernel::VarId variable, llvm::Value* value, std::int64_t multiple) {
  bindings_[variable.index] = {Binding::By::none,
                               {{.value = value, .multiple = multiple, .depth = current_depth()}}};
}

// `first` is a multiple of `multiple`, and so are the lanes.
void KernelEmitter::bind_columns(kernel::VarId variable, llvm::Value* first,
                                 std::int64_t multiple) {
  Binding binding{Binding::By::column, {}};
  for (unsigned j = 0; j < lanes_->columns; ++j)
    binding.copies.push_back({.value = ir_.CreateAdd(first, index_constant(j * lanes_->width)),
                              .stride = 1,
                              .multiple = multiple,
                              .depth = current_depth()});
  bindings_[variable.index] = std::move(binding);
}

void KernelEmitter::bind_rows(kernel::VarId variable, llvm::Value* first) {
  Binding binding{Binding::By::row, {}};
  for (unsigned i = 0; i < lanes_->rows; ++i)
    binding.copies.push_back(
        {.value = ir_.CreateAdd(first, index_constant(i)), .depth = current_depth()});
  bindings_[variable.index] = std::move(binding);
}

std::vector<std::uint8_t> KernelEmitter::varying_values(const kernel::Block& body,
                                                        kernel::VarId lane,
                                                        kernel::VarId row) const {
  const Mentioned found = mentioned(body);
  std::vector<std::uint8_t> varies(kernel_.values.size(), 0);
  for (std::size_t i = 0; i < kernel_.values.size(); ++i) {
    const Value& v = kernel_.values[i];
    for (ValueId operand : v.operands) varies[i] |= varies[operand.index];
    if (v.kind == ValueKind::loop_variable && v.variable == lane) varies[i] = 1;
    if (v.kind == ValueKind::loop_variable && v.variable == row) varies[i] = 2;
    if (v.kind == ValueKind::contraction) varies[i] = 3;
    if (v.kind == ValueKind::accumulator && std::ranges::count(found.accumulators, v.accumulator))
      varies[i] = 1;
  }
  return varies;
}

// Lanes of f32, or half as many where an f64 differs between them.
unsigned KernelEmitter::lane_count(const kernel::Block& body,
                                   const std::vector<std::uint8_t>& varies) const {
  for (ValueId id : computed(kernel_, body)) {
    const Value& v = kernel_.values[id.index];
    if (!kernel::is_index(v) && v.dtype == DType::f64 && (varies[id.index] & 1))
      return target_.vector_bits / 64;
  }
  return target_.vector_bits / 32;
}

// Short bodies: four vectors at once, for bandwidth and for four independent chains of a sum.
unsigned KernelEmitter::unroll_factor(const kernel::Block& body,
                                      const std::vector<std::uint8_t>& varies) const {
  if (!optimize_) return 1;
  unsigned total = 0;
  for (ValueId id : computed(kernel_, body))
    if (varies[id.index]) total += work_of(kernel_.values[id.index]);
  if (total <= (mentioned(body).accumulates ? 24u : 12u)) return 4;
  return total <= 40 ? 2 : 1;
}

// One iteration: `columns` vectors from `first` on, the last under `last_mask`.
void KernelEmitter::emit_lanes(const kernel::Loop& loop, llvm::Value* first, unsigned columns,
                               llvm::Value* last_mask) {
  lanes_->columns = columns;
  lanes_->masks.assign(columns, nullptr);
  lanes_->masks.back() = last_mask;
  bind_columns(loop.variable, first, lanes_->width);
  emit_block(loop.body);
}

void KernelEmitter::emit_vector_loop(const kernel::Loop& loop) {
  const Value& extent = kernel_.values[loop.extent.index];
  if (extent.kind == ValueKind::index_constant && extent.integer == 1) {
    return emit_straight([&] {
      bind(loop.variable, index_constant(0), 0);
      emit_block(loop.body);
    });
  }
  llvm::Value* end = uniform_index(loop.extent);
  Lanes lanes;
  lanes.varies = varying_values(loop.body, loop.variable, {});
  lanes.width = lane_count(loop.body, lanes.varies);
  const std::int64_t width = lanes.width;
  const std::int64_t step = width * unroll_factor(loop.body, lanes.varies);
  const auto columns_of = [&](std::int64_t elements) {
    return static_cast<unsigned>(elements / width);
  };
  llvm::Type* masks = llvm::FixedVectorType::get(ir_.getInt64Ty(), lanes.width);
  const auto mask_below = [&](llvm::Value* count) {
    return ir_.CreateICmpSLT(ir_.CreateStepVector(masks),
                             ir_.CreateVectorSplat(lanes.width, count));
  };
  lanes_ = &lanes;
  if (extent.kind == ValueKind::index_constant) {
    const std::int64_t n = extent.integer, whole = n / step * step, rest = n - whole;
    const auto run = [&](llvm::Value* i) { emit_lanes(loop, i, columns_of(step), nullptr); };
    if (whole == step) emit_straight([&] { run(index_constant(0)); });
    if (whole > step) emit_loop(index_constant(0), index_constant(whole), step, false, run);
    llvm::Value* mask = rest % width ? mask_below(index_constant(rest % width)) : nullptr;
    if (rest)
      emit_straight(
          [&] { emit_lanes(loop, index_constant(whole), columns_of(rest + width - 1), mask); });
  } else {
    llvm::Value* whole =
        ir_.CreateMul(ir_.CreateSDiv(end, index_constant(step)), index_constant(step));
    llvm::Value* full =
        ir_.CreateMul(ir_.CreateSDiv(end, index_constant(width)), index_constant(width));
    emit_loop(index_constant(0), whole, step, true,
              [&](llvm::Value* i) { emit_lanes(loop, i, columns_of(step), nullptr); });
    if (step > width)
      emit_loop(whole, full, width, true, [&](llvm::Value* i) { emit_lanes(loop, i, 1, nullptr); });
    llvm::Value* mask = mask_below(ir_.CreateSub(end, full));
    emit_guarded(ir_.CreateICmpSLT(full, end), [&] { emit_lanes(loop, full, 1, mask); });
  }
  lanes_ = nullptr;
}

}  // namespace ganc
