#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/driver/build.h"
#include "compiler/driver/input.h"
#include "compiler/driver/table.h"
#include "compiler/driver/trainer.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

// "dcgan28" for models/dcgan28.gan, in the current folder.
std::string trainer_name(const std::string& file) {
  if (file == "-") return "trainer";
  return std::filesystem::path(file).stem().string();
}

}  // namespace

Outcome build_trainer(const Options& options, Session& session, std::uint32_t file,
                      const std::filesystem::path& output) {
  const auto start = std::chrono::steady_clock::now();
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto compilation =
      compile(session.sources, file, options.compile, Stage::plan, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());
  const auto size = make_trainer(*compilation, session.sources, file, options.compile, output);
  if (!size) return Outcome::stopped(size.error());

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Outcome outcome;
  outcome.note = fmt::format("{}: {} in {:.2f} s, {} kernels, {} of memory for training",
                             output.string(), human_bytes(static_cast<double>(*size)), seconds,
                             compilation->plan().kernels.size(),
                             human_bytes(static_cast<double>(compilation->plan().arena_bytes)));
  for (const std::string& missing : compilation->model.missing) {
    outcome.note += "\nwithout: " + missing;
  }
  outcome.document = {{"trainer", output.string()},
                      {"bytes", *size},
                      {"seconds", seconds},
                      {"kernels", compilation->plan().kernels.size()},
                      {"arena_bytes", compilation->plan().arena_bytes},
                      {"missing", compilation->model.missing},
                      {"files", compilation->model.files}};
  return outcome;
}

Outcome run_build(const Options& options, Session& session) {
  const std::string output =
      options.output.empty() ? trainer_name(options.files.front()) : options.output;
  const auto file = read_program(options.files.front(), session.sources);
  if (!file) return Outcome::stopped(file.error());
  return build_trainer(options, session, *file, output);
}

}  // namespace ganc
