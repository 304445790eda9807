#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/driver/compile.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/input.h"
#include "compiler/driver/table.h"
#include "compiler/driver/verbs.h"
#include "compiler/schedule/cost.h"

namespace ganc {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t shown_lines = 10;

const CpuClass& class_of(Cpu cpu) {
  const auto classes = cpu_classes();
  const auto called = [&](std::string_view name) -> const CpuClass& {
    return *std::ranges::find(classes, name, &CpuClass::name);
  };
  switch (cpu) {
    case Cpu::x86_64_v3:
      return called("C");
    case Cpu::x86_64_v4:
    case Cpu::avx512_bf16:
      return called("A");
    case Cpu::amx:
      return called("B");
    case Cpu::automatic:
    case Cpu::native:
      __builtin_cpu_init();
      return called(!__builtin_cpu_supports("avx512f")   ? "C"
                    : __builtin_cpu_supports("amx-bf16") ? "B"
                                                         : "A");
  }
  __builtin_unreachable();
}

// Calls with their predictions, in order.
struct Costed {
  const Call* call;
  std::string kernel, line;
  Prediction prediction;
};
std::vector<Costed> costs(const ProgramPlan& program, const Plan& plan, const CpuClass& cpu,
                          unsigned threads, const Sources& sources) {
  std::vector<Costed> list;
  for (const Call& call : program.calls) {
    const kernel::Kernel& kernel = plan.kernels[call.kernel];
    list.push_back({&call, kernel.name, place(sources, call.origin.span),
                    predict(call, kernel.units, cpu, threads)});
  }
  return list;
}

struct Sum {
  double seconds = 0, flop = 0, bytes = 0;
  std::size_t calls = 0;
  std::map<Bound, double> bounds;  // seconds by bound

  void add(const Costed& c) {
    seconds += c.prediction.seconds;
    flop += c.call->flop;
    bytes += c.call->traffic.all();
    ++calls;
    bounds[c.prediction.bound] += c.prediction.seconds;
  }
  Bound bound() const {
    return std::ranges::max_element(bounds, {}, [](const auto& b) { return b.second; })->first;
  }
};

std::string milliseconds(double seconds) {
  return fmt::format("{:.4f}", seconds * 1e3);
}
std::string share(double part, double whole) {
  return fmt::format("{:.1f} %", whole > 0 ? part / whole * 100 : 0);
}
std::vector<std::string> cells(const Sum& sum, double whole) {
  return {milliseconds(sum.seconds), share(sum.seconds, whole), human_flop(sum.flop),
          human_bytes(sum.bytes), std::string(name(sum.bound()))};
}

// The source lines that take most, then every call.
std::string cost_text(const std::vector<Costed>& list) {
  if (list.empty()) return "";
  Sum all;
  std::map<std::string, Sum> lines;
  for (const Costed& c : list) {
    all.add(c);
    lines[c.line].add(c);
  }
  std::vector<std::pair<std::string, Sum>> sorted(lines.begin(), lines.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(),
                           [](const auto& line) { return line.second.seconds; });
  Rows rows = {{"ms", "share", "FLOP", "bytes", "bound", "calls", "line"}};
  Sum rest;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i >= shown_lines) {
      rest.seconds += sorted[i].second.seconds;
      rest.calls += sorted[i].second.calls;
      continue;
    }
    rows.push_back(cells(sorted[i].second, all.seconds));
    rows.back().push_back(std::to_string(sorted[i].second.calls));
    rows.back().push_back(sorted[i].first.empty() ? "(no line)" : sorted[i].first);
  }
  if (rest.calls > 0)
    rows.push_back({milliseconds(rest.seconds), share(rest.seconds, all.seconds), "", "", "",
                    std::to_string(rest.calls),
                    fmt::format("{} more lines", sorted.size() - shown_lines)});
  rows.push_back(cells(all, all.seconds));
  rows.back()[4] = "";
  rows.back().push_back(std::to_string(all.calls));
  rows.back().push_back("the iteration");
  std::string text = table(rows, ">>>><><", "  ");

  rows = {{"ms", "share", "FLOP", "bytes", "bound", "call", "kernel", "line"}};
  for (std::size_t i = 0; i < list.size(); ++i) {
    Sum one;
    one.add(list[i]);
    rows.push_back(cells(one, all.seconds));
    rows.back().push_back(std::to_string(i));
    rows.back().push_back(list[i].kernel);
    rows.back().push_back(list[i].line);
  }
  return text + "\n" + table(rows, ">>>><><<", "  ");
}

Json cost_json(const std::vector<Costed>& list) {
  Json calls = Json::array();
  Sum all;
  for (const Costed& c : list) {
    const Traffic& t = c.call->traffic;
    all.add(c);
    calls.push_back({{"ms", c.prediction.seconds * 1e3},
                     {"flop", c.call->flop},
                     {"bytes", t.all()},
                     {"bound", name(c.prediction.bound)},
                     {"kernel", c.kernel},
                     {"path", c.call->origin.path},
                     {"line", c.line},
                     {"traffic", {t.near, t.middle, t.far}}});
  }
  return {{"ms", all.seconds * 1e3},
          {"flop", all.flop},
          {"bytes", all.bytes},
          {"calls", std::move(calls)}};
}

}  // namespace

Outcome run_explain_cost(const Options& options, Session& session) {
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  // Without a wish, for the machine on which this runs.
  CompileOptions compile_options = options.compile;
  if (compile_options.cpu == Cpu::automatic) compile_options.cpu = Cpu::native;
  const auto compilation =
      compile(session.sources, *file, compile_options, Stage::plan, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());
  const auto programs = pick_programs(*compilation, options.program);
  if (!programs) return Outcome::stopped(programs.error());

  const CpuClass& cpu = class_of(options.compile.cpu);
  const Plan& all = plan_here(*compilation);
  Outcome outcome;
  Json document = Json::object();
  for (const CompiledProgram* program : *programs) {
    // What a user waits for is training; the other programs are shown where they are asked for.
    if (options.program.empty() && program->kind != ProgramKind::train) continue;
    const ProgramPlan& plan =
        all.programs[static_cast<std::size_t>(program - compilation->programs.data())];
    const auto list = costs(plan, all, cpu, options.threads, session.sources);
    outcome.text +=
        fmt::format("{}{}: {} calls; the least time on {} thread{} of CPU class {} ({})\n",
                    outcome.text.empty() ? "" : "\n", program->name, plan.calls.size(),
                    options.threads, options.threads == 1 ? "" : "s", cpu.name, cpu.features);
    outcome.text += cost_text(list);
    document[program->name] = cost_json(list);
  }
  outcome.document = {
      {"cpu_class", cpu.name}, {"threads", options.threads}, {"programs", std::move(document)}};
  return outcome;
}

}  // namespace ganc
