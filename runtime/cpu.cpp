#include "runtime/cpu.h"

#include <cpuid.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "runtime/files.h"
#include "runtime/tiles.h"

namespace ganc::runtime {
namespace {

// LZCNT and MOVBE have no name in the compiler's list.
bool has_lzcnt() {
  unsigned a, b, c, d;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1U << 5)) != 0;
}
bool has_movbe() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & (1U << 22)) != 0;
}

void need(std::vector<std::string>& missing, bool there, const char* feature) {
  if (!there) missing.emplace_back(feature);
}

// Files of /proc and /sys claim to be empty, so they are read by the C library. Empty: not there.
std::string kernel_text(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "re")) {
    char buffer[4096];
    text.assign(buffer, std::fread(buffer, 1, sizeof buffer, file));
    std::fclose(file);
  }
  return text;
}

// The first number of a file such as cpu.max ("200000 100000"); "max" is none.
std::optional<double> quota(const std::string& text) {
  long long limit = 0, period = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, limit);
  if (first.ec != std::errc() || first.ptr == end) return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, period).ec != std::errc() || period <= 0 || limit <= 0)
    return std::nullopt;
  return static_cast<double>(limit) / static_cast<double>(period);
}

// The least quota of the process's control group and the groups around it (version 2, then 1).
std::optional<double> group_quota() {
  std::optional<double> least;
  const auto take = [&](std::optional<double> q) {
    if (q && (!least || *q < *least)) least = q;
  };
  std::string group;
  const std::string groups = kernel_text("/proc/self/cgroup");
  if (const auto at = groups.find("0::/"); at != std::string::npos)
    group = groups.substr(at + 3, groups.find('\n', at) - at - 3);
  while (true) {
    take(quota(kernel_text("/sys/fs/cgroup" + group + "/cpu.max")));
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) break;
    group.resize(slash);
  }
  take(quota(kernel_text("/sys/fs/cgroup/cpu.max")));
  std::string limit = kernel_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  if (!limit.empty()) {
    limit.back() = ' ';
    take(quota(limit + kernel_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us")));
  }
  return least;
}

}  // namespace

std::vector<std::string> missing_features(std::string_view isa) {
  std::vector<std::string> missing;
  __builtin_cpu_init();
  if (isa != "x86-64-v3" && isa != "x86-64-v4" && isa != "avx512-bf16" && isa != "amx")
    return {std::string(isa)};
  need(missing, __builtin_cpu_supports("avx"), "AVX");
  need(missing, __builtin_cpu_supports("avx2"), "AVX2");
  need(missing, __builtin_cpu_supports("fma"), "FMA");
  need(missing, __builtin_cpu_supports("bmi"), "BMI1");
  need(missing, __builtin_cpu_supports("bmi2"), "BMI2");
  need(missing, __builtin_cpu_supports("f16c"), "F16C");
  need(missing, has_lzcnt(), "LZCNT");
  need(missing, has_movbe(), "MOVBE");
  if (isa == "x86-64-v3") return missing;
  need(missing, __builtin_cpu_supports("avx512f"), "AVX512F");
  need(missing, __builtin_cpu_supports("avx512bw"), "AVX512BW");
  need(missing, __builtin_cpu_supports("avx512cd"), "AVX512CD");
  need(missing, __builtin_cpu_supports("avx512dq"), "AVX512DQ");
  need(missing, __builtin_cpu_supports("avx512vl"), "AVX512VL");
  if (isa == "x86-64-v4") return missing;
  need(missing, __builtin_cpu_supports("avx512bf16"), "AVX512_BF16");
  if (isa == "avx512-bf16") return missing;
  need(missing, __builtin_cpu_supports("amx-tile"), "AMX-TILE");
  need(missing, __builtin_cpu_supports("amx-bf16"), "AMX-BF16");
  if (missing.empty())
    need(missing, may_use_tiles(), "the operating system's permission to use AMX tiles");
  return missing;
}

Result<const GancVariant*> choose_variant(const GancProgram& program, std::string_view forced) {
  std::vector<std::string> names;
  const GancVariant* best = nullptr;
  for (std::uint32_t i = 0; i < program.variant_count; ++i) {
    const GancVariant& variant = program.variants[i];
    names.emplace_back(variant.isa);
    if (!forced.empty() && forced != "auto" && forced != variant.isa) continue;
    if (missing_features(variant.isa).empty()) best = &variant;
  }
  if (best != nullptr) return best;
  const bool any = forced.empty() || forced == "auto";
  if (!any && std::find(names.begin(), names.end(), forced) == names.end())
    return fail(fmt::format("this trainer has no code for --cpu {}; it has {}", forced,
                            fmt::join(names, ", ")),
                2);
  const std::string needed = any ? names.front() : std::string(forced);
  return fail(fmt::format("this CPU ({}) lacks {}, which {} needs; {}", cpu_name(),
                          fmt::join(missing_features(needed), ", "), needed,
                          any ? "run the trainer on a CPU with AVX2 and FMA"
                              : "leave out --cpu to run what the CPU has"));
}

std::string cpu_name() {
  unsigned words[12] = {};
  for (unsigned i = 0; i < 3; ++i)
    if (!__get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2],
                     &words[4 * i + 3]))
      return "x86-64";
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  std::string name = text;
  while (!name.empty() && name.back() == ' ') name.pop_back();
  name.erase(0, name.find_first_not_of(' '));
  return name.empty() ? "x86-64" : name;
}

namespace {

unsigned count_cpus() {
  unsigned count = 1;
  // Machines of more than 1,024 CPUs need a larger set than the fixed one.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const bool fits = sched_getaffinity(0, bytes, set) == 0;
    if (fits) count = static_cast<unsigned>(std::max(1, CPU_COUNT_S(bytes, set)));
    CPU_FREE(set);
    if (fits) break;
  }
  if (const auto q = group_quota())
    count = std::min(count, static_cast<unsigned>(std::max(1.0, std::ceil(*q))));
  return count;
}

}  // namespace

unsigned usable_cpus() {
  static const unsigned count = count_cpus();  // reading the quota takes half a millisecond
  return count;
}

std::uint64_t peak_resident_bytes() {
  // getrusage tells the peak of whoever started this process where that was larger.
  const std::string status = kernel_text("/proc/self/status");
  std::uint64_t kilobytes = 0;
  if (auto at = status.find("VmHWM:"); at != std::string::npos) {
    at = status.find_first_of("0123456789", at);
    std::from_chars(status.data() + at, status.data() + status.size(), kilobytes);
  }
  return kilobytes * 1024;
}

}  // namespace ganc::runtime
