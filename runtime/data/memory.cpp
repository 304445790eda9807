#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "runtime/data/sources.h"
#include "runtime/files.h"

namespace ganc::runtime {
namespace {

// The number in a file of the kernel's; no limit where there is none ("max", or another kind of
// container).
std::uint64_t limit_in(const char* path) {
  constexpr std::uint64_t none = UINT64_MAX;
  const auto text = read_text(path, 4096);
  if (!text) return none;
  std::uint64_t limit = none;
  std::from_chars(text->data(), text->data() + text->size(), limit);
  return limit == 0 ? none : limit;
}

}  // namespace

std::uint64_t memory_of_machine() {
  std::uint64_t memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  memory = std::min(memory, limit_in("/sys/fs/cgroup/memory.max"));
  memory = std::min(memory, limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0) memory = std::min<std::uint64_t>(memory, limit.rlim_cur);
  return memory;
}

std::uint64_t memory_for_a_set() {
  return memory_of_machine() / 4;
}

}  // namespace ganc::runtime
