#include "runtime/finite.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "runtime/arena.h"

namespace ganc::runtime {
namespace {

// A number is not finite where all bits of its exponent are set. In vectors written out, for
// compilers leave such a loop scalar unless they optimize hard: every weight is looked at after
// every iteration.
template <typename Word>
bool scan(const char* numbers, std::int64_t count, Word exponent) {
  using Vector [[gnu::vector_size(16)]] = Word;
  constexpr std::int64_t width = sizeof(Vector) / sizeof(Word), block = 256 * width;
  const Vector all = Vector{} | exponent;
  std::int64_t at = 0;
  while (at + width <= count) {
    const std::int64_t end = std::min(at + block, count / width * width);
    Vector found{};
    for (; at < end; at += width) {
      Vector words;
      std::memcpy(&words, numbers + at * static_cast<std::int64_t>(sizeof(Word)), sizeof words);
      found |= static_cast<Vector>((words & all) == all);
    }
    Word any = 0;
    for (std::int64_t i = 0; i < width; ++i) any |= found[i];
    if (any != 0) return false;
  }
  for (; at < count; ++at) {
    Word word;
    std::memcpy(&word, numbers + at * static_cast<std::int64_t>(sizeof(Word)), sizeof word);
    if ((word & exponent) == exponent) return false;
  }
  return true;
}

// Elements from the first to the last, those between them that belong to no index included.
std::int64_t reach(const Binding& b) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < b.shape.size(); ++i) {
    if (b.shape[i] == 0) return 0;
    last += (b.shape[i] - 1) * b.strides[i];
  }
  return last + 1;
}

}  // namespace

bool all_finite(const char* numbers, std::int64_t count, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return scan<std::uint32_t>(numbers, count, 0x7F800000U);
    case DType::f64:
      return scan<std::uint64_t>(numbers, count, 0x7FF0000000000000U);
    case DType::bf16:
      return scan<std::uint16_t>(numbers, count, 0x7F80U);
    case DType::i32:
    case DType::u32:
    case DType::pred:
      return true;
  }
  __builtin_unreachable();
}

const Variable* first_not_finite(const Description& description, const char* arena, Pool& pool) {
  const auto& variables = description.variables;
  std::atomic<std::size_t> first{variables.size()};
  pool.run([&](unsigned thread) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const Binding& b = variables[i].binding;
      if (variables[i].kind == VariableKind::slot || !is_real(b.dtype)) continue;
      const auto [begin, end] = pool.part(reach(b), thread);
      if (all_finite(arena + b.offset + begin * size_of(b.dtype), end - begin, b.dtype)) continue;
      // Padding between elements may hold anything: look again, at the elements alone.
      if (reach(b) != elements(b.shape)) {
        const Tensor dense = gather(arena, b);
        if (all_finite(dense.bytes.data(), dense.elements(), b.dtype)) continue;
      }
      std::size_t before = first.load();
      while (i < before && !first.compare_exchange_weak(before, i)) {
      }
      return;
    }
  });
  return first == variables.size() ? nullptr : &variables[first];
}

}  // namespace ganc::runtime
