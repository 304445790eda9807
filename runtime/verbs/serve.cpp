#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>

#include "runtime/cpu.h"
#include "runtime/progress.h"
#include "runtime/verbs/random_iteration.h"
#include "runtime/verbs/verbs.h"

namespace ganc::runtime {
namespace {

// Lines of standard input; nothing at its end.
class Lines {
 public:
  std::optional<std::string> next() {
    while (true) {
      if (const auto end = text_.find('\n'); end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
      }
      char buffer[256];
      const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0 || text_.size() > 4096) return std::nullopt;
      text_.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  std::string text_;
};

std::optional<int> parse_request(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (!line.starts_with("run ")) return std::nullopt;
  line.remove_prefix(4);
  int count = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), count);
  if (read.ec != std::errc() || read.ptr != line.data() + line.size() || count < 1 ||
      count > 1'000'000)
    return std::nullopt;
  return count;
}

}  // namespace

Result<int> serve(VerbContext context) {
  auto session =
      Session::open(context.program, std::move(context.description), context.options, "", false);
  if (!session) return std::unexpected(session.error());
  auto iteration = RandomIteration::create(**session);
  if (!iteration) return std::unexpected(iteration.error());
  (*iteration)->run();
  Json ready;
  ready.set("ready", true);
  ready.set("startup_s", seconds_since_start());
  ready.set("model", (*session)->description.model);
  ready.set("isa", (*session)->variant->isa);
  ready.set("threads", (*session)->pool->threads());
  if (!context.console.out_json(ready)) return 0;
  Lines lines;
  while (auto line = lines.next()) {
    if (line->empty()) continue;
    const auto count = parse_request(*line);
    if (!count) {
      Json error;
      error.set("error", fmt::format("`{}` is not `run K`", *line));
      context.console.out_json(error);
      continue;
    }
    Json::Array times;
    for (int i = 0; i < *count; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      (*iteration)->run();
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
              .count());
    }
    Json answer;
    answer.set("ms", std::move(times));
    if (!context.console.out_json(answer)) break;
  }
  return 0;
}

}  // namespace ganc::runtime
