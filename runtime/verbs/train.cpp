#include <fmt/format.h>

#include <algorithm>

#include "runtime/cpu.h"
#include "runtime/finite.h"
#include "runtime/run_options.h"
#include "runtime/signals.h"
#include "runtime/verbs/train_run.h"
#include "runtime/weights.h"

namespace ganc::runtime {

Result<int> train(VerbContext context) {
  remember_stop();
  return TrainRun(std::move(context)).run();
}

Result<int> TrainRun::run() {
  if (context_.description.trains.empty())
    return fail(
        "the program has no `train` block, so that there is nothing to train; its outputs can be "
        "sampled");
  if (auto r = find_run(); !r) return std::unexpected(r.error());
  if (auto r = open_session(); !r) return std::unexpected(r.error());
  if (auto r = open_data(); !r) return std::unexpected(r.error());
  auto counters = begin_state();
  if (!counters) return std::unexpected(counters.error());
  const std::int64_t begun_at = counters->step;
  training_ = std::make_unique<Training>(*session_, std::move(*counters), sets_);
  // From here on the state is in the arena; all that follows writes files.
  if (auto r = open_folder(); !r) return std::unexpected(r.error());
  announce();
  if (auto r = loop(); !r) return std::unexpected(r.error());
  context_.console.end_bar();
  if (stop_requested() != 0)
    note(fmt::format("stopped at step {}; go on with: train --resume {}",
                     training_->counters().step, folder_->path().native()));
  if (training_->counters().step == begun_at && begun_at > 0 && stop_requested() == 0)
    note(fmt::format("the run is complete at step {}; {}", begun_at,
                     training_->has_more() ? "a larger --steps or --epochs goes on"
                                           : "the program's schedule ends there"));
  summarize();
  return stop_requested();
}

Result<void> TrainRun::find_run() {
  if (options_.resume.empty()) return {};
  const std::filesystem::path given = options_.resume;
  if (!runtime::exists(given)) return std::unexpected(file_failure("resume", given, ENOENT));
  run_ = is_folder(given) ? given : given.parent_path();
  if (run_.empty()) run_ = ".";
  if (!is_folder(given))  // a file that is no checkpoint is none in any folder
    if (auto isa = isa_of(given); !isa) return std::unexpected(isa.error());
  auto options = continued_options(run_, options_, context_.description);
  if (!options) return std::unexpected(options.error());
  options_ = *options;
  auto found = find_checkpoint(given);
  if (!found) return std::unexpected(found.error());
  // A run that was ended before its first checkpoint begins again: its options tell all.
  if (!*found) return {};
  auto isa = isa_of((*found)->path);
  if (!isa) return std::unexpected(isa.error());
  isa_ = *isa;
  checkpoint_ = (*found)->path;
  if (!(*found)->note.empty()) context_.console.note((*found)->note);
  return {};
}

Result<void> TrainRun::open_session() {
  auto session =
      Session::open(context_.program, std::move(context_.description), options_, isa_, true);
  if (!session) return std::unexpected(session.error());
  session_ = std::move(*session);
  return {};
}

Result<void> TrainRun::open_data() {
  std::vector<SourceUse> used;
  for (const Train& train : session_->description.trains)
    used.insert(used.end(), train.sources.begin(), train.sources.end());
  for (const Output& output : session_->description.outputs)
    used.insert(used.end(), output.sources.begin(), output.sources.end());
  auto sets = open_sources(session_->description, options_, options_.seed.value_or(0),
                           session_->pool->threads(), used);
  if (!sets) return std::unexpected(sets.error());
  sets_ = std::move(*sets);
  return {};
}

Result<Counters> TrainRun::begin_state() {
  if (checkpoint_) {
    auto counters = load_checkpoint(*checkpoint_, session_->description, session_->arena->data());
    if (!counters) return counters;
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (sets_[i] != nullptr && counters->cursors[i].count != 0 &&
          counters->cursors[i].count != sets_[i]->count())
        return fail(fmt::format(
            "the data of {} have changed: {} samples when the run was saved, {} now; give the same "
            "data "
            "with --data, or begin a new run",
            session_->description.sources[i].place, counters->cursors[i].count, sets_[i]->count()));
    counters->isa = session_->variant->isa;
    return counters;
  }
  auto counters = initialize(*session_, options_.seed.value_or(0));
  if (!counters || options_.init.empty()) return counters;
  auto rest = load_matching(*session_, options_.init);
  if (!rest) return std::unexpected(rest.error());
  if (!announced_)
    for (const std::string& line : *rest) context_.console.warn(fmt::format("--init: {}", line));
  return counters;
}

Result<void> TrainRun::open_folder() {
  if (run_.empty()) {
    std::string data;
    for (const auto& set : sets_)
      if (set != nullptr && data.empty()) data = set->short_name();
    auto folder = RunFolder::create(options_.out, session_->description.model, data);
    if (!folder) return std::unexpected(folder.error());
    folder_ = std::move(*folder);
  } else {
    const bool goes_on = training_->has_more() && !limit_reached();
    auto folder = RunFolder::reopen(run_, training_->counters().step,
                                    goes_on ? options_.log.value_or(50) : 1);
    if (!folder) return std::unexpected(folder.error());
    folder_ = std::move(*folder);
  }
  return folder_->write_options(run_options(options_, session_->description, session_->variant->isa,
                                            session_->pool->threads()));
}

void TrainRun::note(const std::string& line) {
  context_.console.note(line);
  (void)folder_->log(line);  // a log that cannot be written stops nothing
}

void TrainRun::announce() {
  const Description& d = session_->description;
  const unsigned threads = session_->pool->threads();
  note(fmt::format("{}, {}, {} thread{}; {} parameters; {:.1f} MiB at peak", cpu_name(),
                   session_->variant->isa, threads, threads == 1 ? "" : "s", d.parameters(),
                   static_cast<double>(session_->planned_bytes()) / (1 << 20)));
  for (const auto& set : sets_)
    if (set != nullptr) note(set->describe());
  for (const std::string& line : small_sources()) note(line);
  if (!isa_.empty() && isa_ != session_->variant->isa)
    note(fmt::format("the run was made with {} and goes on with {}: from step {} the bits differ",
                     isa_, session_->variant->isa, training_->counters().step));
  if (checkpoint_) note(fmt::format("goes on from {}", checkpoint_->native()));
  for (const std::string& sentence : d.missing) context_.console.warn(sentence);
  context_.console.note(fmt::format("run folder: {}", folder_->path().native()));
  announced_ = true;
}

// Of each source that has less samples than a batch, a sentence.
std::vector<std::string> TrainRun::small_sources() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    std::int64_t most = 0;
    for (const Train& train : session_->description.trains)
      for (const SourceUse& use : train.sources)
        if (static_cast<std::size_t>(use.source) == i) most = std::max(most, train.batch);
    if (sets_[i] != nullptr && sets_[i]->count() < most)
      lines.push_back(
          fmt::format("{} has {} samples, and a batch {}: each comes several times in a batch",
                      session_->description.sources[i].place, sets_[i]->count(), most));
  }
  return lines;
}

