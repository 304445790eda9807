#include "compiler/schedule/cost.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "compiler/kernel/work.h"
#include "compiler/schedule/program.h"

namespace ganc {
namespace {

constexpr std::int64_t page = 64 << 10;

// When each page of the arena was last touched, in bytes of traffic since the beginning.
class Clock {
 public:
  explicit Clock(std::int64_t arena_bytes)
      : touched_(static_cast<std::size_t>(arena_bytes / page + 1), -middle_bytes) {}

  // A call of `all` bytes of traffic begins. It goes through its buffers side by side, each from
  // its beginning to its end.
  void begin(double all) {
    now_ += all_;
    all_ = all;
  }
  // Of it, `bytes` spread over [offset, offset + extent).
  void touch(Traffic& traffic, std::int64_t offset, std::int64_t extent, double bytes) {
    for (std::int64_t at = offset; at < offset + extent;) {
      const std::int64_t end = std::min((at / page + 1) * page, offset + extent);
      const auto size = static_cast<double>(extent);
      const double part = bytes * static_cast<double>(end - at) / size;
      const double when = now_ + all_ * static_cast<double>(end - offset) / size;
      double& last = touched_[static_cast<std::size_t>(at / page)];
      const double ago = when - last;
      (ago < near_bytes ? traffic.near : ago < middle_bytes ? traffic.middle : traffic.far) += part;
      last = when;
      at = end;
    }
  }

 private:
  std::vector<double> touched_;
  double now_ = 0, all_ = 0;  // when the current call began, its traffic
};

void run(ProgramPlan& program, const Plan& plan, const std::vector<kernel::Work>& works,
         Clock& clock) {
  for (Call& call : program.calls) {
    const kernel::Kernel& kernel = plan.kernels[call.kernel];
    const kernel::Work& work = works[call.kernel];
    call.flop = work.flop;
    call.operations = work.operations;
    call.traffic = {};
    std::vector<double> bytes;
    for (std::size_t b = 0; b < call.offsets.size(); ++b)
      bytes.push_back((work.read[b] + work.written[b]) *
                      static_cast<double>(planning::byte_size(kernel.buffers[b].dtype)));
    clock.begin(std::accumulate(bytes.begin(), bytes.end(), 0.0));
    for (std::size_t b = 0; b < call.offsets.size(); ++b) {
      const kernel::Buffer& buffer = kernel.buffers[b];
      const auto extent = buffer.elements * planning::byte_size(buffer.dtype);
      clock.touch(call.traffic, call.offsets[b], extent, bytes[b]);
    }
  }
}

// docs/cost.md has the same table. AMX itself is not used: the arithmetic is of f32.
constexpr std::array<CpuClass, 3> classes = {{
    {"A", "AVX-512 without AMX", 118e9, 105e9, 76e9, 21e9, 0.3e-6},
    {"B", "AVX-512 with AMX", 210e9, 180e9, 28e9, 14e9, 0.3e-6},
    {"C", "AVX2 alone", 96e9, 84e9, 62e9, 13e9, 0.3e-6},
}};

}  // namespace

void count_costs(Plan& plan) {
  std::vector<kernel::Work> works;
  for (const kernel::Kernel& kernel : plan.kernels) works.push_back(kernel::count_work(kernel));
  for (ProgramPlan& program : plan.programs) {
    Clock clock(plan.arena_bytes);
    run(program, plan, works, clock);
    run(program, plan, works, clock);  // again, with what the first time left
  }
}

std::span<const CpuClass> cpu_classes() {
  return classes;
}

std::string_view name(Bound bound) {
  switch (bound) {
    case Bound::multiply_add:
      return "multiply-add";
    case Bound::l2:
      return "L2";
    case Bound::l3:
      return "L3";
    case Bound::memory:
      return "memory";
    case Bound::start:
      return "start";
  }
  __builtin_unreachable();
}

Prediction predict(const Call& call, std::int64_t units, const CpuClass& cpu, unsigned threads) {
  const auto cores =
      static_cast<double>(std::clamp<std::int64_t>(units, 1, static_cast<std::int64_t>(threads)));
  const double arithmetic = 2 * call.operations / (cpu.flops * cores);
  const std::array<std::pair<double, Bound>, 3> levels = {{
      {call.traffic.near / (cpu.l2 * cores), Bound::l2},
      {call.traffic.middle / (cpu.l3 * cores), Bound::l3},
      {call.traffic.far / (cpu.memory * std::min(cores, 2.0)), Bound::memory},
  }};
  const double moving = levels[0].first + levels[1].first + levels[2].first;
  const double work = std::max(arithmetic, moving);
  if (cpu.start > work) return {work + cpu.start, Bound::start};
  if (arithmetic >= moving) return {work + cpu.start, Bound::multiply_add};
  return {work + cpu.start, std::ranges::max_element(levels)->second};
}

}  // namespace ganc
