#include "runtime/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/execute.h"
#include "runtime/files.h"
#include "runtime/inputs.h"
#include "runtime/run_folder.h"
#include "runtime/safetensors.h"

namespace ganc::runtime {
namespace {

Result<void> put(Session& session, const TensorFile& file, const StoredTensor& stored,
                 const Binding& binding) {
  auto tensor = file.read(stored, binding.dtype);
  if (!tensor) return std::unexpected(tensor.error());
  place(session.arena->data(), binding, tensor->bytes.data());
  return {};
}

// The variable in a file of one net: under its whole name, or without the net's.
const StoredTensor* find_of_net(const TensorFile& file, const Variable& variable) {
  if (const StoredTensor* stored = file.find(variable.binding.name)) return stored;
  const std::string prefix = variable.net + ".";
  if (!variable.binding.name.starts_with(prefix)) return nullptr;
  return file.find(std::string_view(variable.binding.name).substr(prefix.size()));
}

// As the path stands, else beside the program's file.
std::filesystem::path locate(const Session& session, const std::string& path) {
  if (runtime::exists(path)) return path;
  const auto beside = std::filesystem::path(session.description.source).parent_path() / path;
  return runtime::exists(beside) ? beside : std::filesystem::path(path);
}

Result<void> load_net(Session& session, const std::string& net, const std::filesystem::path& path) {
  auto file = TensorFile::open(path);
  if (!file)
    return fail(
        fmt::format("{}; net {} is loaded from it: give the right file with --weights {}=PATH",
                    file.error().message, net, net));
  std::vector<std::string> lacking;
  for (const Variable& variable : session.description.variables) {
    if (variable.net != net || variable.kind == VariableKind::slot) continue;
    const StoredTensor* stored = find_of_net(*file, variable);
    if (stored == nullptr) {
      if (variable.kind == VariableKind::weight) lacking.push_back(variable.binding.name);
      continue;
    }
    if (stored->shape != variable.binding.shape)
      return fail(fmt::format("cannot load net {} from {}: `{}` is {} there, and {} in the program",
                              net, path.native(), stored->name, print(stored->shape),
                              print(variable.binding.shape)));
    if (auto r = put(session, *file, *stored, variable.binding); !r) return r;
  }
  if (!lacking.empty())
    return fail(fmt::format("cannot load net {} from {}: it lacks {}", net, path.native(),
                            list_some(lacking)));
  return {};
}

// Every net `from` a file, from there or from where --weights says.
Result<void> load_nets(Session& session) {
  Pairs nets;  // net, path
  for (const Variable& variable : session.description.variables) {
    const auto there = [&](const auto& pair) { return pair.first == variable.net; };
    if (!variable.from.empty() && std::none_of(nets.begin(), nets.end(), there))
      nets.emplace_back(variable.net, variable.from);
  }
  for (const auto& [net, path] : session.options.weights) {
    const auto at =
        std::find_if(nets.begin(), nets.end(), [&](const auto& pair) { return pair.first == net; });
    const auto& variables = session.description.variables;
    if (std::none_of(variables.begin(), variables.end(),
                     [&](const Variable& v) { return v.net == net; }))
      return fail(fmt::format("`--weights {}={}`: the program has no net `{}` with weights", net,
                              path, net),
                  2);
    if (at == nets.end())
      nets.emplace_back(net, path);
    else
      at->second = path;
  }
  for (const auto& [net, path] : nets)
    if (auto r = load_net(session, net, locate(session, path)); !r) return r;
  return {};
}

}  // namespace

std::string list_some(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  const std::size_t shown = std::min(names.size(), most);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

Result<Counters> initialize(Session& session, std::uint64_t seed) {
  const Description& d = session.description;
  const Program& program = d.programs[static_cast<std::size_t>(d.init)];
  session.arena->clear();
  fill_counters(session.arena->data(), program, {.seed = seed});
  Execution(session.machine(), program).run();
  if (auto r = load_nets(session); !r) return std::unexpected(r.error());
  Counters counters;
  counters.seed = seed;
  counters.isa = session.variant->isa;
  counters.cursors.resize(d.sources.size());
  return counters;
}

Result<std::vector<std::string>> load_matching(Session& session,
                                               const std::filesystem::path& path) {
  auto file = TensorFile::open(path);
  if (!file) return std::unexpected(file.error());
  // A damaged checkpoint is no source of weights either.
  if (auto head = read_head(*file); !head) return std::unexpected(head.error());
  std::vector<std::string> rest;
  std::size_t matched = 0;
  for (const Variable& variable : session.description.variables) {
    if (variable.kind == VariableKind::slot) continue;
    const Binding& binding = variable.binding;
    const StoredTensor* stored = file->find(binding.name);
    if (stored == nullptr) {
      rest.push_back(fmt::format("{} is not in the file", binding.name));
    } else if (stored->shape != binding.shape) {
      rest.push_back(fmt::format("{} is {} in the file and {} in the program", binding.name,
                                 print(stored->shape), print(binding.shape)));
    } else {
      if (auto r = put(session, *file, *stored, binding); !r) return std::unexpected(r.error());
      ++matched;
    }
  }
  for (const StoredTensor& stored : file->tensors()) {
    if (stored.name.starts_with("slot/") || stored.name.starts_with("loss/") ||
        stored.name.starts_with("grad/"))
      continue;
    const auto& variables = session.description.variables;
    if (std::none_of(variables.begin(), variables.end(),
                     [&](const Variable& v) { return v.binding.name == stored.name; }))
      rest.push_back(fmt::format("{} {} is not in the program", stored.name, print(stored.shape)));
  }
  if (matched == 0)
    return fail(fmt::format(
        "cannot begin with {}: none of its tensors has name and shape of a weight of this program",
        path.native()));
  return rest;
}

Result<Counters> load_state(Session& session, const std::filesystem::path& path) {
  auto file = TensorFile::open(path);
  if (!file) return std::unexpected(file.error());
  auto head = read_head(*file);
  if (!head) return std::unexpected(head.error());
  if (*head) {
    auto counters = load_checkpoint(path, session.description, session.arena->data());
    if (counters) counters->isa = session.variant->isa;
    return counters;
  }
  auto counters = initialize(session, session.options.seed.value_or(0));
  if (!counters) return counters;
  std::vector<std::string> lacking;
  for (const Variable& variable : session.description.variables) {
    const Binding& binding = variable.binding;
    const StoredTensor* stored = file->find(binding.name);
    if (stored == nullptr) {
      if (variable.kind == VariableKind::weight && variable.from.empty())
        lacking.push_back(binding.name);
      continue;
    }
    if (stored->shape != binding.shape)
      return fail(fmt::format("cannot use {}: `{}` is {} there, and {} in the program",
                              path.native(), binding.name, print(stored->shape),
                              print(binding.shape)));
    if (auto r = put(session, *file, *stored, binding); !r) return std::unexpected(r.error());
  }
  if (!lacking.empty())
    return fail(fmt::format(
        "cannot use {}: it lacks the weights {}; take weights of this program, or begin a run from "
        "what matches with `train --init`",
        path.native(), list_some(lacking)));
  return counters;
}

Result<std::optional<FoundCheckpoint>> find_checkpoint(const std::filesystem::path& path) {
  if (!is_folder(path)) return FoundCheckpoint{path, ""};
  const auto latest = path / "latest.safetensors";
  std::error_code error;
  if (std::filesystem::exists(latest, error)) return FoundCheckpoint{latest, ""};
  const bool dangles = runtime::exists(latest);
  const std::string_view lost = dangles ? "points to nothing" : "is not there";
  auto checkpoints = checkpoints_in(path);
  if (!checkpoints) return std::unexpected(checkpoints.error());
  std::optional<Failure> first;
  for (const auto& checkpoint : *checkpoints) {
    if (auto isa = isa_of(checkpoint); isa)
      return FoundCheckpoint{checkpoint, fmt::format("{} {}; the newest whole checkpoint is {}",
                                                     latest.native(), lost, checkpoint.native())};
    else if (!first)
      first = isa.error();
  }
  if (first) return std::unexpected(*first);
  // The link is made after what it points to: a run that has one was further on.
  if (dangles)
    return fail(fmt::format("{} has no checkpoint: {} {}", path.native(), latest.native(), lost));
  return std::nullopt;
}

Result<std::filesystem::path> need_checkpoint(const std::filesystem::path& path, Console& console) {
  auto found = find_checkpoint(path);
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(fmt::format("{} has no checkpoint", path.native()));
  if (!(*found)->note.empty()) console.note((*found)->note);
  return (*found)->path;
}

Result<std::string> isa_of(const std::filesystem::path& checkpoint) {
  auto file = TensorFile::open(checkpoint);
  if (!file) return std::unexpected(file.error());
  auto head = read_head(*file);
  if (!head) return std::unexpected(head.error());
  return *head ? (*head)->counters.isa : std::string();
}

}  // namespace ganc::runtime
