#include "runtime/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include <unistd.h>

namespace ganc::runtime {
namespace {

constexpr std::size_t most_times = 100'000;

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// Filled to an eighth of a column.
std::string bar(double share, int width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width * 8);
  std::string text;
  for (int i = 0; i < filled / 8; ++i) text += "█";
  text += eighths[filled % 8];
  const int columns = filled / 8 + (filled % 8 != 0 ? 1 : 0);
  text.append(static_cast<std::size_t>(std::max(0, width - columns)), ' ');
  return text;
}

}  // namespace

double seconds_since_start() {
  // Field 22 of /proc/self/stat: when the process started, in clock ticks since the machine did.
  static const double start = [] {
    char text[2048] = {};
    if (std::FILE* file = std::fopen("/proc/self/stat", "re")) {
      (void)!std::fread(text, 1, sizeof text - 1, file);
      std::fclose(file);
    }
    std::string_view rest = text;
    const auto name_end = rest.rfind(')');
    if (name_end == std::string_view::npos) return 0.0;
    rest.remove_prefix(name_end + 1);
    for (int field = 3; field <= 22; ++field)
      rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
    return static_cast<double>(std::atoll(std::string(rest).c_str())) /
           static_cast<double>(sysconf(_SC_CLK_TCK));
  }();
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::max(
      0.0, static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 - start);
}

void Progress::begin(const Training& training) {
  begin_ = last_step_ = last_shown_ = last_rate_ = Clock::now();
  done_at_begin_ = done(training);
  begin_step_ = training.counters().step;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

double Progress::done(const Training& training) const {
  double share = training.run_progress();
  if (limits_.steps && *limits_.steps > 0)
    share = std::max(
        share, static_cast<double>(training.counters().step) / static_cast<double>(*limits_.steps));
  if (limits_.epochs) share = std::max(share, training.run_epochs() / *limits_.epochs);
  if (limits_.seconds) share = std::max(share, seconds() / *limits_.seconds);
  return std::min(1.0, share);
}

std::string Progress::losses(const Training& training) const {
  std::string text;
  for (const auto& [name, value] : training.counters().last)
    if (name.starts_with("loss/")) text += fmt::format("  {} {:.4g}", name.substr(5), value);
  return text;
}

std::optional<std::string> Progress::step(const Training& training) {
  const auto now = Clock::now();
  const double took = std::chrono::duration<double>(now - last_step_).count();
  last_step_ = now;
  if (step_seconds_.size() < most_times) step_seconds_.push_back(static_cast<float>(took));
  images_since_rate_ += static_cast<double>(training.samples_a_step());
  const double rate_time = std::chrono::duration<double>(now - last_rate_).count();
  if (rate_time > 0.5 || !rate_settled_)
    images_per_second_ = rate_time > 0 ? images_since_rate_ / rate_time : 0;
  const bool first = begin_step_ + 1 == training.counters().step;
  if (rate_time > 0.5 || first) {  // the first step waits for data and memory
    rate_settled_ = !first;
    images_since_rate_ = 0;
    last_rate_ = now;
  }
  const double since_shown = std::chrono::duration<double>(now - last_shown_).count();
  if (since_shown < (console_.on_terminal() ? 0.1 : 5.0)) return std::nullopt;
  last_shown_ = now;
  const double share = done(training);
  const double gained = share - done_at_begin_;
  const std::string eta =
      gained > 0 ? fmt::format("  {} left", duration(seconds() * (1 - share) / gained)) : "";
  const std::string line = fmt::format("step {}{}  {:.4g} images/s{}", training.counters().step,
                                       losses(training), images_per_second_, eta);
  if (console_.on_terminal()) {
    const int room = terminal_width() - static_cast<int>(line.size()) - 9;
    const std::string percent = fmt::format("{:3.0f} %", share * 100);
    console_.bar(room >= 4 ? fmt::format("▕{}▏{} {}", bar(share, std::min(room, 24)), percent, line)
                           : line);
  } else {
    console_.note(line);
  }
  return line;
}

double Progress::images_per_second() const {
  return images_per_second_;
}

double Progress::median_step_seconds() const {
  if (step_seconds_.empty()) return 0;
  std::vector<float> times = step_seconds_;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace ganc::runtime
