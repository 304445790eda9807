#pragma once

#include <llvm/IR/IRBuilder.h>

#include <vector>

#include "compiler/ops/scalar.h"

namespace ganc {

// How a dtype is held in registers (bf16 as a rounded float, pred as i1) and in memory (bf16 as
// i16, pred as i8).
llvm::Type* register_type(llvm::LLVMContext& context, DType dtype);
llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype);
std::int64_t bytes_of(DType dtype);
llvm::Value* to_register(llvm::IRBuilder<>& ir, llvm::Value* in_memory, DType dtype);
llvm::Value* to_memory(llvm::IRBuilder<>& ir, llvm::Value* in_register, DType dtype);

// Ops' scalar lowerings as LLVM instructions on scalars (lanes = 0) or vectors of `lanes` elements.
class LaneScalar final : public ScalarBuilder {
 public:
  LaneScalar(llvm::IRBuilder<>& ir, unsigned lanes) : ir_(ir), lanes_(lanes) {}

  ScalarId enter(llvm::Value* value, DType dtype);
  llvm::Value* value(ScalarId x) const { return entries_[x.index].value; }

  ScalarId constant(double value, DType dtype) override;
  DType dtype(ScalarId x) const override { return entries_[x.index].dtype; }
  ScalarId add(ScalarId a, ScalarId b) override;
  ScalarId subtract(ScalarId a, ScalarId b) override;
  ScalarId multiply(ScalarId a, ScalarId b) override;
  ScalarId divide(ScalarId a, ScalarId b) override;
  ScalarId maximum(ScalarId a, ScalarId b) override;
  ScalarId minimum(ScalarId a, ScalarId b) override;
  ScalarId negate(ScalarId x) override;
  ScalarId abs(ScalarId x) override;
  ScalarId sqrt(ScalarId x) override;
  ScalarId floor(ScalarId x) override;
  ScalarId round_nearest_even(ScalarId x) override;
  ScalarId exponential(ScalarId x) override;
  ScalarId exponential_minus_one(ScalarId x) override;
  ScalarId log(ScalarId x) override;
  ScalarId log_plus_one(ScalarId x) override;
  ScalarId tanh(ScalarId x) override;
  ScalarId erf(ScalarId x) override;
  ScalarId sine(ScalarId x) override;
  ScalarId cosine(ScalarId x) override;
  ScalarId power(ScalarId a, ScalarId b) override;
  ScalarId compare(Comparison comparison, ScalarId a, ScalarId b) override;
  ScalarId select(ScalarId predicate, ScalarId a, ScalarId b) override;
  ScalarId logical_and(ScalarId a, ScalarId b) override;
  ScalarId logical_or(ScalarId a, ScalarId b) override;
  ScalarId logical_not(ScalarId x) override;
  ScalarId shift_right_logical(ScalarId a, ScalarId b) override;
  ScalarId convert(ScalarId x, DType dtype) override;

 private:
  struct Entry {
    llvm::Value* value;
    DType dtype;
  };
  using Unary32 = llvm::Value* (*)(llvm::IRBuilder<>&, llvm::Value*);

  llvm::Type* shaped(llvm::Type* element) const;
  // A result: rounded where the dtype is narrower than what holds it.
  ScalarId done(llvm::Value* value, DType dtype);
  ScalarId elementary(Unary32 emit, const char* library_name, ScalarId x);
  llvm::Value* call_library(const char* function, std::vector<llvm::Value*> arguments);
  ScalarId extreme(ScalarId a, ScalarId b, bool larger);
  llvm::Value* convert_value(const Entry& x, DType dtype);

  llvm::IRBuilder<>& ir_;
  unsigned lanes_;
  std::vector<Entry> entries_;
};

// The larger (smaller) of two reals; NaN where either is. One instruction where an operand is a
// constant.
llvm::Value* emit_extreme(llvm::IRBuilder<>& ir, llvm::Value* a, llvm::Value* b, bool larger);

}  // namespace ganc
