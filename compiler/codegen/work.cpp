#include "compiler/codegen/work.h"

#include <cstdlib>

#include "compiler/kernel/verify_values.h"

namespace ganc {

using kernel::Value;
using kernel::ValueId;
using kernel::ValueKind;

namespace {

void collect(const kernel::Block& block, Mentioned& found) {
  for (const kernel::Statement& s : block) {
    if (const auto* loop = std::get_if<kernel::Loop>(&s.node)) {
      found.values.push_back(loop->extent);
      collect(loop->body, found);
    } else if (const auto* store = std::get_if<kernel::Store>(&s.node)) {
      found.values.push_back(store->index);
      found.values.push_back(store->value);
      if (store->predicate) found.values.push_back(store->predicate);
    } else if (const auto* accumulator = std::get_if<kernel::Accumulator>(&s.node)) {
      found.accumulators.push_back(accumulator->id);
      collect(accumulator->body, found);
    } else if (const auto* accumulate = std::get_if<kernel::Accumulate>(&s.node)) {
      found.values.push_back(accumulate->value);
      found.accumulates = true;
    }
  }
}

}  // namespace

Mentioned mentioned(const kernel::Block& block) {
  Mentioned found;
  collect(block, found);
  return found;
}

std::vector<ValueId> computed(const kernel::Kernel& kernel, const kernel::Block& block) {
  std::vector<char> seen(kernel.values.size(), 0);
  std::vector<ValueId> all, open = mentioned(block).values;
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (seen[id.index]) continue;
    seen[id.index] = 1;
    all.push_back(id);
    for (ValueId operand : kernel.values[id.index].operands) open.push_back(operand);
  }
  return all;
}

unsigned work_of(const Value& value) {
  if (kernel::is_index(value) || value.kind == ValueKind::constant) return 0;
  if (value.kind == ValueKind::philox) return 100;
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

unsigned work_of(const kernel::Kernel& kernel, const kernel::Block& block) {
  unsigned total = 0;
  for (ValueId id : computed(kernel, block)) total += work_of(kernel.values[id.index]);
  return total;
}

}  // namespace ganc
