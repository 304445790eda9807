#include "runtime/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

namespace ganc::runtime {
namespace {

// The number in "checkpoint_000050.safetensors", or nothing.
std::optional<std::int64_t> step_of(std::string_view name) {
  constexpr std::string_view before = "checkpoint_", after = ".safetensors";
  if (!name.starts_with(before) || !name.ends_with(after)) return std::nullopt;
  name = name.substr(before.size(), name.size() - before.size() - after.size());
  std::int64_t step = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), step);
  if (name.size() < 6 || read.ec != std::errc() || read.ptr != name.data() + name.size())
    return std::nullopt;
  return step;
}

// Step and name of each checkpoint in a folder, the oldest first.
Result<std::vector<std::pair<std::int64_t, std::string>>> steps_in(
    const std::filesystem::path& folder) {
  auto names = list_folder(folder);
  if (!names) return std::unexpected(names.error());
  std::vector<std::pair<std::int64_t, std::string>> there;
  for (const std::string& name : *names)
    if (const auto step = step_of(name)) there.emplace_back(*step, name);
  std::sort(there.begin(), there.end());
  return there;
}

Result<std::filesystem::path> given_folder(const std::filesystem::path& out) {
  if (auto r = make_folder(out); !r) return std::unexpected(r.error());
  auto names = list_folder(out);
  if (!names) return std::unexpected(names.error());
  // What a run leaves that was ended before its options were there is no run.
  std::erase_if(*names, [&](const std::string& name) {
    return name == "log.txt" || name == "stats.jsonl" || name == "options.json.part";
  });
  if (!names->empty())
    return fail(
        fmt::format("cannot begin a run in {}: the folder is not empty; give a new one with --out, "
                    "or go on with the "
                    "run in it with --resume",
                    out.native()));
  return out;
}

Result<std::filesystem::path> next_folder(const std::string& name) {
  const std::filesystem::path runs = "runs";
  if (auto r = make_folder(runs); !r) return std::unexpected(r.error());
  auto names = list_folder(runs);
  if (!names) return std::unexpected(names.error());
  std::int64_t number = 0;
  for (const std::string& there : *names) {
    std::int64_t n = -1;
    const auto read = std::from_chars(there.data(), there.data() + there.size(), n);
    if (read.ec == std::errc() && *read.ptr == '-' && n >= number && n < 1'000'000'000)
      number = n + 1;
  }
  // Another run may take the number at the same time: then the next.
  while (true) {
    const auto path = runs / fmt::format("{:05}-{}", number++, name);
    auto made = make_new_folder(path);
    if (!made) return std::unexpected(made.error());
    if (*made) return path;
  }
}

// The lines of stats.jsonl up to `step` whose steps are multiples of `every`; a line cut off by a
// crash ends them.
std::string lines_up_to(const std::string& text, std::int64_t step, std::int64_t every) {
  std::string kept;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const auto line = parse_json(std::string_view(text).substr(begin, end - begin));
    const Json* at = line ? line->find("step") : nullptr;
    if (at == nullptr || at->integer() == nullptr || *at->integer() > step) break;
    if (*at->integer() % every == 0) kept.append(text, begin, end + 1 - begin);
    begin = end + 1;
  }
  return kept;
}

}  // namespace

Result<RunFolder> RunFolder::create(const std::string& out, const std::string& model,
                                    const std::string& data) {
  auto path = out.empty() ? next_folder(data.empty() ? model : fmt::format("{}-{}", model, data))
                          : given_folder(out);
  if (!path) return std::unexpected(path.error());
  RunFolder folder(*path);
  if (auto r = folder.take(); !r) return std::unexpected(r.error());
  if (auto r = folder.open_stats(); !r) return std::unexpected(r.error());
  return folder;
}

Result<RunFolder> RunFolder::reopen(const std::filesystem::path& path, std::int64_t step,
                                    std::int64_t every) {
  RunFolder folder(path);
  if (auto r = folder.take(); !r) return std::unexpected(r.error());
  const auto stats = path / "stats.jsonl";
  if (runtime::exists(stats)) {
    auto text = read_text(stats);
    if (!text) return std::unexpected(text.error());
    const std::string kept = lines_up_to(*text, step, every);
    if (kept.size() != text->size())
      if (auto r = replace_file(stats, kept); !r) return std::unexpected(r.error());
  }
  if (auto r = folder.open_stats(); !r) return std::unexpected(r.error());
  return folder;
}

Result<void> RunFolder::take() {
  auto log = File::append(path_ / "log.txt");
  if (!log) return std::unexpected(log.error());
  const auto held = log->hold();
  if (!held) return std::unexpected(held.error());
  if (!*held)
    return fail(fmt::format(
        "the run folder {} is in use by another process; stop that one first, or give a new folder "
        "with --out",
        path_.native()));
  log_ = std::move(*log);
  return {};
}

Result<void> RunFolder::open_stats() {
  auto stats = File::append(path_ / "stats.jsonl");
  if (!stats) return std::unexpected(stats.error());
  stats_ = std::move(*stats);
  return {};
}

std::filesystem::path RunFolder::checkpoint(std::int64_t step) const {
  return file("checkpoint", step, ".safetensors");
}

std::filesystem::path RunFolder::file(const std::string& name, std::int64_t step,
                                      const std::string& ending) const {
  return path_ / fmt::format("{}_{:06}{}", name, step, ending);
}

Result<void> RunFolder::write_options(const Json& options) {
  return replace_file(path_ / "options.json", options.dump_indented() + "\n");
}

Result<void> RunFolder::log(std::string_view line) {
  return log_->write(std::string(line) + "\n");
}

Result<void> RunFolder::add_stats(const Json& line) {
  return stats_->write(line.dump() + "\n");
}

Result<void> RunFolder::settle_checkpoint(std::int64_t step, std::int64_t keep) {
  if (auto r = stats_->sync(); !r) return r;
  if (auto r = replace_link(path_ / "latest.safetensors", checkpoint(step).filename().native()); !r)
    return r;
  if (keep == 0) return {};
  auto there = steps_in(path_);
  if (!there) return std::unexpected(there.error());
  std::erase_if(*there, [&](const auto& checkpoint) { return checkpoint.first > step; });
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < there->size(); ++i)
    if (auto r = remove_file(path_ / (*there)[i].second); !r) return r;
  return {};
}

Result<std::vector<std::filesystem::path>> checkpoints_in(const std::filesystem::path& folder) {
  auto there = steps_in(folder);
  if (!there) return std::unexpected(there.error());
  std::vector<std::filesystem::path> paths;
  for (const auto& [step, name] : *there | std::views::reverse) paths.push_back(folder / name);
  return paths;
}

}  // namespace ganc::runtime
