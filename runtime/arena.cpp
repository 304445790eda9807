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

// Gives back what is before the first huge page of [memory, memory + reserved), and what is beyond
// `kept` bytes from there.
char* keep_aligned(char* memory, std::int64_t reserved, std::int64_t kept) {
  const auto at = reinterpret_cast<std::int64_t>(memory);
  const std::int64_t before = round_up(at, huge_page) - at, after = reserved - before - kept;
  char* const begin = memory + before;
  if (before > 0) munmap(memory, static_cast<std::size_t>(before));
  if (after > 0) munmap(begin + kept, static_cast<std::size_t>(after));
  return begin;
}

}  // namespace

Result<Arena> Arena::create(std::int64_t bytes, std::int64_t scratch_bytes, unsigned threads) {
  Arena arena;
  arena.scratch_offset_ = round_up(bytes, page);
  // A page between two threads' scratch keeps their cache lines apart.
  arena.scratch_stride_ = scratch_bytes == 0 ? 0 : round_up(scratch_bytes, page);
  const std::int64_t all = arena.scratch_offset_ + arena.scratch_stride_ * threads + page;
  const bool large = bytes >= 2 * huge_page;
  // A large arena begins at a huge page: what is reserved around it is given back.
  const std::int64_t reserved = large ? all + huge_page : all;
  arena.mapped_ = static_cast<std::uint64_t>(all);
  void* memory = mmap(nullptr, static_cast<std::size_t>(reserved), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(fmt::format(
        "cannot get {:.1f} MiB of memory for the arena: {}; free memory, or build with a "
        "smaller --batch",
        static_cast<double>(arena.mapped_) / (1 << 20), std::strerror(errno)));
  if (large) {
    memory = keep_aligned(static_cast<char*>(memory), reserved, all);
    // Where the plan fills them: the last one would hold memory that nobody asked for.
    madvise(memory, static_cast<std::size_t>(bytes / huge_page * huge_page), MADV_HUGEPAGE);
  }
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

void Arena::clear() {
  // Pages that are given back come again as zeros, and those that were never touched cost nothing.
  if (madvise(data_, mapped_, MADV_DONTNEED) != 0) std::memset(data_, 0, mapped_);
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, mapped_);
}

}  // namespace ganc::runtime
