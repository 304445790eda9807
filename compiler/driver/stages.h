#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "compiler/driver/compile.h"

namespace ganc {

// The end of every stage passes here: its result is verified (what is wrong is a bug of ours: it is
// printed and the process aborts) and, where GANC_TIME is set, its time goes to standard error.
class Stages {
 public:
  Stages();
  void done(std::string_view stage, const std::vector<CompiledProgram>& programs);
  void done(std::string_view stage, const Plan& plan);
  void done(std::string_view stage);

 private:
  std::chrono::steady_clock::time_point start_;
  bool timed_;
};

// Every program that the trainer of `model` has.
std::vector<CompiledProgram> programs_of(const Model& model);

}  // namespace ganc
