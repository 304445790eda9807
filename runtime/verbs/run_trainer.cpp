#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>

#include "runtime/cpu.h"
#include "runtime/files.h"
#include "runtime/progress.h"
#include "runtime/signals.h"
#include "runtime/verbs/verbs.h"

namespace ganc::runtime {
namespace {

Result<int> run_verb(VerbContext context) {
  switch (context.options.verb) {
    case Verb::train:
      return train(std::move(context));
    case Verb::sample:
      return sample(std::move(context));
    case Verb::step:
      return step(std::move(context));
    case Verb::forward:
      return forward(std::move(context));
    case Verb::grad:
      return grad(std::move(context));
    case Verb::info:
      return info(std::move(context));
    case Verb::serve:
      return serve(std::move(context));
  }
  __builtin_unreachable();
}

// Before the options are read, so that a wrong option is reported as the user asked.
bool wants_json(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i] == "--format=json" ||
        (arguments[i] == "--format" && i + 1 < arguments.size() && arguments[i + 1] == "json"))
      return true;
  return false;
}

// A file that is opened must not become what is written to as standard output or error.
void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    // Read-only: what is written to a stream that was closed fails, as it would have.
    if (::fcntl(stream, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
}

}  // namespace

int run_trainer(const GancProgram& program, int argc, const char* const* argv) {
  (void)seconds_since_start();
  fill_closed_streams();
  // Buffers of batches and pictures go back to the system when they are freed, so that the peak is
  // what is used at once.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ignore_failed_writes();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const std::string name =
      argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "trainer";
  Console console(wants_json(arguments));
  const auto fail_with = [&](const Failure& failure) {
    console.report(failure);
    return failure.exit_code;
  };
  // Kernels need AVX2; the runtime itself runs anywhere and says so.
  auto description = read_description(program);
  if (!description) return fail_with(description.error());
  const std::string version =
      fmt::format("{} {} (ganc {})", name, description->model_hash, description->compiler);
  auto line = parse_command_line(arguments, name, version);
  if (!line) return fail_with(line.error());
  Result<int> code = 0;
  if (line->print)
    console.out(*line->print);
  else
    try {
      code = run_verb({program, std::move(*description), line->options, console});
    } catch (const std::bad_alloc&) {
      code = fail(
          "cannot get the memory that this takes; free memory, raise the limit on it (ulimit -v), "
          "or ask for less");
    }
  if (!code) return fail_with(code.error());
  // Results that nobody got are no success. Training goes on all the same: its results are files.
  if (*code == 0 && console.out_error() != 0)
    return fail_with(file_failure("write", "standard output", console.out_error()));
  return *code;
}

}  // namespace ganc::runtime
