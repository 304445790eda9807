#pragma once

#include <llvm/IR/IRBuilder.h>

namespace ganc {

// Elementary functions in f32 as branch-free polynomials: float or a vector of floats in, the same
// out. NaN passes through. Largest errors in ulp, asserted by tests/unit/codegen/math_test.cpp,
// stand behind each.
llvm::Value* emit_exp(llvm::IRBuilder<>& ir, llvm::Value* x);    // 1.5; denormal results too
llvm::Value* emit_expm1(llvm::IRBuilder<>& ir, llvm::Value* x);  // 2
llvm::Value* emit_log(llvm::IRBuilder<>& ir, llvm::Value* x);    // 1; log 0 = -inf, log(<0) = NaN
llvm::Value* emit_log1p(llvm::IRBuilder<>& ir, llvm::Value* x);  // 2
llvm::Value* emit_tanh(llvm::IRBuilder<>& ir, llvm::Value* x);   // 3
llvm::Value* emit_erf(llvm::IRBuilder<>& ir, llvm::Value* x);    // 2
llvm::Value* emit_sin(llvm::IRBuilder<>& ir,
                      llvm::Value* x);  // 2 for |x| < 1e5; beyond, within [-1, 1]
llvm::Value* emit_cos(llvm::IRBuilder<>& ir,
                      llvm::Value* x);  // 2 for |x| < 1e5; beyond, within [-1, 1]
llvm::Value* emit_pow(llvm::IRBuilder<>& ir, llvm::Value* a, llvm::Value* b);  // 1; as C's powf

}  // namespace ganc
