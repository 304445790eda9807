#include "compiler/kernel/affine.h"

#include <unordered_map>

namespace ganc::kernel {
namespace {

using Stride = std::optional<std::int64_t>;
using Memo = std::unordered_map<std::uint32_t, Stride>;

Stride stride_of(const Kernel& kernel, ValueId id, VarId variable, Memo& memo);

Stride operand_stride(const Kernel& kernel, const Value& v, std::size_t i, VarId variable,
                      Memo& memo) {
  return stride_of(kernel, v.operands[i], variable, memo);
}

Stride compute(const Kernel& kernel, const Value& v, VarId variable, Memo& memo) {
  if (v.kind == ValueKind::loop_variable) return v.variable == variable ? 1 : 0;
  if (v.kind == ValueKind::index_add) {
    const Stride a = operand_stride(kernel, v, 0, variable, memo);
    const Stride b = operand_stride(kernel, v, 1, variable, memo);
    if (!a || !b) return std::nullopt;
    return *a + *b;
  }
  if (v.kind == ValueKind::index_scale) {
    const Stride a = operand_stride(kernel, v, 0, variable, memo);
    if (!a) return std::nullopt;
    return *a * v.integer;
  }
  // Anything else is constant where its operands are.
  for (std::size_t i = 0; i < v.operands.size(); ++i)
    if (operand_stride(kernel, v, i, variable, memo) != Stride(0)) return std::nullopt;
  return 0;
}

Stride stride_of(const Kernel& kernel, ValueId id, VarId variable, Memo& memo) {
  if (id.index >= kernel.values.size()) return std::nullopt;
  if (const auto it = memo.find(id.index); it != memo.end()) return it->second;
  memo[id.index] = std::nullopt;  // for a cycle, which verify reports
  const Stride stride = compute(kernel, kernel.values[id.index], variable, memo);
  memo[id.index] = stride;
  return stride;
}

}  // namespace

std::optional<std::int64_t> lane_stride(const Kernel& kernel, ValueId id, VarId variable) {
  Memo memo;
  return stride_of(kernel, id, variable, memo);
}

}  // namespace ganc::kernel
