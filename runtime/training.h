#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/checkpoint.h"
#include "runtime/data/loader.h"
#include "runtime/execute.h"
#include "runtime/inputs.h"
#include "runtime/scalars.h"
#include "runtime/session.h"

namespace ganc::runtime {

// What was not finite after a step.
struct Divergence {
  std::string what;       // "loss/D is nan", "the weight G.dense.w has a value that is not finite"
  std::string objective;  // the update, or empty where several train the weight
};

// A train run's loop: iterations in order through the blocks of the schedule.
class Training {
 public:
  // Variables are in the session's arena, as `counters` say; both are moved on by step(). All
  // sources that blocks use are in `sets`; they outlive the training.
  Training(Session& session, Counters counters, const DataSets& sets);
  ~Training();

  // Makes the next iteration's block ready; false where the schedule has ended.
  Result<bool> prepare();
  // One iteration, after prepare(). The losses that were computed, and every weight and state, are
  // then finite, or the answer says what is not.
  Result<std::optional<Divergence>> step();
  // Where the first value arose that is not finite, as part of a sentence; empty: nowhere.
  struct Origin {
    std::string text;
    bool in_data = false;
  };
  // One iteration, call by call.
  Result<Origin> trace_step();

  // False where the schedule ends here.
  bool has_more() const;

  const Counters& counters() const { return counters_; }
  const Train& block() const;
  // Passes over its longest source that the run has made.
  double run_epochs() const;
  // Of the whole schedule, 0 to 1.
  double run_progress() const;
  // Steps that a pass over the longest source of the current block takes, at least 1.
  std::int64_t steps_an_epoch() const;
  // Samples that an iteration reads from its longest source.
  std::int64_t samples_a_step() const;

 private:
  Result<void> check_repeats() const;
  void ready_block();
  Result<void> fill_inputs();
  std::optional<Divergence> check() const;
  std::span<const KernelBuffer> buffers_of(const Call& call) const;
  bool runs(const Call& call) const;
  std::string sample_not_finite(const DataInput& input, const Tensor& batch) const;
  void clear_gaps(const Call& call) const;
  bool wrote_finite(const Call& call) const;

  Session& session_;
  Counters counters_;
  const DataSets& sets_;
  std::int64_t ready_block_ = -1;
  std::vector<std::unique_ptr<Loader>> loaders_;  // one a source; null: not used in this block
  std::vector<DataInput> inputs_;
  std::unique_ptr<Execution> execution_;
  std::unique_ptr<Scalars> scalars_;
};

}  // namespace ganc::runtime
