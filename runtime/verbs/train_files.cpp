// What a run writes while it goes.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/cpu.h"
#include "runtime/npy.h"
#include "runtime/pictures.h"
#include "runtime/signals.h"
#include "runtime/verbs/train_run.h"
#include "runtime/weights.h"

namespace ganc::runtime {

Result<void> TrainRun::write_reals() {
  const std::uint64_t seed = options_.seed.value_or(0);
  if (runtime::exists(folder_->path() / "reals.png")) return {};
  auto image = picture_of_reals(session_->description, sets_, seed);
  if (!image) return std::unexpected(image.error());
  if (!*image) return {};
  return write_png(**image, folder_->path() / "reals.png");
}

Result<void> TrainRun::write_stats() {
  const Counters& counters = training_->counters();
  Json line;
  line.set("step", counters.step);
  line.set("epoch", training_->run_epochs());
  if (session_->description.trains.size() > 1) line.set("train", training_->block().name);
  for (const auto& [name, value] : counters.last) line.set(name, value);
  line.set("seconds", progress_->seconds());
  line.set("images_per_second", progress_->images_per_second());
  if (context_.console.json()) context_.console.out_json(line);
  return folder_->add_stats(line);
}

Result<void> TrainRun::write_pictures() {
  const std::int64_t step = training_->counters().step;
  const std::uint64_t seed = training_->counters().seed;
  for (const Output& output : session_->description.outputs) {
    OutputRun run(*session_, output, sets_);
    if (is_picture(output)) {
      std::vector<float> reals;
      if (output.kind == OutputKind::points) {
        auto points = real_points(session_->description, sets_, seed);
        if (!points) return std::unexpected(points.error());
        reals = std::move(*points);
      }
      auto image = run.draw_picture(seed, output.shown, reals);
      if (!image) return std::unexpected(image.error());
      if (auto r = write_png(*image, folder_->file(output.name, step, ".png")); !r) return r;
      continue;
    }
    auto parts = run.draw(seed, output.shown, {});
    if (!parts) return std::unexpected(parts.error());
    for (std::size_t p = 0; p < parts->size(); ++p) {
      const Tensor& part = (*parts)[p];
      const std::string name =
          parts->size() == 1 ? output.name : fmt::format("{}_{}", output.name, p);
      if (auto r = write_npy(folder_->file(name, step, ".npy"), to_array(part)); !r) return r;
    }
  }
  return {};
}

Result<void> TrainRun::write_checkpoint() {
  const std::int64_t step = training_->counters().step;
  const auto path = folder_->checkpoint(step);
  if (auto r = save_checkpoint(path, session_->description, session_->arena->data(),
                               training_->counters());
      !r)
    return r;
  checkpoint_ = path;
  return folder_->settle_checkpoint(step, options_.keep.value_or(3));
}

// The run is deterministic: from the last checkpoint, or from its beginning, the bad step comes
// about again.
Result<Training::Origin> TrainRun::trace(std::int64_t step) {
  auto counters = begin_state();
  if (!counters) return std::unexpected(counters.error());
  note(fmt::format("looks for the operation: repeats steps {} to {}", counters->step + 1, step));
  Training again(*session_, std::move(*counters), sets_);
  while (true) {
    auto ready = again.prepare();
    if (!ready) return std::unexpected(ready.error());
    if (!*ready || stop_requested() != 0) return Training::Origin();
    if (again.counters().step + 1 >= step) return again.trace_step();
    auto divergence = again.step();
    if (!divergence) return std::unexpected(divergence.error());
  }
}

std::unexpected<Failure> TrainRun::diverged(const Divergence& divergence) {
  const std::int64_t step = training_->counters().step;
  context_.console.end_bar();
  const Train& block = training_->block();
  std::string objective;
  for (const UpdateInfo& update : block.updates)
    if (update.name == divergence.objective || update.name.starts_with(divergence.objective + "#"))
      objective = fmt::format(" (objective of {}, {})", divergence.objective, update.line);
  training_.reset();  // its loaders read no further
  auto origin = trace(step);
  std::string where;
  if (!origin)
    where = fmt::format("; the operation could not be found: {}", origin.error().message);
  else if (!origin->text.empty())
    where = fmt::format("; the first value that is not finite came from {}", origin->text);
  const std::string kept =
      checkpoint_ ? fmt::format("the last good checkpoint is {}", checkpoint_->native())
                  : std::string("no checkpoint was due before (--snapshot N)");
  const std::string message = fmt::format(
      "training diverged in step {}: {}{}{}; {}. {}", step, divergence.what, objective, where, kept,
      origin && origin->in_data
          ? "Mend that sample, or leave it out"
          : "A smaller learning rate, a stable form of the loss or clipping the gradient are the "
            "usual remedies");
  (void)folder_->log("error: " + message);
  return fail(message, 3);
}

void TrainRun::summarize() {
  Console& console = context_.console;
  if (!console.json()) {
    console.out(folder_->path().native() + "\n");
    return;
  }
  Json summary;
  summary.set("run", folder_->path().native());
  summary.set("checkpoint", checkpoint_ ? Json(checkpoint_->native()) : Json());
  summary.set("step", training_->counters().step);
  summary.set("seconds", progress_->seconds());
  summary.set("first_step_seconds", first_step_seconds_);
  summary.set("median_step_seconds", progress_->median_step_seconds());
  summary.set("peak_bytes", peak_resident_bytes());
  console.out_json(summary);
}

}  // namespace ganc::runtime
