#include "compiler/kernel/work.h"

#include <cstdlib>

#include "compiler/kernel/verify_values.h"

namespace ganc::kernel {

unsigned work_of(const Value& value) {
  if (is_index(value) || value.kind == ValueKind::constant) return 0;
  if (value.kind == ValueKind::philox) return 100;
  if (value.kind == ValueKind::pair) return value.integer == 0 ? 4 : 8;
  if (value.kind != ValueKind::apply) return 1;
  switch (value.op) {
    case Op::exponential:
    case Op::log:
    case Op::log_plus_one:
    case Op::exponential_minus_one:
    case Op::logistic:
    case Op::tanh:
    case Op::softplus:
    case Op::sine:
    case Op::cosine:
    case Op::erf:
    case Op::power:
      return 20;
    case Op::divide:
    case Op::sqrt:
    case Op::rsqrt:
    case Op::modulo:
      return 4;
    case Op::input:
    case Op::constant:
    case Op::iota:
    case Op::random_bits:
    case Op::negate:
    case Op::abs:
    case Op::sign:
    case Op::floor:
    case Op::round_nearest_even:
    case Op::logical_not:
    case Op::convert:
    case Op::stop:
    case Op::draw:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::maximum:
    case Op::minimum:
    case Op::logical_and:
    case Op::logical_or:
    case Op::shift_right_logical:
    case Op::compare:
    case Op::select:
    case Op::broadcast_in_dim:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
    case Op::pad:
    case Op::concatenate:
    case Op::reverse:
    case Op::reduce_sum:
    case Op::reduce_max:
    case Op::dot_general:
    case Op::convolution:
    case Op::gather:
    case Op::scatter_add:
    case Op::grad:
      return 1;
  }
  std::abort();
}

}  // namespace ganc::kernel
