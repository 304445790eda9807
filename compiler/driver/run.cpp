#include <algorithm>
#include <filesystem>
#include <system_error>

#include "compiler/driver/build.h"
#include "compiler/driver/cache.h"
#include "compiler/driver/input.h"
#include "compiler/driver/verbs.h"

namespace ganc {

Outcome run_trainer(const Options& options, Session& session) {
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  const auto cache = Cache::open(options, session, *file);
  if (!cache) return Outcome::stopped(cache.error());

  Outcome outcome;
  std::filesystem::path trainer;
  if (const auto found = cache->find()) {
    trainer = *found;
  } else {
    outcome = build_trainer(options, session, *file, cache->new_trainer());
    if (outcome.exit_code != 0) return outcome;
    const auto kept = cache->keep(outcome.document["files"].get<std::vector<std::string>>());
    if (!kept) {
      std::error_code error;
      std::filesystem::remove(cache->new_trainer(), error);
      return Outcome::stopped(kept.error());
    }
    trainer = *kept;
    outcome.note = "built " + trainer.string();
  }
  outcome.execute = {trainer.string()};
  const auto& arguments = options.trainer_arguments;
  if (arguments.empty() || arguments.front().starts_with('-'))
    outcome.execute.emplace_back("train");
  outcome.execute.insert(outcome.execute.end(), arguments.begin(), arguments.end());
  // Every verb of a trainer has a --format of its own, which wins.
  const bool own_format = std::ranges::any_of(
      arguments, [](const std::string& word) { return word.starts_with("--format"); });
  if (options.json && !own_format)
    outcome.execute.insert(outcome.execute.end(), {"--format", "json"});
  return outcome;
}

}  // namespace ganc
