#include "compiler/codegen/emitter.h"

#include <llvm/IR/MDBuilder.h>

#include <algorithm>

#include "compiler/codegen/bug.h"
#include "compiler/codegen/lane_scalar.h"
#include "compiler/kernel/verify_values.h"

namespace ganc {

using kernel::ValueId;

KernelEmitter::KernelEmitter(llvm::Module& module, const Target& target,
                             const kernel::Kernel& kernel, const std::string& function_name,
                             bool optimize)
    : module_(module),
      context_(module.getContext()),
      ir_(context_),
      target_(target),
      kernel_(kernel),
      optimize_(optimize),
      intervals_(index_intervals(kernel)),
      of_indices_(kernel::made_of_indices(kernel)),
      bindings_(kernel.variable_count),
      accumulators_(kernel.accumulator_count),
      tap_tables_(kernel.tables.size(), nullptr) {
  llvm::FastMathFlags flags;
  flags.setAllowContract(true);
  ir_.setFastMathFlags(flags);
  for (const kernel::Value& v : kernel.values) {
    Reads reads = Reads::nothing;
    if (v.kind == kernel::ValueKind::load)
      reads = kernel.buffers[v.buffer].written ? Reads::written : Reads::input;
    for (ValueId operand : v.operands) reads = std::max(reads, reads_[operand.index]);
    reads_.push_back(reads);
  }
  make_function(function_name);
}

// GancKernel of runtime/abi.h: (arena, offsets, begin, end, scratch).
void KernelEmitter::make_function(const std::string& function_name) {
  llvm::Type* pointer = ir_.getPtrTy();
  auto* type = llvm::FunctionType::get(
      ir_.getVoidTy(), {pointer, pointer, ir_.getInt64Ty(), ir_.getInt64Ty(), pointer}, false);
  function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, function_name, module_);
  function_->setVisibility(llvm::GlobalValue::HiddenVisibility);
  set_target_attributes(*function_, target_.isa);
}

void KernelEmitter::run() {
  auto* entry = llvm::BasicBlock::Create(context_, "entry", function_);
  auto* body = llvm::BasicBlock::Create(context_, "body", function_);
  auto* done = llvm::BasicBlock::Create(context_, "done", function_);
  ir_.SetInsertPoint(entry);
  llvm::Value* some = ir_.CreateICmpSLT(function_->getArg(2), function_->getArg(3));
  entry_end_ = ir_.CreateCondBr(some, body, done);
  ir_.SetInsertPoint(entry_end_);
  emit_buffers();
  ir_.SetInsertPoint(body);
  scopes_.emplace_back();
  emit_block(kernel_.body);
  scopes_.pop_back();
  ir_.CreateBr(done);
  ir_.SetInsertPoint(done);
  ir_.CreateRetVoid();
}

// Base addresses, and what alias analysis may know: written buffers overlap nothing, read ones are
// one class.
void KernelEmitter::emit_buffers() {
  llvm::MDBuilder metadata(context_);
  llvm::MDNode* domain = metadata.createAnonymousAliasScopeDomain();
  llvm::MDNode* shared = metadata.createAnonymousAliasScope(domain);
  std::vector<llvm::MDNode*> scopes;
  const std::vector<std::int64_t> local = kernel::scratch_places(kernel_);
  for (std::size_t i = 0; i < kernel_.buffers.size(); ++i) {
    if (kernel_.buffers[i].local) {
      bases_.push_back(ir_.CreateGEP(ir_.getInt8Ty(), function_->getArg(4),
                                     index_constant(local[i]), kernel_.buffers[i].name));
    } else {
      llvm::Value* place = ir_.CreateConstGEP1_64(ir_.getInt64Ty(), function_->getArg(1), i);
      llvm::Value* offset = ir_.CreateLoad(ir_.getInt64Ty(), place);
      bases_.push_back(
          ir_.CreateGEP(ir_.getInt8Ty(), function_->getArg(0), offset, kernel_.buffers[i].name));
    }
    scopes.push_back(kernel_.buffers[i].written ? metadata.createAnonymousAliasScope(domain)
                                                : shared);
  }
  for (std::size_t i = 0; i < kernel_.buffers.size(); ++i) {
    std::vector<llvm::Metadata*> others;
    for (std::size_t j = 0; j < kernel_.buffers.size(); ++j)
      if (kernel_.buffers[j].written && j != i) others.push_back(scopes[j]);
    if (kernel_.buffers[i].written) others.push_back(shared);
    own_scope_.push_back(llvm::MDNode::get(context_, {scopes[i]}));
    other_scopes_.push_back(llvm::MDNode::get(context_, others));
  }
}

void KernelEmitter::emit_block(const kernel::Block& block) {
  for (const kernel::Statement& s : block)
    std::visit([&](const auto& statement) { emit_statement(statement); }, s.node);
}

void KernelEmitter::emit_statement(const kernel::Loop& loop) {
  const kernel::Value& extent = kernel_.values[loop.extent.index];
  const bool constant = extent.kind == kernel::ValueKind::index_constant;
  if (constant && extent.integer <= 0) return;
  switch (loop.kind) {
    case kernel::LoopKind::parallel:
      return emit_loop(function_->getArg(2), function_->getArg(3), 1, false, [&](llvm::Value* i) {
        bind(loop.variable, i, 1);
        emit_block(loop.body);
      });
    case kernel::LoopKind::vector:
      return emit_vector_loop(loop);
    case kernel::LoopKind::serial:
      if (constant && extent.integer == 1) break;
      return emit_loop(index_constant(0), uniform_index(loop.extent), 1, !constant,
                       [&](llvm::Value* i) {
                         bind(loop.variable, i, 1);
                         if (lanes_) ++lanes_->loops;
                         emit_block(loop.body);
                         if (lanes_) --lanes_->loops;
                       });
    case kernel::LoopKind::unroll:
      break;
  }
  for (std::int64_t i = 0; i < extent.integer; ++i)
    emit_straight([&] {
      bind(loop.variable, index_constant(i), i);
      emit_block(loop.body);
    });
}

void KernelEmitter::emit_statement(const kernel::Store& store) {
  for_each_copy([&] { emit_store(store); });
}

}  // namespace ganc
