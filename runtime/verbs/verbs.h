#pragma once

#include "runtime/abi.h"
#include "runtime/console.h"
#include "runtime/description.h"
#include "runtime/options.h"
#include "runtime/result.h"

namespace ganc::runtime {

// What a verb runs with. Each returns the exit code: 0, or of `train` that of a signal.
struct VerbContext {
  const GancProgram& program;
  Description description;
  const Options& options;
  Console& console;
};

Result<int> train(VerbContext context);
Result<int> sample(VerbContext context);
Result<int> step(VerbContext context);
Result<int> forward(VerbContext context);
Result<int> grad(VerbContext context);
Result<int> info(VerbContext context);
Result<int> serve(VerbContext context);

// Command line to exit code: what `main` calls. `arguments[0]` is the program's name.
int run_trainer(const GancProgram& program, int argc, const char* const* argv);

}  // namespace ganc::runtime
