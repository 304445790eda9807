#include "runtime/finite.h"

#include <atomic>
#include <cstring>

#include "runtime/arena.h"

namespace ganc::runtime {
namespace {

// A number is not finite where all bits of its exponent are set. Without a branch, so that it runs
// in vectors.
template <typename Word>
bool scan(const char* numbers, std::int64_t count, Word exponent) {
  constexpr std::int64_t block = 4096;
  const Word* words = reinterpret_cast<const Word*>(numbers);
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t end = begin + block < count ? begin + block : count;
    Word found = 0;
    for (std::int64_t i = begin; i < end; ++i)
      found |= static_cast<Word>((words[i] & exponent) == exponent ? 1 : 0);
    if (found != 0) return false;
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
