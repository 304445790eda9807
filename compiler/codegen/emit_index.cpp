// Index arithmetic. An index of a vector loop stays a scalar with a stride as long as it is affine
// in the lane, so that loads know what they read; only what is not becomes a vector.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"
#include "compiler/kernel/verify_values.h"

namespace ganc {

using kernel::Value;
using kernel::ValueId;
using kernel::ValueKind;

Emitted KernelEmitter::compute_index(ValueId id, const Value& v) {
  switch (v.kind) {
    case ValueKind::index_constant:
      return {.value = index_constant(v.integer), .multiple = std::abs(v.integer)};
    case ValueKind::index_add:
      return index_sum(id, v);
    case ValueKind::index_scale:
      return index_product(id, v);
    case ValueKind::index_floor_divide:
    case ValueKind::index_modulo:
      return index_quotient(id, v);
    case ValueKind::index_clamp:
    case ValueKind::index_minimum:
      return index_bound(id, v);
    case ValueKind::index_compare:
      return index_compare(id, v);
    case ValueKind::to_index:
      return to_index(id, v);
    case ValueKind::from_index:
      return from_index(id, v);
    case ValueKind::constant:
    case ValueKind::loop_variable:
    case ValueKind::apply:
    case ValueKind::load:
    case ValueKind::philox:
    case ValueKind::pair:
    case ValueKind::accumulator:
    case ValueKind::contraction:
      break;
  }
  std::abort();
}

// Bits that hold the index and what it is made of, as elements of a vector.
unsigned KernelEmitter::index_bits(ValueId id) const {
  const auto narrow = [&](ValueId x) {
    const Interval& i = intervals_[x.index];
    return i.low >= INT32_MIN && i.high <= INT32_MAX;
  };
  const Value& v = kernel_.values[id.index];
  bool all = !kernel::is_index(v) || narrow(id);
  for (ValueId operand : v.operands)
    if (kernel::is_index(kernel_.values[operand.index])) all = all && narrow(operand);
  return all ? 32 : 64;
}

// The index as a vector of integers of so many bits.
llvm::Value* KernelEmitter::index_lanes(const Emitted& index, unsigned bits) {
  llvm::Type* type = vector_type(ir_.getIntNTy(bits));
  if (index.lanes) return ir_.CreateSExtOrTrunc(index.value, type);
  llvm::Value* first =
      ir_.CreateVectorSplat(lanes_->width, ir_.CreateSExtOrTrunc(index.value, ir_.getIntNTy(bits)));
  if (index.stride == 0) return first;
  std::vector<llvm::Constant*> steps;
  for (unsigned lane = 0; lane < lanes_->width; ++lane)
    steps.push_back(llvm::ConstantInt::getSigned(ir_.getInt64Ty(), index.stride * lane));
  llvm::Value* offsets = ir_.CreateSExtOrTrunc(llvm::ConstantVector::get(steps), type);
  return ir_.CreateAdd(first, offsets);
}

Emitted KernelEmitter::index_sum(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]), b = emit(v.operands[1]);
  Emitted result{.depth = std::max(a.depth, b.depth)};
  const At here(*this, result.depth);
  if (a.lanes || b.lanes) {
    const unsigned bits = index_bits(id);
    result.lanes = true;
    result.value = ir_.CreateAdd(index_lanes(a, bits), index_lanes(b, bits));
    return result;
  }
  result.value = ir_.CreateAdd(a.value, b.value);
  result.stride = a.stride + b.stride;
  result.multiple = std::gcd(a.multiple, b.multiple);
  return result;
}

Emitted KernelEmitter::index_product(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]);
  Emitted result{.depth = a.depth};
  const At here(*this, result.depth);
  if (a.lanes) {
    llvm::Value* lanes = index_lanes(a, index_bits(id));
    result.lanes = true;
    result.value = ir_.CreateMul(lanes, llvm::ConstantInt::getSigned(lanes->getType(), v.integer));
    return result;
  }
  result.value = ir_.CreateMul(a.value, index_constant(v.integer));
  result.stride = a.stride * v.integer;
  result.multiple = a.multiple * std::abs(v.integer);
  return result;
}

