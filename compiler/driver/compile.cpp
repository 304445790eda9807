#include "compiler/driver/compile.h"

#include <map>

#include "compiler/autodiff/differentiate.h"
#include "compiler/driver/stages.h"
#include "compiler/elaborate/elaborate.h"
#include "compiler/rewrite/rewrite.h"
#include "compiler/schedule/schedule.h"

namespace ganc {
namespace {

// What the options ask for and this version does not have.
Stop unavailable(const CompileOptions& options) {
  if (options.cuda) return {"--target cuda: this version compiles for the CPU alone"};
  if (options.precision == Precision::fast || options.precision == Precision::bf16) {
    return {
        "--precision fast and bf16: this version computes with exact float32 products alone "
        "(--precision exact)"};
  }
  if (options.cpu == Cpu::amx) {
    return {
        "--cpu amx: its tiles multiply bf16, and this version computes with exact products alone "
        "(x86-64-v4)"};
  }
  return {};
}

ElaborateOptions elaborate_options(const CompileOptions& options) {
  ElaborateOptions result;
  for (const auto& [name, value] : options.set) result.set[name] = value;
  result.batch = options.batch;
  result.real = options.f64 ? DType::f64 : DType::f32;
  return result;
}

}  // namespace

std::expected<Compilation, Stop> compile(Sources& sources, std::uint32_t file,
                                         const CompileOptions& options, Stage last,
                                         Diagnostics& diagnostics) {
  if (Stop stop = unavailable(options); !stop.message.empty()) return std::unexpected(stop);
  Compilation result;
  Stages stages;  // `done` is the one place that verifies and times

  result.model = elaborate(sources, file, elaborate_options(options), diagnostics);
  if (diagnostics.has_error()) return std::unexpected(Stop::wrong_program());
  result.programs = programs_of(result.model);
  stages.done("elaborate", result.programs);
  // From here on the program is right: a failure below is our bug or the environment's.
  if (last == Stage::graph) return result;

  for (CompiledProgram& program : result.programs) program.graph = stabilize(program.graph);
  stages.done("stabilize", result.programs);

  for (CompiledProgram& program : result.programs) program.graph = differentiate(program.graph);
  stages.done("differentiate", result.programs);
  // From here on no `grad` is left.

  for (CompiledProgram& program : result.programs) program.graph = rewrite(program.graph);
  stages.done("rewrite", result.programs);
  if (last == Stage::gradient) return result;

  std::vector<const Graph*> graphs;
  for (const CompiledProgram& program : result.programs) graphs.push_back(&program.graph);
  result.plan = schedule(result.model.variables, graphs, ScheduleOptions{.fuse = options.optimize});
  stages.done("schedule", result.plan);
  // From here on every buffer has a layout and an offset; nothing allocates. make_trainer goes on
  // from here.
  return result;
}

}  // namespace ganc
