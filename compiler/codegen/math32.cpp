#include "compiler/codegen/math32.h"

#include <array>
#include <cmath>
#include <limits>

#include "compiler/codegen/polynomial.h"

namespace ganc {
namespace {

using llvm::Value;
using IR = llvm::IRBuilder<>;

// Adding it rounds to an integer, which then stands in the low bits.
constexpr double rounding_shift = 12582912.0;  // 1.5 * 2^23
constexpr std::int64_t rounding_shift_bits = 0x4B400000;
constexpr double log2_e = 1.4426950408889634;
// ln 2 = hi + lo, hi in f32: n * hi is exact inside a fused multiply-add.
constexpr double ln2_hi = 0.693147182464599609375, ln2_lo = -1.904654299957768e-09;

struct Reduced {
  Value* rest;     // x - n ln 2, within +-0.35
  Value* integer;  // n
};

Reduced reduce_by_ln2(IR& ir, Value* x) {
  Value* shifted = fma(ir, x, real(x, log2_e), real(x, rounding_shift));
  Value* n = ir.CreateFSub(shifted, real(x, rounding_shift));
  Value* rest = fma(ir, n, real(x, -ln2_hi), x);
  rest = fma(ir, n, real(x, -ln2_lo), rest);
  Value* integer = ir.CreateSub(bits(ir, shifted), whole(x, rounding_shift_bits));
  return {rest, integer};
}

// exp(r) = 1 + r + r^2 q(r) for |r| < 0.35. Cephes (S. Moshier), expf.
Value* exp_tail(IR& ir, Value* r) {
  static constexpr std::array q = {1.9875691500E-4, 1.3981999507E-3, 8.3334519073E-3,
                                   4.1665795894E-2, 1.6666665459E-1, 5.0000001201E-1};
  return fma(ir, horner(ir, r, q), ir.CreateFMul(r, r), r);
}

// 2^n for n in [-126, 127].
Value* power_of_two(IR& ir, Value* n, Value* like) {
  Value* exponent = ir.CreateShl(ir.CreateAdd(n, whole(like, 127)), 23);
  return ir.CreateBitCast(exponent, like->getType());
}

}  // namespace

// In two factors of 2, so that results below 2^-126 and above 2^127 come out right.
Value* emit_exp(IR& ir, Value* x) {
  const Reduced r = reduce_by_ln2(ir, clamp(ir, x, -104, 89));
  Value* p = ir.CreateFAdd(exp_tail(ir, r.rest), real(x, 1));
  Value* half = ir.CreateAShr(r.integer, 1);
  Value* other = ir.CreateSub(r.integer, half);
  return ir.CreateFMul(ir.CreateFMul(p, power_of_two(ir, half, x)), power_of_two(ir, other, x));
}

// exp(x) - 1 = 2^n (e^r - 1) + (2^n - 1), halved so that n = 128 does not overflow too early.
Value* emit_expm1(IR& ir, Value* x) {
  const Reduced r = reduce_by_ln2(ir, clamp(ir, x, -30, 89));
  Value* p = exp_tail(ir, r.rest);
  Value* half = power_of_two(ir, ir.CreateSub(r.integer, whole(x, 1)), x);
  Value* y = fma(ir, half, p, ir.CreateFSub(half, real(x, 0.5)));
  return ir.CreateFMul(y, real(x, 2));
}

// log(x) = e ln 2 + log(m), m within [sqrt 1/2, sqrt 2). Cephes, logf.
Value* emit_log(IR& ir, Value* x) {
  static constexpr std::array q = {7.0376836292E-2,  -1.1514610310E-1, 1.1676998740E-1,
                                   -1.2420140846E-1, 1.4249322787E-1,  -1.6668057665E-1,
                                   2.0000714765E-1,  -2.4999993993E-1, 3.3333331174E-1};
  Value* tiny = ir.CreateFCmpOLT(x, real(x, 0x1p-126));
  Value* scaled = ir.CreateSelect(tiny, ir.CreateFMul(x, real(x, 0x1p25)), x);
  Value* pattern = bits(ir, scaled);
  Value* e = ir.CreateAShr(ir.CreateSub(pattern, whole(x, 0x3f3504f3)), 23);
  Value* m = ir.CreateBitCast(ir.CreateSub(pattern, ir.CreateShl(e, 23)), x->getType());
  Value* f = ir.CreateFSub(m, real(x, 1));
  Value* exponent = ir.CreateSIToFP(e, x->getType());
  exponent = ir.CreateFAdd(exponent, ir.CreateSelect(tiny, real(x, -25), real(x, 0)));
  Value* z = ir.CreateFMul(f, f);
  Value* y = ir.CreateFMul(ir.CreateFMul(horner(ir, f, q), f), z);
  y = fma(ir, exponent, real(x, -2.12194440e-4), y);
  y = fma(ir, z, real(x, -0.5), y);
  y = fma(ir, exponent, real(x, 0.693359375), ir.CreateFAdd(f, y));
  const double infinity = std::numeric_limits<double>::infinity();
  y = ir.CreateSelect(ir.CreateFCmpOLT(x, real(x, infinity)), y, x);
  y = ir.CreateSelect(ir.CreateFCmpOEQ(x, real(x, 0)), real(x, -infinity), y);
  return ir.CreateSelect(ir.CreateFCmpOLT(x, real(x, 0)), real(x, std::nan("")), y);
}

// log(1 + x) = log(u) + (x - (u - 1)) / u with u = 1 + x rounded (Kahan); the correction only where
// it is a number.
Value* emit_log1p(IR& ir, Value* x) {
  Value* u = ir.CreateFAdd(x, real(x, 1));
  Value* lost = ir.CreateFSub(x, ir.CreateFSub(u, real(x, 1)));
  Value* correction = ir.CreateFDiv(lost, u);
  const double infinity = std::numeric_limits<double>::infinity();
  Value* usable =
      ir.CreateAnd(ir.CreateFCmpOGT(u, real(x, 0)), ir.CreateFCmpOLT(u, real(x, infinity)));
  return ir.CreateFAdd(emit_log(ir, u), ir.CreateSelect(usable, correction, real(x, 0)));
}

// t / (t + 2) with t = exp(2 |x|) - 1. From 9.02 on it rounds to 1.
Value* emit_tanh(IR& ir, Value* x) {
  Value* size = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  const Reduced r = reduce_by_ln2(ir, clamp_above(ir, ir.CreateFAdd(size, size), 20));
  Value* p = exp_tail(ir, r.rest);
  Value* scale = power_of_two(ir, r.integer, x);
  Value* t = fma(ir, scale, p, ir.CreateFSub(scale, real(x, 1)));
  Value* y = ir.CreateFDiv(t, ir.CreateFAdd(t, real(x, 2)));
  return ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, y, x);
}

