#include "compiler/codegen/lane_scalar.h"

#include <llvm/IR/Module.h>

#include <cmath>

#include "compiler/codegen/bug.h"
#include "compiler/codegen/math32.h"
#include "compiler/codegen/polynomial.h"

namespace ganc {

using llvm::Value;
using llvm::Intrinsic::ID;

llvm::Type* register_type(llvm::LLVMContext& context, DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::bf16:
      return llvm::Type::getFloatTy(context);
    case DType::f64:
      return llvm::Type::getDoubleTy(context);
    case DType::i32:
    case DType::u32:
      return llvm::Type::getInt32Ty(context);
    case DType::pred:
      return llvm::Type::getInt1Ty(context);
  }
  std::abort();
}

llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype) {
  if (dtype == DType::pred) return llvm::Type::getInt8Ty(context);
  if (dtype == DType::bf16) return llvm::Type::getInt16Ty(context);
  return register_type(context, dtype);
}

std::int64_t bytes_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::f64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::pred:
      return 1;
  }
  std::abort();
}

namespace {

llvm::Type* with_element(const Value* like, llvm::Type* element) {
  if (const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(like->getType()))
    return llvm::FixedVectorType::get(element, vector->getNumElements());
  return element;
}

// The upper half of a float's bits, rounded to nearest even; NaN stays one.
Value* bf16_bits(llvm::IRBuilder<>& ir, Value* x) {
  Value* pattern = bits(ir, x);
  Value* odd = ir.CreateAnd(ir.CreateLShr(pattern, 16), whole(x, 1));
  Value* rounded = ir.CreateAdd(pattern, ir.CreateAdd(odd, whole(x, 0x7fff)));
  Value* quiet = ir.CreateOr(pattern, whole(x, 0x400000));
  return ir.CreateLShr(ir.CreateSelect(ir.CreateFCmpUNO(x, x), quiet, rounded), 16);
}

}  // namespace

Value* to_register(llvm::IRBuilder<>& ir, Value* x, DType dtype) {
  if (dtype == DType::pred) return ir.CreateICmpNE(x, llvm::Constant::getNullValue(x->getType()));
  if (dtype != DType::bf16) return x;
  Value* wide = ir.CreateShl(ir.CreateZExt(x, with_element(x, ir.getInt32Ty())), 16);
  return ir.CreateBitCast(wide, with_element(x, ir.getFloatTy()));
}

Value* to_memory(llvm::IRBuilder<>& ir, Value* x, DType dtype) {
  if (dtype == DType::pred) return ir.CreateZExt(x, with_element(x, ir.getInt8Ty()));
  if (dtype != DType::bf16) return x;
  return ir.CreateTrunc(bf16_bits(ir, x), with_element(x, ir.getInt16Ty()));
}

Value* emit_extreme(llvm::IRBuilder<>& ir, Value* a, Value* b, bool larger) {
  const auto number = [](Value* x) {
    const auto* splat = llvm::dyn_cast<llvm::Constant>(x);
    if (splat && x->getType()->isVectorTy()) splat = splat->getSplatValue();
    const auto* constant = llvm::dyn_cast_or_null<llvm::ConstantFP>(splat);
    return constant && !constant->isNaN();
  };
  // maxps and minps give the second operand where either is NaN.
  if (number(b)) std::swap(a, b);
  Value* pick = larger ? ir.CreateFCmpOGT(a, b) : ir.CreateFCmpOLT(a, b);
  Value* chosen = ir.CreateSelect(pick, a, b);
  if (number(a)) return chosen;
  return ir.CreateSelect(ir.CreateFCmpUNO(a, a), a, chosen);
}

ScalarId LaneScalar::enter(Value* value, DType dtype) {
  entries_.push_back({value, dtype});
  return {static_cast<std::uint32_t>(entries_.size() - 1)};
}

llvm::Type* LaneScalar::shaped(llvm::Type* element) const {
  return lanes_ == 0 ? element : llvm::FixedVectorType::get(element, lanes_);
}

ScalarId LaneScalar::done(Value* value, DType dtype) {
  if (dtype == DType::bf16)
    value = ir_.CreateBitCast(ir_.CreateShl(bf16_bits(ir_, value), 16), value->getType());
  return enter(value, dtype);
}

ScalarId LaneScalar::constant(double value, DType dtype) {
  llvm::Type* type = shaped(register_type(ir_.getContext(), dtype));
  if (is_real(dtype)) return done(llvm::ConstantFP::get(type, value), dtype);
  if (dtype == DType::pred) return enter(llvm::ConstantInt::get(type, value != 0), dtype);
  const auto integer = static_cast<std::int64_t>(value);
  return enter(llvm::ConstantInt::get(type, static_cast<std::uint32_t>(integer)), dtype);
}

