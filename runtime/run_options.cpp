#include "runtime/run_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

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

bool same_place(const std::string& a, const std::string& b) {
  std::error_code absent;
  return absolute_path(a) == absolute_path(b) || std::filesystem::equivalent(a, b, absent);
}

void keep(Recorded& run, const char* key, Pairs& option) {
  Pairs recorded = run.list(key);
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first && same_place(a.second, b.second);
  };
  if (!option.empty() && !std::ranges::equal(option, recorded, same))
    run.contradiction(key, print(option), print(recorded));
  option = std::move(recorded);
}

// Data may have moved: what is given comes before what is recorded, for a field or for all.
void replace(Recorded& run, const char* key, Pairs& option) {
  Pairs data = run.list(key);
  for (const auto& [field, path] : option) {
    std::erase_if(data, [&](const auto& pair) { return field.empty() || pair.first == field; });
    data.emplace_back(field, path);
  }
  option = std::move(data);
}

Json batches(const Description& d) {
  Json list{Json::Array()};
  for (const Train& train : d.trains) list.push(Json(train.batch));
  return list;
}

// The paths of a list as the run's options have them.
Json places(Pairs list) {
  for (auto& [name, path] : list)  // weights may also lie beside the program's file
    if (runtime::exists(path)) path = absolute_path(path);
  return pairs(list);
}

}  // namespace

std::string absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error) whole = path;
  whole = whole.lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).native();
}

std::string program_difference(const std::filesystem::path& run, const Description& d) {
  auto text = read_text(run / "options.json");
  if (!text) return "";
  const auto there = parse_json(*text);
  if (!there) return "";
  std::string differences;
  const auto compare = [&](const char* key, std::string_view what, const Json& here) {
    const Json* value = there->find(key);
    if (value == nullptr || value->dump() == here.dump()) return;
    differences += fmt::format("{}{} {} there and {} here", differences.empty() ? "" : ", ", what,
                               value->dump(), here.dump());
  };
  compare("batch", "batch", batches(d));
  compare("dtype", "dtype", Json(name(d.dtype)));
  compare("precision", "precision", Json(d.precision));
  compare("ganc", "ganc", Json(d.compiler));
  compare("source_hash", "source", Json(d.source_hash));
  if (differences.empty())
    differences =
        "text, batch, dtype, precision and ganc are the same, other options of the build (--set, "
        "-O0) are not";
  return fmt::format(" ({})", differences);
}

Json run_options(const Options& options, const Description& d, std::string_view isa,
                 unsigned threads) {
  Json json;
  json.set("ganc", d.compiler);
  json.set("model", d.model);
  json.set("source", d.source);
  json.set("source_hash", d.source_hash);
  json.set("model_hash", d.model_hash);
  json.set("batch", batches(d));
  json.set("dtype", name(d.dtype));
  json.set("precision", d.precision);
  json.set("device", "cpu");
  json.set("isa", isa);
  json.set("threads", threads);
  json.set("seed", options.seed.value_or(0));
  json.set("data", places(options.data));
  json.set("weights", places(options.weights));
  json.set("init", options.init.empty() ? "" : absolute_path(options.init));
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
                    "here{}; use the "
                    "trainer that made it, or begin a new run from its weights with --init",
                    run.native(), model, model_hash, description.model, description.model_hash,
                    program_difference(run, description)));
  Options options = given;
  if (!options.out.empty() && !same_place(options.out, run.native()))
    recorded.contradiction("out", options.out, run.native());
  std::optional<std::int64_t> seed;
  if (options.seed) seed = static_cast<std::int64_t>(*options.seed);
  keep(recorded, "seed", seed);
  options.seed = static_cast<std::uint64_t>(seed.value_or(0));
  replace(recorded, "data", options.data);
  keep(recorded, "weights", options.weights);
  keep(recorded, "log", options.log);
  keep(recorded, "images", options.images);
  keep(recorded, "snapshot", options.snapshot);
  keep(recorded, "keep", options.keep);
  options.init = recorded.text("init");
  // Steps and epochs say where the run ends, seconds how long this process goes on.
  if (!given.steps && !given.epochs) {
    options.steps = recorded.integer("steps");
    options.epochs = recorded.real("epochs");
    if (!given.seconds) options.seconds = recorded.real("seconds");
  }
  if (recorded.failure()) return std::unexpected(*recorded.failure());
  return options;
}

}  // namespace ganc::runtime
