#include <array>
#include <cmath>
#include <limits>

#include "compiler/codegen/math32.h"
#include "compiler/codegen/polynomial.h"

namespace ganc {
namespace {

using llvm::Value;
using IR = llvm::IRBuilder<>;

llvm::Type* with_element(Value* like, llvm::Type* element) {
  if (const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(like->getType()))
    return llvm::FixedVectorType::get(element, vector->getNumElements());
  return element;
}

// log of a positive normal double, to 1e-12: the odd series of atanh at (m - 1) / (m + 1).
Value* log_of_double(IR& ir, Value* x) {
  static constexpr std::array q = {2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9,
                                   2.0 / 7,  2.0 / 5,  2.0 / 3,  2.0};
  Value* pattern = bits(ir, x);
  Value* e = ir.CreateAShr(ir.CreateSub(pattern, whole(x, 0x3fe6a09e667f3bcd)), 52);
  Value* m = ir.CreateBitCast(ir.CreateSub(pattern, ir.CreateShl(e, 52)), x->getType());
  Value* s = ir.CreateFDiv(ir.CreateFSub(m, real(x, 1)), ir.CreateFAdd(m, real(x, 1)));
  Value* tail = ir.CreateFMul(horner(ir, ir.CreateFMul(s, s), q), s);
  return fma(ir, ir.CreateSIToFP(e, x->getType()), real(x, 0.6931471805599453), tail);
}

// exp of a double within +-700, to 1e-12.
Value* exp_of_double(IR& ir, Value* x) {
  static constexpr std::array q = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                   1.0 / 5040,     1.0 / 720,     1.0 / 120,    1.0 / 24,
                                   1.0 / 6,        0.5,           1.0,          1.0};
  constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52
  Value* shifted = fma(ir, x, real(x, 1.4426950408889634), real(x, shift));
  Value* n = ir.CreateFSub(shifted, real(x, shift));
  Value* r = fma(ir, n, real(x, -0.6931471805599453), x);
  Value* integer = ir.CreateSub(bits(ir, shifted), whole(x, 0x4338000000000000));
  Value* scale = ir.CreateShl(ir.CreateAdd(integer, whole(x, 1023)), 52);
  return ir.CreateFMul(horner(ir, r, q), ir.CreateBitCast(scale, x->getType()));
}

}  // namespace

// |a|^b through doubles, so that b log|a| keeps all bits of an f32; then C's special cases.
Value* emit_pow(IR& ir, Value* a, Value* b) {
  const double infinity = std::numeric_limits<double>::infinity();
  Value* size = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
  llvm::Type* wide = with_element(a, ir.getDoubleTy());
  Value* log = log_of_double(ir, ir.CreateFPExt(size, wide));
  // A double log of 0, infinity and NaN is not what the series gives.
  log = ir.CreateSelect(ir.CreateFCmpOEQ(size, real(a, 0)), real(log, -infinity), log);
  log = ir.CreateSelect(ir.CreateFCmpOLT(size, real(a, infinity)), log, ir.CreateFPExt(size, wide));
  Value* exponent = clamp(ir, ir.CreateFMul(ir.CreateFPExt(b, wide), log), -700, 700);
  Value* y = ir.CreateFPTrunc(exp_of_double(ir, exponent), a->getType());

  Value* whole_b = ir.CreateFCmpOEQ(ir.CreateUnaryIntrinsic(llvm::Intrinsic::floor, b), b);
  Value* half = ir.CreateFMul(b, real(b, 0.5));
  Value* even = ir.CreateFCmpOEQ(ir.CreateUnaryIntrinsic(llvm::Intrinsic::floor, half), half);
  Value* odd = ir.CreateAnd(whole_b, ir.CreateNot(even));
  Value* flat = ir.CreateOr(ir.CreateFCmpOEQ(b, real(b, 0)), ir.CreateFCmpOEQ(a, real(a, 1)));
  Value* unit = ir.CreateAnd(ir.CreateFCmpOEQ(size, real(a, 1)), ir.CreateFCmpORD(b, b));
  y = ir.CreateSelect(ir.CreateOr(unit, flat), real(y, 1), y);
  Value* turned = ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, y, a);
  y = ir.CreateSelect(odd, turned, y);
  Value* negative = ir.CreateFCmpOLT(a, real(a, 0));
  Value* finite = ir.CreateFCmpOGT(a, real(a, -infinity));
  Value* undefined =
      ir.CreateAnd(ir.CreateAnd(negative, finite),
                   ir.CreateFCmpUNE(ir.CreateUnaryIntrinsic(llvm::Intrinsic::floor, b), b));
  undefined = ir.CreateAnd(undefined, ir.CreateFCmpORD(b, b));
  return ir.CreateSelect(undefined, real(y, std::nan("")), y);
}

}  // namespace ganc
