#include "runtime/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace ganc::runtime {
namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace

Console::Console(bool json) : json_(json), terminal_(is_terminal()), color_(terminal_) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') color_ = false;
}

void Console::note(std::string_view line) {
  end_bar();
  write_all(STDERR_FILENO, std::string(line) + "\n");
}

void Console::warn(std::string_view message) {
  end_bar();
  write_all(STDERR_FILENO, fmt::format("{}warning:{} {}\n", color_ ? "\033[35;1m" : "",
                                       color_ ? "\033[0m" : "", message));
}

void Console::bar(std::string_view text) {
  if (!terminal_) return;
  write_all(STDERR_FILENO, fmt::format("\r{}\033[K", text));
  bar_shown_ = true;
}

void Console::end_bar() {
  if (!bar_shown_) return;
  write_all(STDERR_FILENO, "\n");
  bar_shown_ = false;
}

bool Console::out(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return true;
  if (out_error_ == 0) out_error_ = errno;
  return false;
}

void Console::report(const Failure& failure) {
  end_bar();
  write_all(STDERR_FILENO, fmt::format("{}error:{} {}\n", color_ ? "\033[31;1m" : "",
                                       color_ ? "\033[0m" : "", failure.message));
  if (!json_) return;
  Json diagnostic, document;
  diagnostic.set("severity", "error");
  diagnostic.set("message", failure.message);
  diagnostic.set("spans", Json::Array());
  diagnostic.set("notes", Json::Array());
  diagnostic.set("fixes", Json::Array());
  document.set("diagnostics", Json::Array{std::move(diagnostic)});
  document.set("exit_code", failure.exit_code);
  out_json(document);
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace ganc::runtime
