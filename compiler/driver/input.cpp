#include "compiler/driver/input.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ganc {
namespace {

constexpr std::size_t read_limit = std::size_t{16} << 20;  // far above what a program may have

std::string reason(int error) {
  return std::error_code(error, std::generic_category()).message();
}

std::expected<std::string, Stop> read_all(int descriptor, const std::string& name) {
  std::string text;
  std::array<char, 1 << 16> part;
  while (text.size() < read_limit) {
    const ssize_t count = read(descriptor, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return std::unexpected(Stop{fmt::format("cannot read {}: {}", name, reason(errno))});
    if (count == 0) break;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::expected<std::string, Stop> read_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return std::unexpected(Stop{fmt::format("cannot open {}: {}", path, reason(errno))});
  struct stat status = {};
  std::expected<std::string, Stop> text;
  if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
    text = std::unexpected(
        Stop{fmt::format("cannot read {}: it is {}, no file (- reads standard input)", path,
                         S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe")});
  } else {
    text = read_all(descriptor, path);
  }
  close(descriptor);
  return text;
}

}  // namespace

std::expected<std::uint32_t, Stop> read_program(const std::string& path, Sources& sources) {
  auto text = path == "-" ? read_all(STDIN_FILENO, "standard input") : read_file(path);
  if (!text) return std::unexpected(text.error());
  return sources.add(path == "-" ? "<stdin>" : path, std::move(*text));
}

std::expected<Diagnostics, Stop> new_diagnostics(const CompileOptions& options) {
  Diagnostics diagnostics;
  const auto unknown = [](const std::string& name) {
    std::vector<std::string> warnings;
    for (Kind kind : all_kinds()) {
      if (info(kind).severity == Severity::warning) warnings.emplace_back(info(kind).code);
    }
    const std::string near = nearest(name, warnings);
    return std::unexpected(
        Stop{fmt::format("there is no warning `{}`{} (`ganc explain` lists them)", name,
                         near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
             2});
  };
  for (const std::string& name : options.allow) {
    if (!diagnostics.allow(name)) return unknown(name);
  }
  for (const std::string& name : options.deny) {
    if (!diagnostics.deny(name)) return unknown(name);
  }
  return diagnostics;
}

void keep(const Diagnostics& diagnostics, Session& session) {
  for (const Diagnostic& diagnostic : diagnostics.all()) session.reported.push_back(diagnostic);
}

}  // namespace ganc
