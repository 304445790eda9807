#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

// The words that math32.cpp and power.cpp are written in. `like` gives the type: a scalar or a
// vector.
namespace ganc {

inline llvm::Constant* real(llvm::Value* like, double x) {
  return llvm::ConstantFP::get(like->getType(), x);
}

// The type of the bit patterns of `like`.
inline llvm::Type* bit_type(llvm::Value* like) {
  llvm::Type* type = like->getType();
  llvm::Type* element = llvm::IntegerType::get(type->getContext(), type->getScalarSizeInBits());
  if (const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type))
    return llvm::FixedVectorType::get(element, vector->getNumElements());
  return element;
}

inline llvm::Value* bits(llvm::IRBuilder<>& ir, llvm::Value* x) {
  return ir.CreateBitCast(x, bit_type(x));
}

// An integer of as many bits.
inline llvm::Constant* whole(llvm::Value* like, std::int64_t x) {
  return llvm::ConstantInt::getSigned(bit_type(like), x);
}

inline llvm::Value* fma(llvm::IRBuilder<>& ir, llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  return ir.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
}

// Coefficients from the highest power down.
inline llvm::Value* horner(llvm::IRBuilder<>& ir, llvm::Value* x,
                           std::span<const double> coefficients) {
  llvm::Value* y = real(x, coefficients[0]);
  for (double c : coefficients.subspan(1)) y = fma(ir, y, x, real(x, c));
  return y;
}

// Written so that NaN passes.
inline llvm::Value* clamp_above(llvm::IRBuilder<>& ir, llvm::Value* x, double high) {
  return ir.CreateSelect(ir.CreateFCmpOLT(real(x, high), x), real(x, high), x);
}
inline llvm::Value* clamp(llvm::IRBuilder<>& ir, llvm::Value* x, double low, double high) {
  x = ir.CreateSelect(ir.CreateFCmpOGT(real(x, low), x), real(x, low), x);
  return clamp_above(ir, x, high);
}

}  // namespace ganc
