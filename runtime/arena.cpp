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

}  // namespace ganc::runtime
