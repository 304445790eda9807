#include "runtime/run_options.h"

#include <fmt/format.h>

#include "runtime/files.h"

namespace ganc::runtime {
namespace {

Json number(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json();
}
Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json pairs(const Pairs& list) {
  Json::Array array;
  for (const auto& [name, path] : list) array.push_back(Json(Json::Array{Json(name), Json(path)}));
  return array;
}

// One option of a resumed run: as recorded, or as given where that is the same.
class Recorded {
 public:
  Recorded(const Json& json, const std::filesystem::path& path) : json_(json), path_(path) {}

  const std::optional<Failure>& failure() const { return failure_; }

  std::optional<std::int64_t> integer(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->natural()) damaged(key);
    return value->natural().has_value()
               ? std::optional(static_cast<std::int64_t>(*value->natural()))
               : std::nullopt;
  }
  std::optional<double> real(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->number()) damaged(key);
    return value->number();
  }
  std::string text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || value->string() == nullptr) return damaged(key), "";
    return *value->string();
  }
  Pairs list(const char* key) {
    Pairs pairs;
    const Json* value = find(key);
    if (value == nullptr || value->elements() == nullptr) return damaged(key), pairs;
    for (const Json& pair : *value->elements()) {
      const auto* both = pair.elements();
      if (both == nullptr || both->size() != 2 || !(*both)[0].string() || !(*both)[1].string())
        return damaged(key), pairs;
      pairs.emplace_back(*(*both)[0].string(), *(*both)[1].string());
    }
    return pairs;
  }

  void contradiction(const char* key, const std::string& given, const std::string& recorded) {
    if (failure_) return;
    failure_ = Failure{fmt::format(
        "`--{} {}` contradicts the run, which has {}; leave it out to go on with the run, or begin "
        "a new one",
        key, given, recorded.empty() ? "none" : recorded)};
  }

 private:
  const Json* find(const char* key) {
    const Json* value = json_.find(key);
    if (value == nullptr) damaged(key);
    return value;
  }
  void damaged(const char* key) {
    if (!failure_)
      failure_ = Failure{fmt::format("cannot read {}: its `{}` is missing or wrong; it is damaged",
                                     path_.native(), key)};
  }
  const Json& json_;
  const std::filesystem::path& path_;
  std::optional<Failure> failure_;
};

void keep(Recorded& run, const char* key, std::optional<std::int64_t>& option) {
  const auto recorded = run.integer(key);
  if (option && option != recorded)
    run.contradiction(key, fmt::format("{}", *option),
                      recorded ? fmt::format("{}", *recorded) : "");
  option = recorded;
}

std::string print(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, path] : pairs)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", name, name.empty() ? "" : "=", path);
  return text;
}

void keep(Recorded& run, const char* key, Pairs& option) {
  Pairs recorded = run.list(key);
  if (!option.empty() && option != recorded) run.contradiction(key, print(option), print(recorded));
  option = std::move(recorded);
}

}  // namespace

Json run_options(const Options& options, const Description& d, std::string_view isa,
                 unsigned threads) {
  Json json;
  json.set("ganc", d.compiler);
  json.set("model", d.model);
  json.set("source", d.source);
  json.set("source_hash", d.source_hash);
  json.set("model_hash", d.model_hash);
  json.set("dtype", name(d.dtype));
  json.set("precision", d.precision);
  json.set("device", "cpu");
  json.set("isa", isa);
  json.set("threads", threads);
  json.set("seed", options.seed.value_or(0));
  json.set("data", pairs(options.data));
  json.set("weights", pairs(options.weights));
  json.set("init", options.init);
  json.set("steps", number(options.steps));
  json.set("epochs", number(options.epochs));
  json.set("seconds", number(options.seconds));
  json.set("log", options.log.value_or(50));
  json.set("images", number(options.images));
  json.set("snapshot", number(options.snapshot));
  json.set("keep", options.keep.value_or(3));
  Json::Array files;
  for (const SourceText& file : d.source_text) {
    Json text;
    text.set("path", file.path);
    text.set("text", file.text);
    files.push_back(std::move(text));
  }
  json.set("source_text", std::move(files));
  return json;
}

Result<Options> continued_options(const std::filesystem::path& run, const Options& given,
                                  const Description& description) {
  const auto path = run / "options.json";
  auto text = read_text(path);
  if (!text)
    return fail(fmt::format(
        "{}; a run is resumed in its folder: give --resume the folder or a checkpoint in it",
        text.error().message));
  auto json = parse_json(*text);
  if (!json)
    return fail(
        fmt::format("cannot read {}: {}; it is damaged", path.native(), json.error().message));
  Recorded recorded(*json, path);
  const std::string model_hash = recorded.text("model_hash"), model = recorded.text("model");
  if (!recorded.failure() && model_hash != description.model_hash)
    return fail(
        fmt::format("the run in {} is of another program than this trainer: {} ({}) there, {} ({}) "
                    "here; use the "
                    "trainer that made it, or begin a new run from its weights with --init",
                    run.native(), model, model_hash, description.model, description.model_hash));
  Options options = given;
  if (!options.out.empty() &&
      std::filesystem::path(options.out).lexically_normal() != run.lexically_normal())
    recorded.contradiction("out", options.out, run.native());
  std::optional<std::int64_t> seed;
  if (options.seed) seed = static_cast<std::int64_t>(*options.seed);
  keep(recorded, "seed", seed);
  options.seed = static_cast<std::uint64_t>(seed.value_or(0));
  keep(recorded, "data", options.data);
  keep(recorded, "weights", options.weights);
  keep(recorded, "log", options.log);
  keep(recorded, "images", options.images);
  keep(recorded, "snapshot", options.snapshot);
  keep(recorded, "keep", options.keep);
  options.init = recorded.text("init");
  const bool limited = given.steps || given.epochs || given.seconds;
  if (!limited) {
    options.steps = recorded.integer("steps");
    options.epochs = recorded.real("epochs");
    options.seconds = recorded.real("seconds");
  }
  if (recorded.failure()) return std::unexpected(*recorded.failure());
  return options;
}

}  // namespace ganc::runtime
