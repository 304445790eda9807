#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/console.h"
#include "runtime/training.h"

namespace ganc::runtime {

double seconds_since_start();  // of the process

// What the user sees of a run while it goes: a bar on a terminal, elsewhere a line at most every
// five seconds.
class Progress {
 public:
  // Where the run will stop; `begin`: where this process began.
  struct Limits {
    std::optional<std::int64_t> steps;
    std::optional<double> epochs, seconds;
  };
  Progress(Console& console, Limits limits) : console_(console), limits_(limits) {}

  void begin(const Training& training);
  // After a step; returns the line for log.txt where one was due.
  std::optional<std::string> step(const Training& training);
  double seconds() const;  // of training in this process
  double images_per_second() const;
  double median_step_seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  double done(const Training& training) const;  // 0 to 1
  std::string losses(const Training& training) const;

  Console& console_;
  Limits limits_;
  Clock::time_point begin_, last_step_, last_shown_, last_rate_;
  std::int64_t begin_step_ = 0;
  bool rate_settled_ = false;  // a whole interval after the first step has been measured
  double done_at_begin_ = 0, images_since_rate_ = 0, images_per_second_ = 0;
  std::vector<float> step_seconds_;
};

}  // namespace ganc::runtime
