#include <algorithm>

#include <fmt/format.h>

#include "compiler/driver/compile.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/input.h"
#include "compiler/driver/mathematics.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

// The place of the objective that the update has.
Span objective_of(const Model& model, const std::string& update) {
  for (const Train& train : model.trains) {
    for (const UpdateInfo& info : train.updates) {
      if (info.name == update || train.name + "." + info.name == update) return info.span;
    }
  }
  return {};
}

Stop no_such_weight(const Model& model, const std::string& weight) {
  std::vector<std::string> names;
  for (const Variable& variable : model.variables) {
    if (variable.kind == VariableKind::weight) names.push_back(variable.name);
  }
  const bool known = std::ranges::count(names, weight) > 0;
  if (known) return {fmt::format("no update trains `{}`", weight)};
  const std::string near = nearest(weight, names);
  const std::string remedy = near.empty() ? "`ganc check` shows the calls that make them"
                                          : fmt::format("did you mean `{}`?", near);
  return {fmt::format("there is no weight `{}`; {}", weight, remedy)};
}

}  // namespace

Outcome run_explain_grad(const Options& options, Session& session) {
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  const auto compilation =
      compile(session.sources, *file, options.compile, Stage::gradient, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());

  Outcome outcome;
  auto derivatives = nlohmann::ordered_json::array();
  for (const CompiledProgram& program : compilation->programs) {
    if (program.kind != ProgramKind::gradient) continue;
    const std::string& update = compilation->model.gradients[program.index].name;
    for (const Output& output : program.graph.outputs) {
      if (output.name != "grad/" + update + "/" + options.weight) continue;
      const std::string text =
          mathematics(program.graph, output.node, output.name, session.sources);
      const std::string line = place(session.sources, objective_of(compilation->model, update));
      outcome.text += fmt::format("{}The derivative of loss/{} (as it is minimized) by {}{}\n\n{}",
                                  outcome.text.empty() ? "" : "\n", update, options.weight,
                                  line.empty() ? "" : ", objective at " + line, text);
      derivatives.push_back(
          {{"update", update}, {"weight", options.weight}, {"line", line}, {"text", text}});
    }
  }
  if (derivatives.empty())
    return Outcome::stopped(no_such_weight(compilation->model, options.weight));
  outcome.document = {{"derivatives", std::move(derivatives)}};
  return outcome;
}

}  // namespace ganc
