#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/inputs.h"
#include "runtime/progress.h"
#include "runtime/run_folder.h"
#include "runtime/session.h"
#include "runtime/training.h"
#include "runtime/verbs/verbs.h"

namespace ganc::runtime {

// A run in its folder: what `train` does, in the order of the functions.
class TrainRun {
 public:
  explicit TrainRun(VerbContext context)
      : context_(std::move(context)), options_(context_.options) {}

  Result<int> run();

 private:
  // For --resume: the folder, its checkpoint if it has one, and the options that go on.
  Result<void> find_run();
  Result<void> open_session();
  Result<void> open_data();
  Result<void> open_folder();
  // The state that this process begins with; also where a divergence is traced from.
  Result<Counters> begin_state();
  void announce();
  std::vector<std::string> small_sources() const;
  Result<void> loop();
  bool limit_reached() const;
  bool due(const std::optional<std::int64_t>& every) const;
  Result<void> write_step(bool last);
  Result<void> write_reals();
  Result<void> write_stats();
  Result<void> write_pictures();
  Result<void> write_checkpoint();
  std::unexpected<Failure> diverged(const Divergence& divergence);
  Result<Training::Origin> trace(std::int64_t step);
  void summarize();
  void note(const std::string& line);

  VerbContext context_;
  Options options_;
  std::string isa_;            // of the run that goes on
  std::filesystem::path run_;  // its folder
  std::optional<std::filesystem::path>
      checkpoint_;  // that this process began with, then the last that it wrote
  std::unique_ptr<Session> session_;
  DataSets sets_;
  std::optional<RunFolder> folder_;
  std::unique_ptr<Training> training_;
  std::optional<Progress> progress_;
  bool announced_ = false;
  double first_step_seconds_ = 0;
};

}  // namespace ganc::runtime
