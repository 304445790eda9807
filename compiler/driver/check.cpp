#include <algorithm>

#include <fmt/format.h>

#include "compiler/driver/compile.h"
#include "compiler/driver/describe.h"
#include "compiler/driver/input.h"
#include "compiler/driver/peak.h"
#include "compiler/driver/table.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

// Per net: call, output shape, parameters, FLOP of one sample; then the net's sums.
std::string layers_text(const Model& model) {
  std::string text;
  for (const Net& net : model.nets) {
    Rows rows = {{net.name, "", "output", "parameters", "FLOP"}};
    double flop = 0;
    for (const LayerRow& layer : net.layers) {
      rows.push_back({"  " + layer.call, layer.text, layer.output, with_commas(layer.parameters),
                      human_flop(layer.flop)});
      flop += layer.flop;
    }
    rows.push_back({"  total", "", "", with_commas(net.parameters), human_flop(flop)});
    text += "\n" + table(rows, "<<<>>", "  ");
  }
  return text;
}

Json layers_json(const Model& model) {
  Json nets = Json::array();
  for (const Net& net : model.nets) {
    Json layers = Json::array();
    for (const LayerRow& layer : net.layers) {
      layers.push_back({{"name", layer.call},
                        {"call", layer.text},
                        {"output", layer.output},
                        {"parameters", layer.parameters},
                        {"flop", layer.flop}});
    }
    nets.push_back(
        {{"name", net.name}, {"parameters", net.parameters}, {"layers", std::move(layers)}});
  }
  return nets;
}

// Which noise is fresh for whom, which is held and why: of each train block and each output.
struct DrawTable {
  std::string of;
  const std::vector<Draw>* draws;
};
std::vector<DrawTable> draw_tables(const Compilation& compilation) {
  std::vector<DrawTable> tables;
  for (const CompiledProgram& program : compilation.programs) {
    const bool shown = program.kind == ProgramKind::train || program.kind == ProgramKind::output;
    const std::vector<Draw>& draws = draws_of(compilation.model, program);
    if (shown && !draws.empty()) tables.push_back({program.name, &draws});
  }
  return tables;
}

std::string draws_text(const Compilation& compilation, const Sources& sources) {
  std::string text;
  for (const DrawTable& shown : draw_tables(compilation)) {
    Rows rows;
    for (const Draw& draw : *shown.draws) {
      const std::string why =
          draw.held ? "held" + (draw.held_why.empty() ? "" : ": " + draw.held_why) : "fresh";
      const std::string readers =
          draw.readers.empty() ? "" : fmt::format("for {}", fmt::join(draw.readers, ", "));
      rows.push_back({"  " + draw.name, to_string(draw.type), draw.distribution, why, readers,
                      place(sources, draw.span)});
    }
    text += fmt::format("\n  draws of {}\n", shown.of) + table(rows, "<<<<<<", "  ");
  }
  return text;
}

Json draws_json(const Compilation& compilation, const Sources& sources) {
  Json tables = Json::object();
  for (const DrawTable& shown : draw_tables(compilation)) {
    Json list = Json::array();
    for (const Draw& draw : *shown.draws) {
      list.push_back({{"name", draw.name},
                      {"type", to_string(draw.type)},
                      {"distribution", draw.distribution},
                      {"held", draw.held},
                      {"why", draw.held_why},
                      {"readers", draw.readers},
                      {"line", place(sources, draw.span)}});
    }
    tables[shown.of] = std::move(list);
  }
  return tables;
}

std::int64_t parameters(const Model& model) {
  std::int64_t sum = 0;
  for (const Net& net : model.nets) sum += net.parameters;
  return sum;
}

std::size_t updates(const Model& model) {
  std::size_t sum = 0;
  for (const Train& train : model.trains) sum += train.updates.size();
  return sum;
}

std::string report_text(const std::string& path, const Compilation& compilation,
                        const Sources& sources, bool f64) {
  const Model& model = compilation.model;
  const auto words = [](std::size_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  std::string text =
      fmt::format("{}: {}, {} parameters, {} an iteration\n", path, words(model.nets.size(), "net"),
                  with_commas(parameters(model)), words(updates(model), "update"));
  text += layers_text(model);
  text += draws_text(compilation, sources);
  if (!compilation.plans.empty()) {
    const Plan& plan = plan_here(compilation);
    const Peak peak = peak_of(compilation, plan, f64);
    const auto bytes = [](std::int64_t n) { return human_bytes(static_cast<double>(n)); };
    text += fmt::format(
        "\n  peak memory {} on {} threads: {} weights, optimizer and states, {} for what is "
        "computed "
        "of them, {} code, batches and pictures; the data set aside\n",
        bytes(peak.bytes(shown_threads)), shown_threads, bytes(plan.persistent_bytes),
        bytes(peak.arena - plan.persistent_bytes + peak.thread * shown_threads),
        bytes(peak.beside));
  }
  for (const std::string& missing : model.missing)
    text += "\n  not in this version: " + missing + "\n";
  return text;
}

Json report_json(const std::string& path, const Compilation& compilation, const Sources& sources,
                 bool f64) {
  const Model& model = compilation.model;
  Json document = {{"file", path},
                   {"model", model.name},
                   {"parameters", parameters(model)},
                   {"updates", updates(model)},
                   {"nets", layers_json(model)},
                   {"draws", draws_json(compilation, sources)}};
  if (!compilation.plans.empty()) {
    const Plan& plan = plan_here(compilation);
    document["arena_bytes"] = plan.arena_bytes;
    document["persistent_bytes"] = plan.persistent_bytes;
    document["peak_bytes"] = peak_of(compilation, plan, f64).bytes(shown_threads);
  }
  document["missing"] = model.missing;
  return document;
}

// False: the file is wrong. What is wrong is in the session or in `outcome.error`.
bool check_file(const std::string& path, const Options& options, Session& session, Outcome& outcome,
                Json& files) {
  auto diagnostics = new_diagnostics(options.compile);
  const auto stop = [&](const Stop& why) {
    outcome.exit_code = std::max(outcome.exit_code, why.exit_code);
    if (!why.message.empty()) outcome.error += (outcome.error.empty() ? "" : "\n") + why.message;
    return false;
  };
  if (!diagnostics) return stop(diagnostics.error());
  const auto file = read_program(path, session.sources);
  if (!file) return stop(file.error());
  auto compilation = compile(session.sources, *file, options.compile, Stage::plan, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return stop(compilation.error());
  outcome.text += (outcome.text.empty() ? "" : "\n") +
                  report_text(path, *compilation, session.sources, options.compile.f64);
  files.push_back(report_json(path, *compilation, session.sources, options.compile.f64));
  return true;
}

}  // namespace

Outcome run_check(const Options& options, Session& session) {
  Outcome outcome;
  Json files = Json::array();
  for (const std::string& path : options.files) {
    if (!check_file(path, options, session, outcome, files))
      files.push_back({{"file", path}, {"wrong", true}});
    if (outcome.exit_code == 2) break;  // the options are wrong, whatever the file
  }
  outcome.document = {{"files", std::move(files)}};
  return outcome;
}

}  // namespace ganc
