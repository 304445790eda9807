#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "runtime/description.h"
#include "runtime/result.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// The memory of a run, zeroed, in huge pages where it is large: the arena, and a scratch space for
// each thread.
class Arena {
 public:
  static Result<Arena> create(std::int64_t bytes, std::int64_t scratch_bytes, unsigned threads);
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  char* data() const { return data_; }
  // Zeros everywhere, as at first.
  void clear();
  char* scratch(unsigned thread) const {
    return data_ + scratch_offset_ + scratch_stride_ * thread;
  }
  std::uint64_t mapped_bytes() const { return mapped_; }

 private:
  Arena() = default;
  char* data_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::int64_t scratch_offset_ = 0, scratch_stride_ = 0;
};

// Row-major numbers of the binding's dtype and shape into their places, and back.
void place(char* arena, const Binding& binding, const void* row_major);
void gather(const char* arena, const Binding& binding, void* row_major);
Tensor gather(const char* arena, const Binding& binding);
// The numbers in row-major order, in parts of at most `most` bytes (one element at least).
void gather_parts(const char* arena, const Binding& binding, std::size_t most,
                  const std::function<void(const char* bytes, std::size_t count)>& take);

}  // namespace ganc::runtime
