#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "compiler/codegen/codegen.h"
#include "compiler/driver/options.h"
#include "compiler/driver/outcome.h"
#include "compiler/elaborate/model.h"
#include "compiler/schedule/plan.h"

namespace ganc {

enum class Stage { graph, gradient, plan };

enum class ProgramKind { init, train, output, forward, gradient };

// One program of the trainer: a graph with a name, and what of the model it comes from.
struct CompiledProgram {
  ProgramKind kind;
  std::size_t index;  // into Model::trains, outputs, forwards, gradients
  std::string
      name;  // "init", "train", "train/grow[8]", "output/samples", "forward/G", "gradient/D"
  Graph graph;
};

// What CPUs of an instruction set run, and those of more demanding ones without a plan of their
// own. With --cpu auto there is one for each way to multiply that a program may use.
struct CpuPlan {
  Isa isa;
  Plan plan;
};

struct Compilation {
  Model model;
  std::vector<CompiledProgram> programs;  // in the order of Plan::programs
  std::vector<CpuPlan> plans;             // from Stage::plan on; the least demanding first
  const CpuPlan& shown() const;           // by `ganc emit`: x86-64-v4, else the least demanding
};

// The plan that a trainer follows on the machine on which this runs; what `shown` has where it runs
// none.
const Plan& plan_here(const Compilation& compilation);

// The draws of a program; empty for `init`, whose draws nobody feeds.
const std::vector<Draw>& draws_of(const Model& model, const CompiledProgram& program);

// What a program's products are computed with: the option's, else its train block's, else fast.
// With f64 all are exact.
Precision precision_of(const Model& model, const CompiledProgram& program,
                       const CompileOptions& options);

// The pipeline from text to the plan of kernels and memory, up to `last`. What is wrong with the
// program is in `diagnostics`; what this version cannot do is a Stop.
std::expected<Compilation, Stop> compile(Sources& sources, std::uint32_t file,
                                         const CompileOptions& options, Stage last,
                                         Diagnostics& diagnostics);

// The programs that `name` picks: the one of that name, else those of which it is the last part
// ("D": gradient/D, forward/D). Empty: all.
std::expected<std::vector<const CompiledProgram*>, Stop> pick_programs(
    const Compilation& compilation, const std::string& name);

}  // namespace ganc
