#pragma once

#include <cstdlib>

#include "compiler/graph/graph.h"

namespace ganc {

// Whether a and b compare so; with NaN not_equal alone does. Integers are exact up to 2^53.
inline bool holds(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::equal:
      return a == b;
    case Comparison::not_equal:
      return a != b;
    case Comparison::less:
      return a < b;
    case Comparison::less_equal:
      return a <= b;
    case Comparison::greater:
      return a > b;
    case Comparison::greater_equal:
      return a >= b;
  }
  std::abort();
}

}  // namespace ganc