// a / c and a % c for a >= 0; of lanes under a mask a may be less. Affine where the lanes step by
// whole divisors from a first one that is not less than 0, and where all lanes lie between two
// multiples of the divisor (a flattened loop over rows of whole vectors).
Emitted KernelEmitter::index_quotient(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]);
  const bool divide = v.kind == ValueKind::index_floor_divide;
  const std::int64_t c = v.integer;
  Emitted result{.depth = a.depth};
  const At here(*this, result.depth);
  const auto scalar = [&] {
    return divide ? ir_.CreateUDiv(a.value, index_constant(c))
                  : ir_.CreateURem(a.value, index_constant(c));
  };
  const bool from_zero = a.stride == 0 || intervals_[v.operands[0].index].low >= 0;
  if (!a.lanes && a.stride % c == 0 && from_zero) {
    result.value = scalar();
    result.stride = divide ? a.stride / c : 0;
    if (divide)
      result.multiple = a.multiple % c == 0 ? a.multiple / c : 1;
    else
      result.multiple = std::gcd(a.multiple, c);
    return result;
  }
  const std::int64_t block = a.stride * static_cast<std::int64_t>(lanes_->width);
  if (!a.lanes && a.stride > 0 && c % block == 0 && a.multiple % block == 0) {
    result.value = scalar();
    result.stride = divide ? 0 : a.stride;
    if (!divide) result.multiple = std::gcd(a.multiple, c);
    return result;
  }
  llvm::Value* lanes = index_lanes(a, index_bits(id));
  llvm::Value* divisor = llvm::ConstantInt::getSigned(lanes->getType(), c);
  result.lanes = true;
  result.value = divide ? ir_.CreateUDiv(lanes, divisor) : ir_.CreateURem(lanes, divisor);
  return result;
}

Emitted KernelEmitter::index_bound(ValueId id, const Value& v) {
  const bool clamp = v.kind == ValueKind::index_clamp;
  const Emitted a = emit(v.operands[0]);
  const Emitted b = clamp ? Emitted{.value = index_constant(v.integer - 1)} : emit(v.operands[1]);
  Emitted result{.depth = std::max(a.depth, b.depth)};
  const At here(*this, result.depth);
  result.lanes = a.lanes || b.lanes || a.stride != 0 || b.stride != 0;
  const unsigned bits = index_bits(id);
  llvm::Value* low = result.lanes ? index_lanes(a, bits) : a.value;
  llvm::Value* high = result.lanes ? index_lanes(b, bits) : b.value;
  result.value = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, low, high);
  if (clamp) {
    llvm::Value* zero = llvm::Constant::getNullValue(low->getType());
    result.value = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, result.value, zero);
  }
  return result;
}

Emitted KernelEmitter::index_compare(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]), b = emit(v.operands[1]);
  Emitted result{.depth = std::max(a.depth, b.depth)};
  const At here(*this, result.depth);
  result.lanes = a.lanes || b.lanes || a.stride != 0 || b.stride != 0;
  const unsigned bits = index_bits(id);
  LaneScalar scalar(ir_, result.lanes ? lanes_->width : 0);
  const auto enter = [&](const Emitted& e) {
    return scalar.enter(result.lanes ? index_lanes(e, bits) : e.value, DType::i32);
  };
  const ScalarId left = enter(a), right = enter(b);
  result.value = scalar.value(scalar.compare(v.comparison, left, right));
  return result;
}

Emitted KernelEmitter::to_index(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]);
  const bool with_sign = kernel_.values[v.operands[0].index].dtype == DType::i32;
  Emitted result{.lanes = a.lanes, .depth = a.depth};
  const At here(*this, result.depth);
  llvm::Type* type = ir_.getInt64Ty();
  if (a.lanes) type = vector_type(ir_.getIntNTy(index_bits(id)));
  result.value =
      with_sign ? ir_.CreateSExtOrTrunc(a.value, type) : ir_.CreateZExtOrTrunc(a.value, type);
  return result;
}

Emitted KernelEmitter::from_index(ValueId id, const Value& v) {
  const Emitted a = emit(v.operands[0]);
  Emitted result{.lanes = a.lanes || a.stride != 0, .depth = a.depth};
  const At here(*this, result.depth);
  llvm::Value* index = result.lanes ? index_lanes(a, index_bits(id)) : a.value;
  llvm::Type* type = register_type(context_, v.dtype);
  if (result.lanes) type = vector_type(type);
  if (is_real(v.dtype)) {
    result.value =
        to_register(ir_, to_memory(ir_, ir_.CreateSIToFP(index, type), v.dtype), v.dtype);
  } else {
    result.value = ir_.CreateSExtOrTrunc(index, type);
  }
  return result;
}

