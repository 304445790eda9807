#include "compiler/codegen/work.h"

namespace ganc {

using kernel::ValueId;

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

unsigned work_of(const kernel::Kernel& kernel, const kernel::Block& block) {
  unsigned total = 0;
  for (ValueId id : computed(kernel, block)) total += work_of(kernel.values[id.index]);
  return total;
}

}  // namespace ganc
