#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/arena.h"
#include "runtime/description.h"
#include "runtime/json.h"
#include "runtime/result.h"
#include "runtime/safetensors.h"

namespace ganc::runtime {

// Where a run stands in a source.
struct Cursor {
  std::int64_t count = 0;         // samples of the source; 0: not known
  std::uint64_t position = 0;     // samples consumed
  std::uint64_t block_begin = 0;  // position when the current train block began
};

// Everything but the variables that the next step depends on. Equal counters and variables are
// equal files.
struct Counters {
  std::int64_t step = 0;        // of the run: iterations done
  std::int64_t block = 0;       // index of the train block
  std::int64_t block_step = 0;  // iterations done in it
  std::uint64_t seed = 0;
  std::string isa;
  std::vector<Cursor> cursors;         // one a source
  std::map<std::string, double> last;  // the last value computed of each loss, norm and watch
};

// What the metadata of a checkpoint say; `counters.cursors` are as many as the description's
// sources.
struct CheckpointHead {
  Counters counters;
  std::string model, model_hash, checksum;
};

// The text of the metadata `ganc`.
std::string checkpoint_metadata(const Description& description, const Counters& counters);
// Nothing where the file has no `ganc`: plain weights. A wrong checksum, version or number is a
// failure.
Result<std::optional<CheckpointHead>> read_head(const TensorFile& file);

// All variables and the counters, atomically. `further` come after the variables.
Result<void> save_checkpoint(const std::filesystem::path& path, const Description& description,
                             const char* arena, const Counters& counters,
                             const std::vector<TensorToWrite>& further = {});

// Puts the variables of a checkpoint of this very program into the arena. A checkpoint of another
// program, or one that lacks a variable, is a failure that says what differs.
Result<Counters> load_checkpoint(const std::filesystem::path& path, const Description& description,
                                 char* arena);

}  // namespace ganc::runtime
