#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/checkpoint.h"
#include "runtime/console.h"
#include "runtime/result.h"
#include "runtime/session.h"

namespace ganc::runtime {

// Fills every variable as the program declares it, with the draws of `seed`; then the nets that are
// loaded `from` files.
Result<Counters> initialize(Session& session, std::uint64_t seed);

// Puts the weights and states of a file in place where name and shape match; each line of the
// answer is one that did not: of the file or of the program. No match at all is a failure.
Result<std::vector<std::string>> load_matching(Session& session, const std::filesystem::path& path);

// The state that a verb begins with: a checkpoint of this program; or plain weights, which must
// hold every weight, over the declared start of all else.
Result<Counters> load_state(Session& session, const std::filesystem::path& path);

struct FoundCheckpoint {
  std::filesystem::path path;
  std::string note;  // for the user, where the choice needs a word; else empty
};
// The checkpoint that RUN|CHECKPOINT means: the file itself, or the run's `latest`; where that link
// is lost, the newest checkpoint that is whole. Nothing: the run has written none.
Result<std::optional<FoundCheckpoint>> find_checkpoint(const std::filesystem::path& path);
// The same for whoever needs one.
Result<std::filesystem::path> need_checkpoint(const std::filesystem::path& path, Console& console);

// The instruction set that a checkpoint was made with; empty for plain weights.
Result<std::string> isa_of(const std::filesystem::path& checkpoint);

// At most 8 names, then how many more.
std::string list_some(const std::vector<std::string>& names);

}  // namespace ganc::runtime
