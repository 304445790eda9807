#include <fmt/format.h>

#include "compiler/driver/compile.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/input.h"
#include "compiler/driver/table.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

using Json = nlohmann::ordered_json;

// Per call of one program: the source line, the work and the traffic; FLOP a byte says which of the
// two bounds it.
std::string cost_text(const ProgramPlan& program, const Plan& plan, const Sources& sources) {
  std::vector<std::vector<std::string>> rows = {
      {"", "kernel", "FLOP", "bytes", "FLOP/byte", "call", "line"}};
  double flop = 0;
  double bytes = 0;
  const auto ratio = [](double f, double b) { return b > 0 ? fmt::format("{:.2f}", f / b) : "-"; };
  for (std::size_t i = 0; i < program.calls.size(); ++i) {
    const Call& call = program.calls[i];
    flop += call.flop;
    bytes += call.bytes;
    rows.push_back({std::to_string(i), plan.kernels[call.kernel].name, human_flop(call.flop),
                    human_bytes(call.bytes), ratio(call.flop, call.bytes), call.origin.path,
                    place(sources, call.origin.span)});
  }
  rows.push_back({"", "total", human_flop(flop), human_bytes(bytes), ratio(flop, bytes), "", ""});
  return table(rows, "><>>><<", "  ");
}

Json cost_json(const ProgramPlan& program, const Plan& plan, const Sources& sources) {
  Json calls = Json::array();
  for (const Call& call : program.calls) {
    calls.push_back({{"kernel", plan.kernels[call.kernel].name},
                     {"flop", call.flop},
                     {"bytes", call.bytes},
                     {"path", call.origin.path},
                     {"line", place(sources, call.origin.span)}});
  }
  return calls;
}

}  // namespace

Outcome run_explain_cost(const Options& options, Session& session) {
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  const auto compilation =
      compile(session.sources, *file, options.compile, Stage::plan, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());
  const auto programs = pick_programs(*compilation, options.program);
  if (!programs) return Outcome::stopped(programs.error());

  Outcome outcome;
  Json document = Json::object();
  for (const CompiledProgram* program : *programs) {
    // What a user waits for is training; the other programs are shown where they are asked for.
    if (options.program.empty() && program->kind != ProgramKind::train) continue;
    const ProgramPlan& plan =
        compilation->plan
            .programs[static_cast<std::size_t>(program - compilation->programs.data())];
    outcome.text += fmt::format("{}{}: {} calls\n", outcome.text.empty() ? "" : "\n", program->name,
                                plan.calls.size());
    outcome.text += cost_text(plan, compilation->plan, session.sources);
    document[program->name] = cost_json(plan, compilation->plan, session.sources);
  }
  outcome.document = {{"programs", std::move(document)}};
  return outcome;
}

}  // namespace ganc
