#pragma once

#include <cstdint>

#include "compiler/graph/graph.h"

namespace ganc {

// A scalar of generated code (or a vector of them, one a lane): an index that only its builder
// understands.
struct ScalarId {
  std::uint32_t index = UINT32_MAX;
};

// What an elementwise op's `scalar` lowering is written with. The code generator implements it for
// vectors of any width; operands of one call have equal types. f64 goes to the C library, f32 to
// polynomials in place.
class ScalarBuilder {
 public:
  virtual ~ScalarBuilder() = default;
  virtual ScalarId constant(double value, DType dtype) = 0;
  virtual DType dtype(ScalarId x) const = 0;
  virtual ScalarId add(ScalarId a, ScalarId b) = 0;  // real or integer
  virtual ScalarId subtract(ScalarId a, ScalarId b) = 0;
  virtual ScalarId multiply(ScalarId a, ScalarId b) = 0;
  virtual ScalarId divide(ScalarId a, ScalarId b) = 0;
  virtual ScalarId maximum(ScalarId a, ScalarId b) = 0;  // a NaN operand gives NaN
  virtual ScalarId minimum(ScalarId a, ScalarId b) = 0;
  virtual ScalarId negate(ScalarId x) = 0;
  virtual ScalarId abs(ScalarId x) = 0;
  virtual ScalarId sqrt(ScalarId x) = 0;
  virtual ScalarId floor(ScalarId x) = 0;
  virtual ScalarId round_nearest_even(ScalarId x) = 0;
  virtual ScalarId exponential(ScalarId x) = 0;
  virtual ScalarId exponential_minus_one(ScalarId x) = 0;
  virtual ScalarId log(ScalarId x) = 0;
  virtual ScalarId log_plus_one(ScalarId x) = 0;
  virtual ScalarId tanh(ScalarId x) = 0;
  virtual ScalarId erf(ScalarId x) = 0;
  virtual ScalarId sine(ScalarId x) = 0;
  virtual ScalarId cosine(ScalarId x) = 0;
  virtual ScalarId power(ScalarId a, ScalarId b) = 0;
  virtual ScalarId compare(Comparison comparison, ScalarId a, ScalarId b) = 0;  // pred
  virtual ScalarId select(ScalarId predicate, ScalarId a, ScalarId b) = 0;
  virtual ScalarId logical_and(ScalarId a, ScalarId b) = 0;  // pred or u32
  virtual ScalarId logical_or(ScalarId a, ScalarId b) = 0;
  virtual ScalarId logical_not(ScalarId x) = 0;
  virtual ScalarId shift_right_logical(ScalarId a, ScalarId b) = 0;
  virtual ScalarId convert(ScalarId x,
                           DType dtype) = 0;  // real to integer truncates; pred to real is 1 or 0
};

}  // namespace ganc
