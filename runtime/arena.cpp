#include "runtime/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace ganc::runtime {
namespace {

constexpr std::int64_t page = 4096, huge_page = 2 << 20;

std::int64_t round_up(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Calls each(row-major position, arena position) for runs of `inner` elements along the last axis,
// in row-major order.
template <typename Each>
void for_each_row(const Binding& b, Each each) {
  const std::size_t rank = b.shape.size();
  if (elements(b.shape) == 0) return;
  std::vector<std::int64_t> index(rank, 0);
  const std::int64_t inner = rank == 0 ? 1 : b.shape[rank - 1];
  std::int64_t row = 0, at = 0;
  while (true) {
    each(row, at);
    row += inner;
    std::size_t axis = rank < 2 ? 0 : rank - 1;
    while (axis > 0) {
      --axis;
      at += b.strides[axis];
      if (++index[axis] < b.shape[axis]) break;
      at -= b.strides[axis] * b.shape[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (rank < 2) return;
  }
}

template <typename T, bool into_arena>
void copy_rows(char* arena, const Binding& b, char* row_major) {
  T* const placed = reinterpret_cast<T*>(arena + b.offset);
  T* const rows = reinterpret_cast<T*>(row_major);
  const std::int64_t inner = b.shape.empty() ? 1 : b.shape.back();
  const std::int64_t stride = b.shape.empty() ? 1 : b.strides.back();
  for_each_row(b, [&](std::int64_t row, std::int64_t at) {
    if (stride == 1) {
      if (into_arena)
        std::memcpy(placed + at, rows + row, static_cast<std::size_t>(inner) * sizeof(T));
      else
        std::memcpy(rows + row, placed + at, static_cast<std::size_t>(inner) * sizeof(T));
      return;
    }
    for (std::int64_t i = 0; i < inner; ++i) {
      if (into_arena)
        placed[at + i * stride] = rows[row + i];
      else
        rows[row + i] = placed[at + i * stride];
    }
  });
}

bool is_row_major(const Binding& b) {
  std::int64_t stride = 1;
  for (std::size_t i = b.shape.size(); i-- > 0;) {
    if (b.shape[i] != 1 && b.strides[i] != stride) return false;
    stride *= b.shape[i];
  }
  return true;
}

template <bool into_arena>
void copy(char* arena, const Binding& b, char* row_major) {
  if (is_row_major(b)) {
    const auto bytes = static_cast<std::size_t>(elements(b.shape) * size_of(b.dtype));
    if (into_arena)
      std::memcpy(arena + b.offset, row_major, bytes);
    else
      std::memcpy(row_major, arena + b.offset, bytes);
    return;
  }
  switch (size_of(b.dtype)) {
    case 1:
      return copy_rows<std::uint8_t, into_arena>(arena, b, row_major);
    case 2:
      return copy_rows<std::uint16_t, into_arena>(arena, b, row_major);
    case 4:
      return copy_rows<std::uint32_t, into_arena>(arena, b, row_major);
    case 8:
      return copy_rows<std::uint64_t, into_arena>(arena, b, row_major);
  }
  __builtin_unreachable();
}

}  // namespace

Result<Arena> Arena::create(std::int64_t bytes, std::int64_t scratch_bytes, unsigned threads) {
  Arena arena;
  arena.scratch_offset_ = round_up(bytes, page);
  // A page between two threads' scratch keeps their cache lines apart.
  arena.scratch_stride_ = scratch_bytes == 0 ? 0 : round_up(scratch_bytes, page);
  const std::int64_t all = arena.scratch_offset_ + arena.scratch_stride_ * threads + page;
  const bool large = all >= 2 * huge_page;
  arena.mapped_ = static_cast<std::uint64_t>(large ? round_up(all, huge_page) : all);
  void* memory =
      mmap(nullptr, arena.mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(fmt::format(
        "cannot get {:.1f} MiB of memory for the arena: {}; free memory, or build with a "
        "smaller --batch",
        static_cast<double>(arena.mapped_) / (1 << 20), std::strerror(errno)));
  if (large) madvise(memory, arena.mapped_, MADV_HUGEPAGE);
  arena.data_ = static_cast<char*>(memory);
  return arena;
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      mapped_(other.mapped_),
      scratch_offset_(other.scratch_offset_),
      scratch_stride_(other.scratch_stride_) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(mapped_, other.mapped_);
  std::swap(scratch_offset_, other.scratch_offset_);
  std::swap(scratch_stride_, other.scratch_stride_);
  return *this;
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, mapped_);
}

void place(char* arena, const Binding& binding, const void* row_major) {
  copy<true>(arena, binding, static_cast<char*>(const_cast<void*>(row_major)));
}

void gather(const char* arena, const Binding& binding, void* row_major) {
  copy<false>(const_cast<char*>(arena), binding, static_cast<char*>(row_major));
}

Tensor gather(const char* arena, const Binding& binding) {
  Tensor tensor(binding.dtype, binding.shape);
  gather(arena, binding, tensor.bytes.data());
  return tensor;
}

}  // namespace ganc::runtime
