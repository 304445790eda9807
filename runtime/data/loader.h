#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/data/data_set.h"

namespace ganc::runtime {

struct Batch {
  std::int64_t count = 0;
  std::vector<FieldValues> fields;
};

// Batches of a data set in shuffled order, forever, read ahead on a thread of its own. The order is
// a function of seed and position alone (a counter-based permutation for each pass), so a loader
// started at a position continues as if it had never stopped. The last partial batch of a pass goes
// on in the next.
class Loader {
 public:
  // `position`: samples consumed before.
  Loader(std::shared_ptr<const DataSet> set, std::int64_t batch, std::uint64_t seed,
         std::uint64_t position);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch; waits for the reader where it must.
  Result<Batch> next();
  // Samples handed out so far, the initial position included: what a checkpoint stores.
  std::uint64_t position() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The index of sample `i` of pass `pass` in a permutation of [0, count). Cycle-walking Feistel on
// Philox.
std::int64_t shuffled_index(std::int64_t i, std::int64_t count, std::uint64_t seed,
                            std::uint64_t pass);

}  // namespace ganc::runtime
