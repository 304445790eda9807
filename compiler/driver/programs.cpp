#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compiler/driver/compile.h"
#include "compiler/driver/stages.h"

namespace ganc {

namespace {

bool is_zero(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.op == Op::broadcast_in_dim || node.op == Op::reshape)
    return is_zero(graph, node.operands[0]);
  return node.op == Op::constant && std::ranges::all_of(node.attributes.values, [](double x) {
           return x == 0 && !std::signbit(x);
         });
}

// Memory is zero where nothing was written: the variables that begin as zeros (an optimizer's
// slots, say) need no call, and their pages are not touched before the first step.
Graph without_zeros(Graph init) {
  std::erase_if(init.outputs, [&](const Output& output) { return is_zero(init, output.node); });
  return init;
}

}  // namespace

std::vector<CompiledProgram> programs_of(const Model& model) {
  std::vector<CompiledProgram> programs;
  programs.push_back({ProgramKind::init, 0, "init", without_zeros(model.init)});
  for (std::size_t i = 0; i < model.trains.size(); ++i) {
    const Train& train = model.trains[i];
    programs.push_back({ProgramKind::train, i, train.name.empty() ? "train" : "train/" + train.name,
                        train.iteration});
  }
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const Program& output = model.outputs[i].program;
    programs.push_back({ProgramKind::output, i, "output/" + output.name, output.graph});
  }
  for (std::size_t i = 0; i < model.forwards.size(); ++i) {
    programs.push_back(
        {ProgramKind::forward, i, "forward/" + model.forwards[i].name, model.forwards[i].graph});
  }
  for (std::size_t i = 0; i < model.gradients.size(); ++i) {
    programs.push_back({ProgramKind::gradient, i, "gradient/" + model.gradients[i].name,
                        model.gradients[i].graph});
  }
  return programs;
}

const std::vector<Draw>& draws_of(const Model& model, const CompiledProgram& program) {
  static const std::vector<Draw> none;
  switch (program.kind) {
    case ProgramKind::init:
      return none;
    case ProgramKind::train:
      return model.trains[program.index].draws;
    case ProgramKind::output:
      return model.outputs[program.index].program.draws;
    case ProgramKind::forward:
      return model.forwards[program.index].draws;
    case ProgramKind::gradient:
      return model.gradients[program.index].draws;
  }
  return none;
}

Precision precision_of(const Model& model, const CompiledProgram& program,
                       const CompileOptions& options) {
  if (options.f64) return Precision::exact;
  if (options.precision) return *options.precision;
  if (program.kind != ProgramKind::train) return Precision::fast;
  const std::string& written = model.trains[program.index].precision;
  if (written == "exact") return Precision::exact;
  return written == "bf16" ? Precision::bf16 : Precision::fast;
}

std::string_view name(Precision precision) {
  switch (precision) {
    case Precision::exact:
      return "exact";
    case Precision::fast:
      return "fast";
    case Precision::bf16:
      return "bf16";
  }
  std::abort();
}

std::expected<std::vector<const CompiledProgram*>, Stop> pick_programs(
    const Compilation& compilation, const std::string& name) {
  std::vector<const CompiledProgram*> picked;
  std::vector<std::string> names;
  for (const CompiledProgram& program : compilation.programs) {
    if (program.name == name) return std::vector{&program};
    if (name.empty() || program.name.ends_with("/" + name)) picked.push_back(&program);
    names.push_back(program.name);
  }
  if (!picked.empty()) return picked;
  return std::unexpected(Stop{fmt::format("--program: there is no program `{}`; there are {}", name,
                                          fmt::join(names, ", ")),
                              2});
}

}  // namespace ganc