bool TrainRun::limit_reached() const {
  if (stop_requested() != 0) return true;
  if (options_.steps && training_->counters().step >= *options_.steps) return true;
  if (options_.epochs && training_->run_epochs() >= *options_.epochs) return true;
  return options_.seconds && progress_ && progress_->seconds() >= *options_.seconds;
}

bool TrainRun::due(const std::optional<std::int64_t>& every) const {
  if (every) return *every > 0 && training_->counters().step % *every == 0;
  const Counters& counters = training_->counters();
  return !training_->block().sources.empty() &&
         counters.block_step % training_->steps_an_epoch() == 0;
}

Result<void> TrainRun::loop() {
  progress_.emplace(context_.console,
                    Progress::Limits{options_.steps, options_.epochs, options_.seconds});
  progress_->begin(*training_);
  const bool begun = training_->counters().step > 0;
  bool first = true;
  bool more = training_->has_more() && !limit_reached();
  if (!more && !begun) return write_step(true);
  while (more) {
    auto ready = training_->prepare();
    if (!ready) return std::unexpected(ready.error());
    if (first) first_step_seconds_ = seconds_since_start();
    auto divergence = training_->step();
    if (!divergence) return std::unexpected(divergence.error());
    if (*divergence) return diverged(**divergence);
    if (first)
      if (auto r = write_reals(); !r) return r;
    first = false;
    more = training_->has_more() && !limit_reached();
    if (auto line = progress_->step(*training_)) (void)folder_->log(*line);
    if (auto r = write_step(!more); !r) return r;
  }
  return {};
}

// What follows after a step, or at once where there is none to do.
Result<void> TrainRun::write_step(bool last) {
  const Counters& counters = training_->counters();
  if (counters.step > 0 && (last || counters.step % options_.log.value_or(50) == 0))
    if (auto r = write_stats(); !r) return r;
  // Before the pictures: one that cannot be written must not cost the state.
  if (last || due(options_.snapshot))
    if (auto r = write_checkpoint(); !r) return r;
  if (last || due(options_.images)) return write_pictures();
  return {};
}

}  // namespace ganc::runtime
