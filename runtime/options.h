#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

enum class Verb { train, sample, step, forward, grad, info, serve };
std::string_view name(Verb verb);

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What the command line says; an empty optional or text: not given.
struct Options {
  Verb verb = Verb::train;
  // every verb
  bool json = false;
  Pairs data;     // (field or empty, path)
  Pairs weights;  // (net, path)
  std::optional<std::uint64_t> seed;
  std::optional<std::int64_t> threads;
  std::string device = "auto", cpu;
  // train
  std::string out, resume, init;
  std::optional<std::int64_t> steps, log, images, snapshot, keep;
  std::optional<double> epochs, seconds;
  // sample, info: a run or checkpoint
  std::string checkpoint;
  std::string output, to_path;
  std::optional<std::int64_t> count;
  Pairs inputs;
  // step, forward, grad
  std::string from, feed, to, net, of;
  // info
  bool list_feed = false, profile = false;
};

// What a command line asks for: to run, or to print a text and leave.
struct CommandLine {
  Options options;
  std::optional<std::string> print;  // help or version
};

// `program`: the trainer's name, for help. Failures have exit code 2 and name the nearest option.
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments,
                                       const std::string& program, const std::string& version);

}  // namespace ganc::runtime
