#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/driver/input.h"
#include "compiler/driver/verbs.h"
#include "compiler/parse/format.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/print_ast.h"

namespace ganc {
namespace {

namespace fs = std::filesystem;

// A layout that changed the meaning would be a bug of ours, and must not reach the user's file.
void check_meaning(const ast::Ast& tree, const std::string& name, const std::string& laid_out) {
  Sources sources;
  Diagnostics diagnostics;
  const std::uint32_t file = sources.add(name, laid_out);
  const ast::Ast again = parse(sources, file, diagnostics);
  if (!diagnostics.has_error() && same_meaning(tree, again)) return;
  fmt::print(stderr, "ganc: the layout of {} would change its meaning; the file is as it was\n",
             name);
  std::abort();
}

// The new text, or nothing where it is the old one. Diagnostics are kept in the session.
std::expected<std::string, Stop> laid_out(const std::string& path, Session& session) {
  const auto file = read_program(path, session.sources);
  if (!file) return std::unexpected(file.error());
  Diagnostics diagnostics;
  const ast::Ast tree = parse(session.sources, *file, diagnostics);
  keep(diagnostics, session);
  if (diagnostics.has_error()) return std::unexpected(Stop::wrong_program());
  std::string text = format(session.sources, tree, *file);
  check_meaning(tree, path, text);
  return text;
}

// The old file or the new one, whatever happens; a link goes on to name its file, which keeps its
// permissions.
std::expected<void, Stop> replace(const std::string& path, const std::string& text) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  const auto failed = [&](const std::string& reason) {
    return std::unexpected(Stop{fmt::format("cannot write {}: {}", path, reason)});
  };
  if (error) return failed(error.message());
  if (access(target.c_str(), W_OK) != 0) return failed(std::generic_category().message(errno));
  const fs::path part = target.string() + fmt::format(".{}.part", getpid());
  std::ofstream stream(part, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) {
    const std::string reason = std::generic_category().message(errno);
    fs::remove(part, error);
    return failed(reason);
  }
  fs::permissions(part, fs::status(target, error).permissions(), error);
  fs::rename(part, target, error);
  if (!error) return {};
  const std::string reason = error.message();
  fs::remove(part, error);
  return failed(reason);
}

}  // namespace

Outcome run_format(const Options& options, Session& session) {
  Outcome outcome;
  auto changed = nlohmann::ordered_json::array();
  const auto stop = [&](const Stop& why) {
    outcome.exit_code = why.exit_code;
    if (!why.message.empty()) outcome.error += (outcome.error.empty() ? "" : "\n") + why.message;
  };
  for (const std::string& path : options.files) {
    const auto index = static_cast<std::uint32_t>(session.sources.count());
    const auto text = laid_out(path, session);
    if (!text) {
      stop(text.error());
      continue;
    }
    const bool standard_input = path == "-";
    if (standard_input && !options.check_layout) outcome.text += *text;
    if (*text == session.sources.text(index)) continue;
    changed.push_back(path);
    if (options.check_layout) {
      outcome.exit_code = 1;
      outcome.text += path + "\n";
    } else if (!standard_input) {
      if (const auto written = replace(path, *text); !written) stop(written.error());
    }
  }
  outcome.document = {{"changed", std::move(changed)}};
  if (options.json && !options.check_layout && options.files == std::vector<std::string>{"-"}) {
    outcome.document["text"] = outcome.text;
  }
  return outcome;
}

}  // namespace ganc
