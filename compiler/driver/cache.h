#pragma once

#include <expected>
#include <filesystem>
#include <optional>

#include "compiler/driver/options.h"
#include "compiler/driver/outcome.h"

namespace ganc {

// The trainers that `ganc run` made: $XDG_CACHE_HOME/ganc, else ~/.cache/ganc.
//
// A request is the program's path (the text of standard input), the options and the compiler
// itself. Its manifest <request>.json lists the files that its build read, with their hashes: where
// all are as they were, the trainer <request>-<hash of the files>/<name> is still right. Beside it
// stands its own hash: one that is cut off or changed is built anew.
class Cache {
 public:
  static std::expected<Cache, Stop> open(const Options& options, const Session& session,
                                         std::uint32_t file);

  // The trainer of this request, where no file changed since, and neither has it.
  std::optional<std::filesystem::path> find() const;
  // Where a trainer built now belongs, before it is known what it reads.
  std::filesystem::path new_trainer() const;
  // Moves the new trainer to its place, keeps what it read, and forgets the oldest of more than 32
  // trainers.
  std::expected<std::filesystem::path, Stop> keep(const std::vector<std::string>& files) const;

 private:
  std::filesystem::path folder_;
  std::string request_;
  std::string name_;
};

}  // namespace ganc
