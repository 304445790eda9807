#include "compiler/driver/peak.h"

#include <algorithm>

#include "compiler/kernel/kernel.h"

namespace ganc {
namespace {

// Measured on the trainers of the catalogue: the pages of code, the C library's, stacks, logs.
constexpr std::int64_t fixed_bytes = 3'400'000;
// Of the description, whose text and structs a process reads and keeps.
constexpr std::int64_t call_bytes = 1'500;
// The runtime's loader reads three batches ahead; it makes one more and one is placed.
constexpr std::int64_t batches_held = 5;
// A chart of points: pixels and the file that is made of them.
constexpr std::int64_t chart_bytes = 512 * 512 * 3 + 100'000;

std::int64_t batch_bytes(const Model& model, const Train& train, bool f64) {
  std::int64_t bytes = 0;
  for (const SourceUse& use : train.sources)
    for (const FieldInfo& field : model.sources[use.source].fields) {
      const bool real = field.kind == FieldInfo::Kind::real;
      bytes += train.batch * element_count(field.shape) * (real && f64 ? 8 : 4);
    }
  return bytes;
}

// The samples that are drawn at once, and all; of a picture those at once as cells too, all as
// pixels and file.
std::int64_t output_bytes(const OutputProgram& output, const ProgramPlan& plan) {
  std::int64_t drawn = 0;
  for (const Result& result : plan.results) drawn += result.binding.placement.bytes;
  const std::int64_t all = drawn / std::max<std::int64_t>(output.count, 1) * output.shown;
  switch (output.kind) {
    case OutputProgram::Kind::image:
      return 2 * drawn + all / 2;
    case OutputProgram::Kind::points:
      return drawn + all + chart_bytes;
    case OutputProgram::Kind::audio:
    case OutputProgram::Kind::rows:
    case OutputProgram::Kind::array:
      return drawn + all;
  }
  __builtin_unreachable();
}

}  // namespace

Peak peak_of(const Compilation& compilation, const Plan& plan, bool f64) {
  const Model& model = compilation.model;
  Peak peak;
  std::int64_t batch = 0, output = 0, calls = 0;
  for (std::size_t i = 0; i < compilation.programs.size(); ++i) {
    const CompiledProgram& program = compilation.programs[i];
    const ProgramPlan& own = plan.programs[i];
    calls += static_cast<std::int64_t>(own.calls.size());
    switch (program.kind) {
      case ProgramKind::init:
        break;
      case ProgramKind::train:
        batch = std::max(batch, batch_bytes(model, model.trains[program.index], f64));
        break;
      case ProgramKind::output:
        output = std::max(output, output_bytes(model.outputs[program.index], own));
        break;
      case ProgramKind::forward:
      case ProgramKind::gradient:
        continue;  // not run by training
    }
    peak.arena = std::max(peak.arena, own.bytes);
  }
  peak.beside = fixed_bytes + call_bytes * calls +
                std::max(batches_held * batch, (batches_held - 1) * batch + output);
  for (const kernel::Kernel& kernel : plan.kernels)
    peak.thread = std::max(peak.thread, kernel::scratch_places(kernel).back());
  return peak;
}

}  // namespace ganc
