#include "runtime/checkpoint.h"

#include <fmt/format.h>

#include <limits>

#include "runtime/run_options.h"

namespace ganc::runtime {
namespace {

constexpr std::int64_t checkpoint_version = 1;
constexpr std::size_t part_bytes = 1 << 20;  // of a variable, on its way to the file

std::unexpected<Failure> damaged(const TensorFile& file, std::string_view what) {
  return fail(fmt::format("cannot read the checkpoint {}: {}; it is damaged, use an older one",
                          file.path().native(), what));
}

// Reads the members of the metadata; a missing or wrong one is kept.
struct Members {
  const Json& json;
  std::string error;

  std::int64_t natural(const Json& of, std::string_view key) {
    const Json* value = of.find(key);
    const auto number = value == nullptr ? std::nullopt : value->natural();
    if (!number) return error = fmt::format("its `{}` is missing or wrong", key), 0;
    return static_cast<std::int64_t>(*number);
  }
  std::string text(std::string_view key) {
    const Json* value = json.find(key);
    if (value == nullptr || value->string() == nullptr)
      return error = fmt::format("its `{}` is missing or wrong", key), "";
    return *value->string();
  }
};

}  // namespace

std::string checkpoint_metadata(const Description& description, const Counters& counters) {
  Json json, sources{Json::Array()}, last{Json::Object()};
  for (const Cursor& cursor : counters.cursors) {
    Json source;
    source.set("count", cursor.count);
    source.set("position", cursor.position);
    source.set("block_begin", cursor.block_begin);
    sources.push(std::move(source));
  }
  for (const auto& [name, value] : counters.last) last.set(name, value);
  json.set("version", checkpoint_version);
  json.set("model", description.model);
  json.set("model_hash", description.model_hash);
  json.set("isa", counters.isa);
  json.set("seed", counters.seed);
  json.set("step", counters.step);
  json.set("block", counters.block);
  json.set("block_step", counters.block_step);
  json.set("sources", std::move(sources));
  json.set("last", std::move(last));
  json.set("checksum", checksum_place);
  return json.dump();
}

Result<std::optional<CheckpointHead>> read_head(const TensorFile& file) {
  const auto text = file.metadata("ganc");
  if (!text) return std::optional<CheckpointHead>();
  auto json = parse_json(*text, {.depth = 8});
  if (!json)
    return damaged(file, fmt::format("its metadata are wrong at {}", json.error().message));
  Members in{*json, ""};
  const std::int64_t version = in.natural(*json, "version");
  if (in.error.empty() && version != checkpoint_version)
    return fail(fmt::format(
        "cannot read the checkpoint {}: it has version {}, and this trainer reads version {}; use "
        "the trainer that made it",
        file.path().native(), version, checkpoint_version));
  CheckpointHead head;
  head.model = in.text("model");
  head.model_hash = in.text("model_hash");
  head.checksum = in.text("checksum");
  head.counters.isa = in.text("isa");
  head.counters.seed = static_cast<std::uint64_t>(in.natural(*json, "seed"));
  head.counters.step = in.natural(*json, "step");
  head.counters.block = in.natural(*json, "block");
  head.counters.block_step = in.natural(*json, "block_step");
  const Json* sources = json->find("sources");
  if (sources == nullptr || sources->elements() == nullptr)
    return damaged(file, "its `sources` are missing");
  for (const Json& source : *sources->elements())
    head.counters.cursors.push_back(
        {in.natural(source, "count"), static_cast<std::uint64_t>(in.natural(source, "position")),
         static_cast<std::uint64_t>(in.natural(source, "block_begin"))});
  const Json* last = json->find("last");
  if (last == nullptr || last->members() == nullptr) return damaged(file, "its `last` is missing");
  for (const auto& [name, value] : *last->members())
    head.counters.last[name] = value.number().value_or(std::numeric_limits<double>::quiet_NaN());
  if (!in.error.empty()) return damaged(file, in.error);

  auto digest = file.digest(head.checksum);
  if (!digest) return std::unexpected(digest.error());
  if (*digest != head.checksum)
    return damaged(
        file, fmt::format("its checksum is {}, but {} is written in it", *digest, head.checksum));
  return head;
}

Result<void> save_checkpoint(const std::filesystem::path& path, const Description& description,
                             const char* arena, const Counters& counters,
                             const std::vector<TensorToWrite>& further) {
  std::vector<TensorToWrite> tensors;
  for (const Variable& variable : description.variables) {
    const Binding& binding = variable.binding;
    tensors.push_back(
        {binding.name, binding.dtype, binding.shape, [arena, &binding](const ByteSink& sink) {
           gather_parts(arena, binding, part_bytes, sink);
         }});
  }
  tensors.insert(tensors.end(), further.begin(), further.end());
  return write_tensor_file(
      path, {{"format", "pt"}, {"ganc", checkpoint_metadata(description, counters)}}, tensors);
}

Result<Counters> load_checkpoint(const std::filesystem::path& path, const Description& description,
                                 char* arena) {
  auto file = TensorFile::open(path);
  if (!file) return std::unexpected(file.error());
  auto head = read_head(*file);
  if (!head) return std::unexpected(head.error());
  if (!*head)
    return fail(fmt::format(
        "{} holds plain weights, no checkpoint of a run; start a new run from it with --init",
        path.native()));
  if ((*head)->model_hash != description.model_hash)
    return fail(fmt::format(
        "{} was made by another program than this trainer: {} ({}) there, {} ({}) here{}; use the "
        "trainer that made it, or start a new run from its weights with --init",
        path.native(), (*head)->model, (*head)->model_hash, description.model,
        description.model_hash, program_difference(path.parent_path(), description)));
  Counters& counters = (*head)->counters;
  if (counters.cursors.size() != description.sources.size() ||
      counters.block > static_cast<std::int64_t>(description.trains.size()))
    return fail(fmt::format("cannot read the checkpoint {}: its counters do not fit the program",
                            path.native()));
  for (const Variable& variable : description.variables) {
    const Binding& binding = variable.binding;
    const StoredTensor* stored = file->find(binding.name);
    if (stored == nullptr)
      return fail(
          fmt::format("cannot read the checkpoint {}: it lacks `{}`", path.native(), binding.name));
    if (stored->shape != binding.shape || name(stored->type) != file_name(binding.dtype))
      return fail(fmt::format(
          "cannot read the checkpoint {}: `{}` is {} {} there, and {} {} in the program",
          path.native(), binding.name, name(stored->type), print(stored->shape),
          file_name(binding.dtype), print(binding.shape)));
    auto tensor = file->read(*stored, binding.dtype);
    if (!tensor) return std::unexpected(tensor.error());
    place(arena, binding, tensor->bytes.data());
  }
  return counters;
}

}  // namespace ganc::runtime