// Below 0.93 an odd polynomial, above 1 - exp(-polynomial). Coefficients: N. Juffa, "erff", 2015
// (BSD).
Value* emit_erf(IR& ir, Value* x) {
  static constexpr std::array small = {-5.96761703e-4, 4.99119423e-3,  -2.67681349e-2,
                                       1.12819925e-1,  -3.76125336e-1, 1.28379166e-1};
  static constexpr std::array large = {-1.72853470e-5, 3.83197126e-4,  -3.88396438e-3,
                                       2.42546219e-2,  -1.06777877e-1, -6.34846687e-1,
                                       -1.28717512e-1};
  Value* t = clamp_above(ir, ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x), 4.5);
  Value* near = fma(ir, horner(ir, ir.CreateFMul(x, x), small), x, x);
  Value* exponent = fma(ir, horner(ir, t, large), t, ir.CreateFNeg(t));
  Value* far = ir.CreateFSub(real(x, 1), emit_exp(ir, exponent));
  far = ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, far, x);
  return ir.CreateSelect(ir.CreateFCmpOGT(t, real(x, 0.927734375)), far, near);
}

namespace {

// sin(x + quarter_turns * pi/2): reduce by pi/2 in three parts (Cody and Waite), then Cephes' sinf
// and cosf.
Value* sine_of_turned(IR& ir, Value* x, std::int64_t quarter_turns) {
  Value* shifted = fma(ir, x, real(x, 0.6366197723675814), real(x, rounding_shift));
  Value* n = ir.CreateFSub(shifted, real(x, rounding_shift));
  Value* r = fma(ir, n, real(x, -1.57079637050628662109375), x);
  r = fma(ir, n, real(x, 4.37113900018624283e-8), r);
  r = fma(ir, n, real(x, 1.71512451e-15), r);
  r = clamp(ir, r, -0.8, 0.8);  // where x is too large for the reduction
  Value* quadrant = ir.CreateAdd(bits(ir, shifted), whole(x, quarter_turns));
  Value* z = ir.CreateFMul(r, r);
  static constexpr std::array sine = {-1.9515295891E-4, 8.3321608736E-3, -1.6666654611E-1};
  static constexpr std::array cosine = {2.443315711809948E-5, -1.388731625493765E-3,
                                        4.166664568298827E-2, -0.5};
  Value* s = fma(ir, ir.CreateFMul(horner(ir, z, sine), z), r, r);
  Value* c = fma(ir, horner(ir, z, cosine), z, real(x, 1));
  Value* odd = ir.CreateICmpNE(ir.CreateAnd(quadrant, whole(x, 1)), whole(x, 0));
  Value* y = ir.CreateSelect(odd, c, s);
  Value* sign = ir.CreateShl(ir.CreateAnd(quadrant, whole(x, 2)), 30);
  return ir.CreateBitCast(ir.CreateXor(bits(ir, y), sign), x->getType());
}

}  // namespace

Value* emit_sin(IR& ir, Value* x) {
  return sine_of_turned(ir, x, 0);
}
Value* emit_cos(IR& ir, Value* x) {
  return sine_of_turned(ir, x, 1);
}

}  // namespace ganc