ScalarId LaneScalar::add(ScalarId a, ScalarId b) {
  const bool real_numbers = is_real(dtype(a));
  return done(real_numbers ? ir_.CreateFAdd(value(a), value(b)) : ir_.CreateAdd(value(a), value(b)),
              dtype(a));
}
ScalarId LaneScalar::subtract(ScalarId a, ScalarId b) {
  const bool real_numbers = is_real(dtype(a));
  return done(real_numbers ? ir_.CreateFSub(value(a), value(b)) : ir_.CreateSub(value(a), value(b)),
              dtype(a));
}
ScalarId LaneScalar::multiply(ScalarId a, ScalarId b) {
  const bool real_numbers = is_real(dtype(a));
  return done(real_numbers ? ir_.CreateFMul(value(a), value(b)) : ir_.CreateMul(value(a), value(b)),
              dtype(a));
}

// Integers truncate; what no integer can be (a / 0, the smallest by -1) is the dividend, not a
// trap.
ScalarId LaneScalar::divide(ScalarId a, ScalarId b) {
  Value *x = value(a), *y = value(b);
  if (is_real(dtype(a))) return done(ir_.CreateFDiv(x, y), dtype(a));
  Value* one = llvm::ConstantInt::get(x->getType(), 1);
  Value* bad = ir_.CreateICmpEQ(y, llvm::Constant::getNullValue(y->getType()));
  if (dtype(a) == DType::u32)
    return done(ir_.CreateUDiv(x, ir_.CreateSelect(bad, one, y)), DType::u32);
  Value* least = ir_.CreateICmpEQ(x, llvm::ConstantInt::get(x->getType(), 0x80000000u));
  Value* minus = ir_.CreateICmpEQ(y, llvm::ConstantInt::getSigned(y->getType(), -1));
  bad = ir_.CreateOr(bad, ir_.CreateAnd(least, minus));
  return done(ir_.CreateSDiv(x, ir_.CreateSelect(bad, one, y)), DType::i32);
}

ScalarId LaneScalar::extreme(ScalarId a, ScalarId b, bool larger) {
  Value *x = value(a), *y = value(b);
  if (is_real(dtype(a))) return enter(emit_extreme(ir_, x, y, larger), dtype(a));
  ID id = larger ? llvm::Intrinsic::umax : llvm::Intrinsic::umin;
  if (dtype(a) == DType::i32) id = larger ? llvm::Intrinsic::smax : llvm::Intrinsic::smin;
  return enter(ir_.CreateBinaryIntrinsic(id, x, y), dtype(a));
}
ScalarId LaneScalar::maximum(ScalarId a, ScalarId b) {
  return extreme(a, b, true);
}
ScalarId LaneScalar::minimum(ScalarId a, ScalarId b) {
  return extreme(a, b, false);
}

ScalarId LaneScalar::negate(ScalarId x) {
  return enter(is_real(dtype(x)) ? ir_.CreateFNeg(value(x)) : ir_.CreateNeg(value(x)), dtype(x));
}
ScalarId LaneScalar::abs(ScalarId x) {
  if (is_real(dtype(x)))
    return enter(ir_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value(x)), dtype(x));
  if (dtype(x) == DType::u32) return x;
  return enter(ir_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, value(x), ir_.getFalse()), dtype(x));
}
ScalarId LaneScalar::sqrt(ScalarId x) {
  return done(ir_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, value(x)), dtype(x));
}
ScalarId LaneScalar::floor(ScalarId x) {
  return enter(ir_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, value(x)), dtype(x));
}
ScalarId LaneScalar::round_nearest_even(ScalarId x) {
  return enter(ir_.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, value(x)), dtype(x));
}

// A lane at a time: float64 is for checking, not for speed.
Value* LaneScalar::call_library(const char* function, std::vector<Value*> arguments) {
  llvm::Type* type = ir_.getDoubleTy();
  llvm::Module* module = ir_.GetInsertBlock()->getModule();
  const std::vector<llvm::Type*> parameters(arguments.size(), type);
  llvm::FunctionCallee callee =
      module->getOrInsertFunction(function, llvm::FunctionType::get(type, parameters, false));
  if (auto* declared = llvm::dyn_cast<llvm::Function>(callee.getCallee())) {
    declared->setDoesNotThrow();
    declared->setDoesNotAccessMemory();
    declared->setWillReturn();
  }
  if (lanes_ == 0) return ir_.CreateCall(callee, arguments);
  Value* result = llvm::PoisonValue::get(arguments[0]->getType());
  for (unsigned lane = 0; lane < lanes_; ++lane) {
    std::vector<Value*> elements;
    for (Value* argument : arguments) elements.push_back(ir_.CreateExtractElement(argument, lane));
    result = ir_.CreateInsertElement(result, ir_.CreateCall(callee, elements), lane);
  }
  return result;
}

ScalarId LaneScalar::elementary(Unary32 emit, const char* library_name, ScalarId x) {
  if (dtype(x) == DType::f64) return enter(call_library(library_name, {value(x)}), DType::f64);
  return done(emit(ir_, value(x)), dtype(x));
}

