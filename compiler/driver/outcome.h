#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/source/source.h"

namespace ganc {

// Why a verb stops before its end. Where a diagnostic says it, the message is empty.
struct Stop {
  std::string message;
  int exit_code = 1;

  static Stop wrong_program() { return {}; }
};

// What a verb read and found; the texts that its diagnostics quote live here.
struct Session {
  Sources sources;
  std::vector<Diagnostic> reported;
};

// What a verb hands back. Nothing prints but `finish` (command.cpp), which prints this.
struct Outcome {
  int exit_code = 0;
  std::string text;   // for standard output
  std::string note;   // for standard error: sizes, times, what was written
  std::string error;  // for standard error, where something but the program is wrong
  nlohmann::ordered_json document =
      {};  // with --format json; ok, error and diagnostics are added to it
  std::vector<std::string>
      execute;  // `run`: the trainer and its arguments, in place of this process

  static Outcome stopped(const Stop& stop) {
    Outcome outcome;
    outcome.exit_code = stop.exit_code;
    outcome.error = stop.message;
    return outcome;
  }
};

}  // namespace ganc
