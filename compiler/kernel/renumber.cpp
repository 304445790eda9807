#include "compiler/kernel/renumber.h"

namespace ganc::kernel {
namespace {

void renumber(Block& block, const std::function<std::uint32_t(std::uint32_t)>& number) {
  for (Statement& s : block) {
    if (auto* store = std::get_if<Store>(&s.node)) {
      store->buffer = number(store->buffer);
    } else if (auto* loop = std::get_if<Loop>(&s.node)) {
      renumber(loop->body, number);
    } else if (auto* accumulator = std::get_if<Accumulator>(&s.node)) {
      renumber(accumulator->body, number);
    } else if (auto* contraction = std::get_if<Contraction>(&s.node)) {
      contraction->a_buffer = number(contraction->a_buffer);
      contraction->b_buffer = number(contraction->b_buffer);
      renumber(contraction->epilogue, number);
    }
  }
}

}  // namespace

void renumber_buffers(Kernel& kernel, const std::function<std::uint32_t(std::uint32_t)>& number) {
  for (Value& v : kernel.values)
    if (v.kind == ValueKind::load) v.buffer = number(v.buffer);
  renumber(kernel.body, number);
}

}  // namespace ganc::kernel