namespace {

// Far enough from the ends of 64 bits that a sum of two does not overflow.
constexpr std::int64_t far = std::int64_t{1} << 60;

Interval clipped(__int128 low, __int128 high) {
  const auto clip = [](__int128 x) {
    return static_cast<std::int64_t>(std::clamp<__int128>(x, -far, far));
  };
  return {clip(low), clip(high)};
}

void collect_extents(const kernel::Kernel& kernel, const kernel::Block& block,
                     std::vector<ValueId>& extents, std::vector<std::int64_t>& limits) {
  for (const kernel::Statement& s : block) {
    if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) {
      extents[loop->variable.index] = loop->extent;
      collect_extents(kernel, loop->body, extents, limits);
    } else if (const auto* accumulator = std::get_if<kernel::Accumulator>(&s.node)) {
      collect_extents(kernel, accumulator->body, extents, limits);
    } else if (const auto* c = std::get_if<kernel::Contraction>(&s.node)) {
      limits[c->m_variable.index] = c->m_limit;
      limits[c->v_variable.index] = c->v_limit;
    }
  }
}

class Intervals {
 public:
  explicit Intervals(const kernel::Kernel& kernel)
      : kernel_(kernel),
        extents_(kernel.variable_count),
        limits_(kernel.variable_count, -1),
        known_(kernel.values.size(), {-far, far}),
        done_(kernel.values.size(), false) {
    collect_extents(kernel, kernel.body, extents_, limits_);
  }

  std::vector<Interval> run() {
    for (std::uint32_t i = 0; i < kernel_.values.size(); ++i) of({i});
    return std::move(known_);
  }

 private:
  // Extents may have a higher number than what depends on their variable.
  Interval of(ValueId id) {
    if (!done_[id.index]) {
      done_[id.index] = true;
      known_[id.index] = compute(kernel_.values[id.index]);
    }
    return known_[id.index];
  }

  Interval variable(kernel::VarId v) {
    if (limits_[v.index] >= 0) return {0, limits_[v.index] - 1};
    if (!extents_[v.index]) return {-far, far};
    return {0, std::max<std::int64_t>(of(extents_[v.index]).high - 1, 0)};
  }

  Interval compute(const Value& v) {
    const auto operand = [&](std::size_t i) { return of(v.operands[i]); };
    switch (v.kind) {
      case ValueKind::index_constant:
        return {v.integer, v.integer};
      case ValueKind::loop_variable:
        return variable(v.variable);
      case ValueKind::index_add: {
        const Interval a = operand(0), b = operand(1);
        return clipped(__int128{a.low} + b.low, __int128{a.high} + b.high);
      }
      case ValueKind::index_scale: {
        const Interval a = operand(0);
        const __int128 x = __int128{a.low} * v.integer, y = __int128{a.high} * v.integer;
        return clipped(std::min(x, y), std::max(x, y));
      }
      case ValueKind::index_floor_divide: {
        const Interval a = operand(0);
        return {std::max<std::int64_t>(a.low, 0) / v.integer,
                std::max<std::int64_t>(a.high, 0) / v.integer};
      }
      case ValueKind::index_modulo:
        return {0, std::min(v.integer - 1, std::max<std::int64_t>(operand(0).high, 0))};
      case ValueKind::index_clamp:
        return {0, v.integer - 1};
      case ValueKind::index_minimum: {
        const Interval a = operand(0), b = operand(1);
        return {std::min(a.low, b.low), std::min(a.high, b.high)};
      }
      case ValueKind::to_index:
        if (kernel_.values[v.operands[0].index].dtype == DType::i32) return {INT32_MIN, INT32_MAX};
        return {0, UINT32_MAX};
      case ValueKind::constant:
      case ValueKind::index_compare:
      case ValueKind::from_index:
      case ValueKind::apply:
      case ValueKind::load:
      case ValueKind::philox:
      case ValueKind::pair:
      case ValueKind::accumulator:
      case ValueKind::contraction:
        return {-far, far};
    }
    std::abort();
  }

  const kernel::Kernel& kernel_;
  std::vector<ValueId> extents_;
  std::vector<std::int64_t> limits_;
  std::vector<Interval> known_;
  std::vector<bool> done_;
};

}  // namespace

std::vector<Interval> index_intervals(const kernel::Kernel& kernel) {
  return Intervals(kernel).run();
}

}  // namespace ganc
