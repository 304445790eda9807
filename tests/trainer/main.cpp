// The trainer of the hand-made program, for tests that need a process.
#include <cstdlib>

#include "runtime/verbs/verbs.h"
#include "toy_program.h"

int main(int argc, char** argv) {
  const ToyOptions options = toy_options_from_environment();
  const GancProgram& program = std::getenv("TOY_DAMAGE") != nullptr
                                   ? toy_program_with("{\"abi\": 1}")
                                   : toy_program(options);
  return ganc::runtime::run_trainer(program, argc, argv);
}
