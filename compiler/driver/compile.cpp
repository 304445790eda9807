#include "compiler/driver/compile.h"

#include <fmt/format.h>
#include <map>

#include "compiler/autodiff/differentiate.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/stages.h"
#include "compiler/elaborate/elaborate.h"
#include "compiler/rewrite/rewrite.h"
#include "compiler/schedule/schedule.h"

namespace ganc {
namespace {

// What the options ask for and this version does not have.
Stop unavailable(const CompileOptions& options) {
  if (options.cuda) return {"--target cuda: this version compiles for the CPU alone"};
  if (options.precision == Precision::bf16)
    return {"--precision bf16: this version has no products of bf16 (exact or fast)"};
  if (options.cpu == Cpu::amx) {
    return {
        "--cpu amx: its tiles multiply bf16, and this version has no products of bf16 "
        "(x86-64-v4)"};
  }
  return {};
}

// A train block that asks for what this version does not have.
Stop unavailable(const Model& model, const CompileOptions& options, const Sources& sources) {
  for (const Train& train : model.trains)
    if (!options.precision && train.precision == "bf16")
      return {fmt::format(
          "{}: precision bf16: this version has no products of bf16; write precision fast, or pass "
          "--precision fast",
          place(sources, train.span))};
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
  if (Stop stop = unavailable(result.model, options, sources); !stop.message.empty())
    return std::unexpected(stop);
  // From here on the program is right: a failure below is our bug or the environment's.
  if (last == Stage::graph) return result;

  for (CompiledProgram& program : result.programs) program.graph = stabilize(program.graph);
  stages.done("stabilize", result.programs);

  for (CompiledProgram& program : result.programs) program.graph = merge_resampling(program.graph);
  stages.done("merge resampling", result.programs);

  for (CompiledProgram& program : result.programs) program.graph = differentiate(program.graph);
  stages.done("differentiate", result.programs);
  // From here on no `grad` is left.

  for (CompiledProgram& program : result.programs) program.graph = rewrite(program.graph);
  stages.done("rewrite", result.programs);
  if (last == Stage::gradient) return result;

  std::vector<const Graph*> graphs;
  ScheduleOptions how{.fuse = options.optimize, .fewer_products = {}};
  for (const CompiledProgram& program : result.programs) {
    graphs.push_back(&program.graph);
    how.fewer_products.push_back(precision_of(result.model, program, options) == Precision::fast);
  }
  result.plan = schedule(result.model.variables, graphs, how);
  stages.done("schedule", result.plan);
  // From here on every buffer has a layout and an offset; nothing allocates. make_trainer goes on
  // from here.
  return result;
}

}  // namespace ganc
