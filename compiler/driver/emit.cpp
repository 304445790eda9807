#include "compiler/driver/emit.h"

#include <set>

#include <fmt/format.h>

#include "compiler/codegen/codegen.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/input.h"
#include "compiler/driver/table.h"
#include "compiler/driver/trainer.h"
#include "compiler/driver/verbs.h"
#include "compiler/graph/print.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/print_ast.h"

namespace ganc {
namespace {

using Picked = std::vector<const CompiledProgram*>;

std::size_t index_of(const Compilation& compilation, const CompiledProgram* program) {
  return static_cast<std::size_t>(program - compilation.programs.data());
}

// The kernels that the programs call, each once, in order.
std::vector<std::uint32_t> kernels_of(const Compilation& compilation, const Picked& programs) {
  std::set<std::uint32_t> used;
  for (const CompiledProgram* program : programs) {
    for (const Call& call : compilation.shown().plan.programs[index_of(compilation, program)].calls)
      used.insert(call.kernel);
  }
  return {used.begin(), used.end()};
}

std::string kernels_text(const Compilation& compilation, const Picked& programs,
                         const Sources& sources) {
  std::string text;
  for (const CompiledProgram* program : programs) {
    text += calls_text(compilation, index_of(compilation, program), sources) + "\n";
  }
  for (std::uint32_t kernel : kernels_of(compilation, programs)) {
    text += fmt::format("# kernel {}\n{}\n", kernel,
                        kernel::print(compilation.shown().plan.kernels[kernel]));
  }
  return text;
}

// LLVM IR or assembly of each kernel.
std::string code_text(const Compilation& compilation, const Picked& programs,
                      const Options& options) {
  const CodegenOptions codegen = {
      .isa = compilation.shown().isa, .optimize = options.compile.optimize, .prefix = "kernel_"};
  std::string text;
  for (std::uint32_t index : kernels_of(compilation, programs)) {
    const kernel::Kernel& kernel = compilation.shown().plan.kernels[index];
    const bool llvm = options.stage == EmitStage::llvm;
    text += fmt::format("{} kernel {}: {}, {}\n", llvm ? ";" : "#", index, kernel.name,
                        name(codegen.isa));
    text += (llvm ? print_llvm(kernel, codegen) : print_assembly(kernel, codegen)) + "\n";
  }
  return text;
}

std::string stage_text(const Compilation& compilation, const Picked& programs,
                       const Options& options, const Sources& sources) {
  std::string text;
  switch (options.stage) {
    case EmitStage::graph:
    case EmitStage::gradient:
      for (const CompiledProgram* program : programs) {
        Graph graph = program->graph;
        graph.name = program->name;
        text += (text.empty() ? "" : "\n") + print(graph, &sources);
      }
      return text;
    case EmitStage::dot:
      for (const CompiledProgram* program : programs) text += dot_text(*program);
      return text;
    case EmitStage::kernels:
      return kernels_text(compilation, programs, sources);
    case EmitStage::memory:
      return memory_text(compilation, programs, options.compile.f64);
    case EmitStage::llvm:
    case EmitStage::assembly:
      return code_text(compilation, programs, options);
    case EmitStage::ast:
    case EmitStage::ptx:
      return text;  // run_emit answers these
  }
  return text;
}

Stage needed(EmitStage stage) {
  switch (stage) {
    case EmitStage::ast:
    case EmitStage::graph:
      return Stage::graph;
    case EmitStage::gradient:
    case EmitStage::dot:
      return Stage::gradient;
    case EmitStage::kernels:
    case EmitStage::memory:
    case EmitStage::llvm:
    case EmitStage::assembly:
    case EmitStage::ptx:
      return Stage::plan;
  }
  return Stage::plan;
}

Outcome of_text(std::string text) {
  Outcome outcome;
  outcome.document = {{"text", text}};
  outcome.text = std::move(text);
  return outcome;
}

}  // namespace

std::string calls_text(const Compilation& compilation, std::size_t program,
                       const Sources& sources) {
  const ProgramPlan& plan = compilation.shown().plan.programs[program];
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const Call& call = plan.calls[i];
    const kernel::Kernel& kernel = compilation.shown().plan.kernels[call.kernel];
    rows.push_back({std::to_string(i), fmt::format("kernel {} {}", call.kernel, kernel.name),
                    fmt::format("{} units", kernel.units),
                    fmt::format("@ {}", fmt::join(call.offsets, " ")),
                    call.guards.empty() ? "" : fmt::format("if {}", fmt::join(call.guards, " ")),
                    call.draw < 0 ? "" : plan.draws[static_cast<std::size_t>(call.draw)].name,
                    call.origin.path, place(sources, call.origin.span)});
  }
  return fmt::format("# program {}\n",
                     plan.name.empty() ? compilation.programs[program].name : plan.name) +
         table(rows, "><<<<<<<", "  ");
}

Outcome run_emit(const Options& options, Session& session) {
  if (options.stage == EmitStage::ptx) {
    return Outcome::stopped(
        {"emit ptx: this version compiles for the CPU alone (asm shows its code)"});
  }
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  if (options.stage == EmitStage::ast) {
    const ast::Ast ast = parse(session.sources, *file, *diagnostics);
    keep(*diagnostics, session);
    if (diagnostics->has_error()) return Outcome::stopped(Stop::wrong_program());
    return of_text(print_ast(ast));
  }
  const auto compilation =
      compile(session.sources, *file, options.compile, needed(options.stage), *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());
  const auto programs = pick_programs(*compilation, options.program);
  if (!programs) return Outcome::stopped(programs.error());
  return of_text(stage_text(*compilation, *programs, options, session.sources));
}

}  // namespace ganc
