#include <fmt/format.h>

#include <algorithm>

#include "runtime/cpu.h"
#include "runtime/feed.h"
#include "runtime/safetensors.h"
#include "runtime/session.h"
#include "runtime/verbs/profile.h"
#include "runtime/verbs/verbs.h"
#include "runtime/weights.h"

namespace ganc::runtime {
namespace {

// Rows of cells as columns of equal width; the cells of numbers stand to the right.
std::string table(const std::vector<std::vector<std::string>>& rows,
                  std::initializer_list<bool> right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i >= widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += right.begin()[i] ? fmt::format("{:>{}}  ", row[i], widths[i])
                               : fmt::format("{:<{}}  ", row[i], widths[i]);
    while (line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

double mib(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

// Slots by the update or instance that they belong to: "slot/D/D.dense.w/m" belongs to D.
std::vector<std::pair<std::string, std::int64_t>> optimizers(const Description& d) {
  std::vector<std::pair<std::string, std::int64_t>> list;
  for (const Variable& v : d.variables) {
    if (v.kind != VariableKind::slot) continue;
    const std::string owner = v.binding.name.substr(5, v.binding.name.find('/', 5) - 5);
    if (list.empty() || list.back().first != owner) list.emplace_back(owner, 0);
    list.back().second += elements(v.binding.shape);
  }
  return list;
}

double flop_of(const Program& program) {
  double flop = 0;
  for (const Call& call : program.calls) flop += call.flop;
  return flop;
}

std::string schedule_text(const Train& train) {
  return fmt::format("{}{} {}, batch {}", train.name.empty() ? "" : train.name + ": ", train.count,
                     train.epochs ? "epochs" : "steps", train.batch);
}

struct FeedKey {
  std::string key, type, what, line;
};

// The keys that `step` reads in each block, in the order of the program.
std::vector<std::pair<const Train*, std::vector<FeedKey>>> feed_keys(const Description& d) {
  std::vector<std::pair<const Train*, std::vector<FeedKey>>> blocks;
  for (const Train& train : d.trains) {
    const Program& program = d.programs[static_cast<std::size_t>(train.program)];
    std::vector<FeedKey> keys;
    for (const Binding& input : program.inputs) {
      if (!input.name.starts_with("data/")) continue;
      const std::int64_t source = d.source_of(input.name.substr(input.name.rfind('/') + 1));
      keys.push_back({input.name, print_type(input), "data",
                      source < 0 ? "" : d.sources[static_cast<std::size_t>(source)].place});
    }
    for (const Draw& draw : program.draws)
      keys.push_back({draw.binding.name, print_type(draw.binding), draw.distribution, draw.line});
    blocks.emplace_back(&train, std::move(keys));
  }
  return blocks;
}

int list_feed(const Description& d, Console& console) {
  const auto blocks = feed_keys(d);
  Json json{Json::Array()};
  std::string text;
  for (const auto& [train, keys] : blocks) {
    if (blocks.size() > 1) text += fmt::format("train {}\n", train->name);
    std::vector<std::vector<std::string>> rows;
    for (const FeedKey& key : keys) {
      rows.push_back({key.key, key.type, key.what, key.line});
      Json row;
      row.set("train", train->name);
      row.set("key", key.key);
      row.set("type", key.type);
      row.set("distribution", key.what);
      row.set("line", key.line);
      json.push(std::move(row));
    }
    text += table(rows, {false, false, false, false});
  }
  if (console.json())
    console.out_json(json);
  else
    console.out(text);
  return 0;
}

Json json_of(const Description& d) {
  Json json, variables{Json::Array()}, programs{Json::Array()}, trains{Json::Array()},
      slots{Json::Array()}, arena, sources{Json::Array()}, outputs{Json::Array()};
  json.set("model", d.model);
  json.set("source", d.source);
  json.set("ganc", d.compiler);
  json.set("dtype", name(d.dtype));
  json.set("precision", d.precision);
  json.set("parameters", d.parameters());
  for (const Variable& v : d.variables) {
    Json row;
    row.set("name", v.binding.name);
    row.set("kind", name(v.kind));
    row.set("dtype", name(v.binding.dtype));
    row.set("shape", Json::array(v.binding.shape));
    row.set("net", v.net);
    row.set("trained", v.trained);
    variables.push(std::move(row));
  }
  json.set("variables", std::move(variables));
  for (const auto& [owner, count] : optimizers(d)) {
    Json row;
    row.set("update", owner);
    row.set("numbers", count);
    slots.push(std::move(row));
  }
  json.set("optimizers", std::move(slots));
  for (const Train& train : d.trains) {
    Json row;
    row.set("name", train.name);
    row.set("count", train.count);
    row.set("unit", train.epochs ? "epochs" : "steps");
    row.set("batch", train.batch);
    Json::Array updates;
    for (const UpdateInfo& update : train.updates) updates.push_back(update.name);
    row.set("updates", std::move(updates));
    trains.push(std::move(row));
  }
  json.set("trains", std::move(trains));
  for (const Program& program : d.programs) {
    Json row;
    row.set("name", program.name);
    row.set("calls", program.calls.size());
    row.set("flop", flop_of(program));
    programs.push(std::move(row));
  }
  json.set("programs", std::move(programs));
  for (const SourceSpec& source : d.sources) sources.push(Json(source.function));
  for (const Output& output : d.outputs) outputs.push(Json(output.name));
  json.set("sources", std::move(sources));
  json.set("outputs", std::move(outputs));
  arena.set("bytes", d.arena_bytes);
  arena.set("persistent_bytes", d.persistent_bytes);
  arena.set("peak_bytes", d.peak_bytes);
  arena.set("scratch_bytes", d.scratch_bytes);
  json.set("arena", std::move(arena));
  json.set("source_hash", d.source_hash);
  json.set("model_hash", d.model_hash);
  return json;
}

std::string text_of(const Description& d, const GancProgram& program) {
  std::string text = fmt::format("{} (from {}, made by ganc {})\n", d.model, d.source, d.compiler);
  text += fmt::format("{}, {}; {} parameters\n", name(d.dtype), d.precision, d.parameters());
  text += "instruction sets:";
  for (std::uint32_t i = 0; i < program.variant_count; ++i)
    text +=
        fmt::format(" {}{}", program.variants[i].isa,
                    missing_features(program.variants[i].isa).empty() ? "" : " (not on this CPU)");
  text += "\n\nVariables\n";
  std::vector<std::vector<std::string>> rows;
  for (const Variable& v : d.variables)
    if (v.kind != VariableKind::slot)
      rows.push_back({v.binding.name, print_type(v.binding),
                      fmt::format("{}", elements(v.binding.shape)),
                      v.kind == VariableKind::state ? "state"
                      : v.trained                   ? ""
                                                    : "not trained"});
  text += table(rows, {false, false, true, false});
  rows.clear();
  for (const auto& [owner, count] : optimizers(d))
    rows.push_back({owner, fmt::format("{} numbers", count)});
  if (!rows.empty()) text += "\nOptimizers\n" + table(rows, {false, true});
  text += "\nSchedule\n";
  for (const Train& train : d.trains) {
    text += fmt::format("  {}\n", schedule_text(train));
    for (const UpdateInfo& update : train.updates)
      text += fmt::format("    {} {} ({})\n", update.name,
                          update.maximize ? "maximizes" : "minimizes", update.line);
  }
  rows.clear();
  for (const Program& p : d.programs)
    rows.push_back({p.name, fmt::format("{} calls", p.calls.size()),
                    fmt::format("{:.4g} MFLOP", flop_of(p) * 1e-6)});
  text += "\nPrograms\n" + table(rows, {false, true, true});
  text += fmt::format(
      "\nMemory\n  {:.2f} MiB: {:.2f} MiB of variables, {:.2f} MiB of work space; {:.2f} MiB more "
      "a thread\n",
      mib(d.arena_bytes), mib(d.persistent_bytes), mib(d.arena_bytes - d.persistent_bytes),
      mib(d.scratch_bytes));
  text += fmt::format("\nChecksums\n  source {}\n  model  {}\n", d.source_hash, d.model_hash);
  for (const std::string& sentence : d.missing)
    text += fmt::format("\nnot in this trainer: {}\n", sentence);
  return text;
}

// What a checkpoint holds, after its checksum has been compared.
Result<void> add_checkpoint(const Description& d, const std::filesystem::path& path, Json& json,
                            std::string& text) {
  auto file = TensorFile::open(path);
  if (!file) return std::unexpected(file.error());
  auto head = read_head(*file);
  if (!head) return std::unexpected(head.error());
  Json row;
  row.set("path", path.native());
  row.set("tensors", file->tensors().size());
  text += fmt::format("\nCheckpoint {}\n  {} tensors\n", path.native(), file->tensors().size());
  if (!*head) {
    text += "  plain weights: no counters, no checksum\n";
  } else {
    const Counters& c = (*head)->counters;
    row.set("model", (*head)->model);
    row.set("model_hash", (*head)->model_hash);
    row.set("step", c.step);
    row.set("seed", c.seed);
    row.set("isa", c.isa);
    row.set("checksum", (*head)->checksum);
    text += fmt::format("  step {}, seed {}, {}\n  checksum {} is right\n", c.step, c.seed, c.isa,
                        (*head)->checksum);
    if ((*head)->model_hash != d.model_hash)
      text += fmt::format("  of another program: {} ({})\n", (*head)->model, (*head)->model_hash);
  }
  json.set("checkpoint", std::move(row));
  return {};
}

}  // namespace

Result<int> info(VerbContext context) {
  Console& console = context.console;
  if (context.options.list_feed) return list_feed(context.description, console);
  if (context.options.profile) return profile(std::move(context));
  const Description& d = context.description;
  Json json = json_of(d);
  std::string text = text_of(d, context.program);
  if (!context.options.checkpoint.empty()) {
    auto path = need_checkpoint(context.options.checkpoint, console);
    if (!path) return std::unexpected(path.error());
    if (auto r = add_checkpoint(d, *path, json, text); !r) return std::unexpected(r.error());
  }
  if (console.json())
    console.out_json(json);
  else
    console.out(text);
  return 0;
}

}  // namespace ganc::runtime
