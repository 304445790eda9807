#include "compiler/schedule/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

#include "compiler/graph/print.h"
#include "compiler/schedule/program.h"

namespace ganc {
namespace {

// "f32[64,512] strides [1,64] at 4096, 131072 bytes"
std::string place(const Placement& p) {
  return fmt::format("{} strides [{}] at {}, {} bytes", to_string(Type{p.dtype, p.shape}),
                     fmt::join(p.strides, ","), p.offset, p.bytes);
}

std::string line(const Binding& b) {
  return fmt::format("  {:32} {}\n", b.name, place(b.placement));
}

}  // namespace

std::string print_kernels(const Plan& plan, const ProgramPlan& program) {
  std::string text = fmt::format("program {} of {} calls\n", program.name, program.calls.size());
  std::vector<bool> shown(plan.kernels.size());
  for (std::size_t i = 0; i < program.calls.size(); ++i) {
    const Call& call = program.calls[i];
    const kernel::Kernel& kernel = plan.kernels[call.kernel];
    text +=
        fmt::format("call {}: kernel {} `{}`, {} units", i, call.kernel, kernel.name, kernel.units);
    if (!call.origin.path.empty()) text += fmt::format(", of {}", call.origin.path);
    if (call.draw >= 0)
      text += fmt::format(", draws {}", program.draws[static_cast<std::size_t>(call.draw)].name);
    text += fmt::format("\n  buffers at [{}]", fmt::join(call.offsets, ", "));
    if (!call.guards.empty()) text += fmt::format(", only if [{}]", fmt::join(call.guards, ", "));
    text += fmt::format(", {:.6g} flop, {:.6g} bytes\n", call.flop, call.traffic.all());
    if (!shown[call.kernel]) text += print(kernel);
    shown[call.kernel] = true;
  }
  return text;
}

std::string print_memory(const Plan& plan) {
  std::string text = fmt::format("arena of {} bytes, {} of them variables\n", plan.arena_bytes,
                                 plan.persistent_bytes);
  text += "variables\n";
  for (const Binding& b : plan.variables) text += line(b);
  for (const ProgramPlan& program : plan.programs) {
    std::int64_t end = plan.persistent_bytes;
    const auto reach = [&](const Placement& p) { end = std::max(end, p.offset + p.bytes); };
    for (const Binding& b : program.inputs) reach(b.placement);
    for (const Result& r : program.results) reach(r.binding.placement);
    for (const Call& call : program.calls)
      for (std::size_t i = 0; i < call.offsets.size(); ++i) {
        const kernel::Buffer& buffer = plan.kernels[call.kernel].buffers[i];
        const Placement p{buffer.dtype, {buffer.elements}, {}, call.offsets[i], 0};
        end = std::max(end, p.offset + buffer.elements * planning::byte_size(buffer.dtype));
      }
    text += fmt::format("program {}: {} calls, {} bytes beside the variables\n", program.name,
                        program.calls.size(), end - plan.persistent_bytes);
    for (const Binding& b : program.inputs) text += line(b);
    for (const Result& r : program.results)
      text += fmt::format("{} after call {}\n",
                          line(r.binding).substr(0, line(r.binding).size() - 1), r.after);
    for (const Binding& b : program.draws) text += line(b);
  }
  return text;
}

}  // namespace ganc