ScalarId LaneScalar::exponential(ScalarId x) {
  return elementary(emit_exp, "exp", x);
}
ScalarId LaneScalar::exponential_minus_one(ScalarId x) {
  return elementary(emit_expm1, "expm1", x);
}
ScalarId LaneScalar::log(ScalarId x) {
  return elementary(emit_log, "log", x);
}
ScalarId LaneScalar::log_plus_one(ScalarId x) {
  return elementary(emit_log1p, "log1p", x);
}
ScalarId LaneScalar::tanh(ScalarId x) {
  return elementary(emit_tanh, "tanh", x);
}
ScalarId LaneScalar::erf(ScalarId x) {
  return elementary(emit_erf, "erf", x);
}
ScalarId LaneScalar::sine(ScalarId x) {
  return elementary(emit_sin, "sin", x);
}
ScalarId LaneScalar::cosine(ScalarId x) {
  return elementary(emit_cos, "cos", x);
}

ScalarId LaneScalar::power(ScalarId a, ScalarId b) {
  if (dtype(a) == DType::f64) return enter(call_library("pow", {value(a), value(b)}), DType::f64);
  return done(emit_pow(ir_, value(a), value(b)), dtype(a));
}

namespace {

llvm::CmpInst::Predicate predicate_of(Comparison comparison, DType dtype) {
  using P = llvm::CmpInst::Predicate;
  const bool real_numbers = is_real(dtype), with_sign = dtype == DType::i32;
  switch (comparison) {
    case Comparison::equal:
      return real_numbers ? P::FCMP_OEQ : P::ICMP_EQ;
    case Comparison::not_equal:
      return real_numbers ? P::FCMP_UNE : P::ICMP_NE;
    case Comparison::less:
      return real_numbers ? P::FCMP_OLT : with_sign ? P::ICMP_SLT : P::ICMP_ULT;
    case Comparison::less_equal:
      return real_numbers ? P::FCMP_OLE : with_sign ? P::ICMP_SLE : P::ICMP_ULE;
    case Comparison::greater:
      return real_numbers ? P::FCMP_OGT : with_sign ? P::ICMP_SGT : P::ICMP_UGT;
    case Comparison::greater_equal:
      return real_numbers ? P::FCMP_OGE : with_sign ? P::ICMP_SGE : P::ICMP_UGE;
  }
  std::abort();
}

}  // namespace

ScalarId LaneScalar::compare(Comparison comparison, ScalarId a, ScalarId b) {
  return enter(ir_.CreateCmp(predicate_of(comparison, dtype(a)), value(a), value(b)), DType::pred);
}
ScalarId LaneScalar::select(ScalarId predicate, ScalarId a, ScalarId b) {
  return enter(ir_.CreateSelect(value(predicate), value(a), value(b)), dtype(a));
}
ScalarId LaneScalar::logical_and(ScalarId a, ScalarId b) {
  return enter(ir_.CreateAnd(value(a), value(b)), dtype(a));
}
ScalarId LaneScalar::logical_or(ScalarId a, ScalarId b) {
  return enter(ir_.CreateOr(value(a), value(b)), dtype(a));
}
ScalarId LaneScalar::logical_not(ScalarId x) {
  return enter(ir_.CreateNot(value(x)), dtype(x));
}

// A shift by 32 or more gives 0.
ScalarId LaneScalar::shift_right_logical(ScalarId a, ScalarId b) {
  Value* limit = llvm::ConstantInt::get(value(b)->getType(), 31);
  Value* far = ir_.CreateICmpUGT(value(b), limit);
  Value* shifted = ir_.CreateLShr(value(a), ir_.CreateAnd(value(b), limit));
  return enter(ir_.CreateSelect(far, llvm::Constant::getNullValue(shifted->getType()), shifted),
               dtype(a));
}

// Real to integer truncates, saturates, and takes NaN to 0: the conversion instructions' answers
// differ by width.
Value* LaneScalar::convert_value(const Entry& x, DType dtype) {
  llvm::Type* type = shaped(register_type(ir_.getContext(), dtype));
  if (dtype == DType::pred) {
    Value* zero = llvm::Constant::getNullValue(x.value->getType());
    return is_real(x.dtype) ? ir_.CreateFCmpUNE(x.value, zero) : ir_.CreateICmpNE(x.value, zero);
  }
  if (x.dtype == DType::pred || x.dtype == DType::u32) {
    if (is_real(dtype)) return ir_.CreateUIToFP(x.value, type);
    return x.dtype == DType::pred ? ir_.CreateZExt(x.value, type) : x.value;
  }
  if (x.dtype == DType::i32) return is_real(dtype) ? ir_.CreateSIToFP(x.value, type) : x.value;
  if (is_real(dtype)) return ir_.CreateFPCast(x.value, type);
  const ID id = dtype == DType::i32 ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat;
  return ir_.CreateIntrinsic(id, {type, x.value->getType()}, {x.value});
}

ScalarId LaneScalar::convert(ScalarId x, DType dtype) {
  if (entries_[x.index].dtype == dtype) return x;
  return done(convert_value(entries_[x.index], dtype), dtype);
}

}  // namespace ganc
