#include "compiler/driver/command.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/driver/options.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

Outcome dispatch(const Options& options, Session& session) {
  switch (options.verb) {
    case Verb::build:
      return run_build(options, session);
    case Verb::run:
      return run_trainer(options, session);
    case Verb::check:
      return run_check(options, session);
    case Verb::format:
      return run_format(options, session);
    case Verb::emit:
      return run_emit(options, session);
    case Verb::explain_code:
      return run_explain_code(options);
    case Verb::explain_grad:
      return run_explain_grad(options, session);
    case Verb::explain_cost:
      return run_explain_cost(options, session);
  }
  std::abort();
}

bool write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return true;
  fmt::print(stderr, "ganc: cannot write standard output: {}\n", std::strerror(errno));
  return false;
}

std::string line(const std::string& text) {
  return text.empty() || text.ends_with('\n') ? text : text + "\n";
}

// "2 errors and a warning"; empty where there is nothing to count.
std::string count(const std::vector<Diagnostic>& list) {
  std::size_t errors = 0;
  for (const Diagnostic& diagnostic : list) errors += diagnostic.severity == Severity::error;
  const std::size_t warnings = list.size() - errors;
  const auto words = [](std::size_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  if (errors == 0) return warnings == 0 ? "" : words(warnings, "warning");
  return warnings == 0 ? words(errors, "error")
                       : words(errors, "error") + " and " + words(warnings, "warning");
}

int finish_as_json(const Outcome& outcome, const Session& session) {
  using Json = nlohmann::ordered_json;
  Json document = {{"ok", outcome.exit_code == 0}};
  if (!outcome.error.empty()) document["error"] = outcome.error;
  if (outcome.document.is_object()) document.update(outcome.document);
  document["diagnostics"] = Json::array();
  for (const Diagnostic& diagnostic : session.reported) {
    document["diagnostics"].push_back(Json::parse(render_json(diagnostic, session.sources)));
  }
  // Bytes of a program that are no UTF-8 are shown as U+FFFD; the document stays JSON.
  return write_out(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n")
             ? outcome.exit_code
             : 1;
}

int finish_as_text(const Outcome& outcome, const Session& session) {
  const bool colour = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  for (const Diagnostic& diagnostic : session.reported) {
    fmt::print(stderr, "{}\n", line(render(diagnostic, session.sources, colour)));
  }
  if (const std::string counted = count(session.reported); !counted.empty()) {
    fmt::print(stderr, "ganc: {}\n", counted);
  }
  if (!outcome.error.empty()) fmt::print(stderr, "ganc: {}", line(outcome.error));
  if (!outcome.note.empty()) fmt::print(stderr, "ganc: {}", line(outcome.note));
  return write_out(outcome.text) ? outcome.exit_code : 1;
}

int end_of_usage(const UsageEnd& end) {
  if (end.exit_code == 0) return write_out(end.text) ? 0 : 1;
  if (end.json) {
    const nlohmann::ordered_json document = {
        {"ok", false}, {"error", end.text}, {"diagnostics", nlohmann::ordered_json::array()}};
    write_out(document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
              "\n");
  }
  fmt::print(stderr, "ganc: {}", line(end.text));
  return end.exit_code;
}

// Does not return where it succeeds.
int execute(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  execv(pointers[0], pointers.data());
  fmt::print(stderr, "ganc: cannot run {}: {}\n", words[0], std::strerror(errno));
  return 1;
}

}  // namespace

int run_command(std::vector<std::string> arguments) {
  const auto options = parse_options(std::move(arguments));
  if (!options) return end_of_usage(options.error());
  Session session;
  Outcome outcome = dispatch(*options, session);
  // A trainer that runs speaks for itself, in JSON too.
  if (!outcome.execute.empty()) {
    finish_as_text(outcome, session);
    return execute(outcome.execute);
  }
  return options->json ? finish_as_json(outcome, session) : finish_as_text(outcome, session);
}

}  // namespace ganc
