#include <algorithm>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {

DType sum_type(const Kernel& kernel, const Contraction& contraction) {
  const DType dtype = kernel.buffers[contraction.a_buffer].dtype;
  return dtype == DType::u32 ? DType::f32 : dtype;
}

namespace {

bool multiplies_pairs(const Kernel& kernel, const Block& block) {
  return std::ranges::any_of(block, [&](const Statement& s) {
    if (const auto* loop = std::get_if<Loop>(&s.node)) return multiplies_pairs(kernel, loop->body);
    const auto* c = std::get_if<Contraction>(&s.node);
    return c != nullptr && kernel.buffers[c->a_buffer].dtype == DType::u32;
  });
}

}  // namespace

bool uses_pairs(const Kernel& kernel) {
  return std::ranges::any_of(kernel.values,
                             [](const Value& v) { return v.kind == ValueKind::pair; }) ||
         multiplies_pairs(kernel, kernel.body);
}

}  // namespace ganc::kernel
