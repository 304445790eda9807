#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/driver/build.h"
#include "compiler/driver/input.h"
#include "compiler/driver/table.h"
#include "compiler/driver/trainer.h"
#include "compiler/driver/verbs.h"
#include "compiler/link/link.h"

namespace ganc {
namespace {

// "dcgan28" for models/dcgan28.gan, in the current folder.
std::string trainer_name(const std::string& file) {
  if (file == "-") return "trainer";
  return std::filesystem::path(file).stem().string();
}

// The program that `output` would replace: one of the files read.
std::expected<void, Stop> keeps_files(const std::filesystem::path& output,
                                      const std::vector<std::string>& files) {
  std::error_code error;
  for (const std::string& file : files) {
    if (!std::filesystem::equivalent(output, file, error)) continue;
    return std::unexpected(
        Stop{fmt::format("cannot write {}: it is {}; name another file with -o", output.string(),
                         &file == &files.front() ? "the program" : "a file of the program")});
  }
  return {};
}

}  // namespace

Outcome build_trainer(const Options& options, Session& session, std::uint32_t file,
                      const std::filesystem::path& output) {
  const auto start = std::chrono::steady_clock::now();
  // What is known before the compilation is said before it.
  if (const auto possible = check_output(output); !possible)
    return Outcome::stopped({possible.error()});
  if (const auto kept = keeps_files(output, {session.sources.name(file)}); !kept)
    return Outcome::stopped(kept.error());
  auto diagnostics = new_diagnostics(options.compile);
  if (!diagnostics) return Outcome::stopped(diagnostics.error());
  const auto compilation =
      compile(session.sources, file, options.compile, Stage::plan, *diagnostics);
  keep(*diagnostics, session);
  if (!compilation) return Outcome::stopped(compilation.error());
  if (const auto kept = keeps_files(output, compilation->model.files); !kept)
    return Outcome::stopped(kept.error());
  const auto size = make_trainer(*compilation, session.sources, file, options.compile, output);
  if (!size) return Outcome::stopped(size.error());

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Plan& plan = plan_here(*compilation);
  Outcome outcome;
  outcome.note =
      fmt::format("{}: {} in {:.2f} s, {} kernels, {} of memory for training", output.string(),
                  human_bytes(static_cast<double>(*size)), seconds, plan.kernels.size(),
                  human_bytes(static_cast<double>(plan.arena_bytes)));
  for (const std::string& missing : compilation->model.missing) {
    outcome.note += "\nwithout: " + missing;
  }
  outcome.document = {{"trainer", output.string()},
                      {"bytes", *size},
                      {"seconds", seconds},
                      {"kernels", plan.kernels.size()},
                      {"arena_bytes", plan.arena_bytes},
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
