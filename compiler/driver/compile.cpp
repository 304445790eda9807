#include "compiler/driver/compile.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <iterator>

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
  return {};
}

Products products_on(Isa isa, Precision precision) {
  switch (precision) {
    case Precision::exact:
      return Products::exact;
    case Precision::fast:
      return isa == Isa::amx ? Products::split_tiles : Products::fewer;
    case Precision::bf16:
      return isa == Isa::amx           ? Products::bf16_tiles
             : isa == Isa::avx512_bf16 ? Products::bf16_vectors
                                       : Products::fewer;
  }
  std::abort();
}

// As runtime/tiles.cpp asks for them.
bool may_use_tiles() {
  return __builtin_cpu_supports("amx-bf16") && ::syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

// What runs on the machine that this runs on.
std::vector<Isa> native_isas() {
  __builtin_cpu_init();
  std::vector<Isa> isas = {Isa::x86_64_v3};
  if (__builtin_cpu_supports("x86-64-v4")) {
    isas.push_back(Isa::x86_64_v4);
    if (__builtin_cpu_supports("avx512bf16")) {
      isas.push_back(Isa::avx512_bf16);
      if (may_use_tiles()) isas.push_back(Isa::amx);
    }
  }
  return isas;
}

std::vector<Isa> isas_of(Cpu cpu) {
  switch (cpu) {
    case Cpu::automatic:
      return {std::begin(every_isa), std::end(every_isa)};
    case Cpu::x86_64_v3:
      return {Isa::x86_64_v3};
    case Cpu::x86_64_v4:
      return {Isa::x86_64_v4};
    case Cpu::avx512_bf16:
      return {Isa::avx512_bf16};
    case Cpu::amx:
      return {Isa::amx};
    case Cpu::native:
      return native_isas();
  }
  std::abort();
}

// An instruction set with the products of each program on it. Beyond x86-64-v4 there are those that
// multiply otherwise, or were asked for alone.
struct Way {
  Isa isa;
  std::vector<Products> products;
};
std::vector<Way> ways_to_multiply(const Compilation& compilation, const CompileOptions& options) {
  std::vector<Way> ways;
  for (Isa isa : isas_of(options.cpu)) {
    std::vector<Products> products;
    for (const CompiledProgram& program : compilation.programs)
      products.push_back(products_on(isa, precision_of(compilation.model, program, options)));
    if (std::ranges::none_of(ways, [&](const Way& way) {
          return rows_of_register_tile(way.isa) == rows_of_register_tile(isa) &&
                 way.products == products;
        }))
      ways.push_back({isa, std::move(products)});
  }
  // On one machine the best is all that runs.
  if (options.cpu == Cpu::native) ways.erase(ways.begin(), ways.end() - 1);
  return ways;
}

ElaborateOptions elaborate_options(const CompileOptions& options) {
  ElaborateOptions result;
  for (const auto& [name, value] : options.set) result.set[name] = value;
  result.batch = options.batch;
  result.real = options.f64 ? DType::f64 : DType::f32;
  return result;
}

}  // namespace

const CpuPlan& Compilation::shown() const {
  const auto found = std::ranges::find(plans, Isa::x86_64_v4, &CpuPlan::isa);
  return found == plans.end() ? plans.front() : *found;
}

const Plan& plan_here(const Compilation& compilation) {
  const std::vector<Isa> here = native_isas();
  const auto runs = [&](const CpuPlan& cpus) { return std::ranges::count(here, cpus.isa) > 0; };
  const auto best =
      std::ranges::find_if(compilation.plans.rbegin(), compilation.plans.rend(), runs);
  return best == compilation.plans.rend() ? compilation.shown().plan : best->plan;
}

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

  for (CompiledProgram& program : result.programs) program.graph = merge_resampling(program.graph);
  stages.done("merge resampling", result.programs);

  for (CompiledProgram& program : result.programs) program.graph = differentiate(program.graph);
  stages.done("differentiate", result.programs);
  // From here on no `grad` is left.

  for (CompiledProgram& program : result.programs) program.graph = rewrite(program.graph);
  stages.done("rewrite", result.programs);
  if (last == Stage::gradient) return result;

  std::vector<const Graph*> graphs;
  for (const CompiledProgram& program : result.programs) graphs.push_back(&program.graph);
  std::vector<std::pair<Isa, std::future<Plan>>> plans;
  for (const Way& way : ways_to_multiply(result, options))
    plans.emplace_back(way.isa, std::async([&, way] {
                         return schedule(result.model.variables, graphs,
                                         {.fuse = options.optimize,
                                          .products = way.products,
                                          .register_rows = rows_of_register_tile(way.isa)});
                       }));
  for (auto& [isa, plan] : plans) result.plans.push_back({isa, plan.get()});
  for (const CpuPlan& cpus : result.plans) stages.done("schedule", cpus.plan);
  // From here on every buffer has a layout and an offset; nothing allocates. make_trainer goes on
  // from here.
  return result;
}

}  // namespace ganc
