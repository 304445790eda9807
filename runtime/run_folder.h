#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/files.h"
#include "runtime/json.h"
#include "runtime/result.h"

namespace ganc::runtime {

// The folder of a run: options.json, log.txt, stats.jsonl, pictures and checkpoints.
class RunFolder {
 public:
  // `out`, which must be new or empty; or, if that is empty, the next free
  // runs/00000-<model>-<data>.
  static Result<RunFolder> create(const std::string& out, const std::string& model,
                                  const std::string& data);
  // One that a run has begun in; lines of stats.jsonl past `step` are dropped, and those of steps
  // that are no multiples of `every`: a run that was not stopped there has none. Either way, no
  // other process writes into the folder as long as this lives.
  static Result<RunFolder> reopen(const std::filesystem::path& path, std::int64_t step,
                                  std::int64_t every);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoint(std::int64_t step) const;
  std::filesystem::path file(const std::string& name, std::int64_t step,
                             const std::string& ending) const;

  Result<void> write_options(const Json& options);
  Result<void> log(std::string_view line);
  Result<void> add_stats(const Json& line);
  // After a checkpoint is in place: stats are on the disk, `latest` points to it, and of the
  // checkpoints up to `step` only the newest `keep` stay (0: all).
  Result<void> settle_checkpoint(std::int64_t step, std::int64_t keep);

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> take();
  Result<void> open_stats();

  std::filesystem::path path_;
  std::optional<File> log_, stats_;
};

// The checkpoints in a folder, the newest first.
Result<std::vector<std::filesystem::path>> checkpoints_in(const std::filesystem::path& folder);

}  // namespace ganc::runtime
