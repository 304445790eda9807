// The trainer of the hand-made program, for tests that need a process.
#include "runtime/verbs/verbs.h"
#include "toy_program.h"

int main(int argc, char** argv) {
  return ganc::runtime::run_trainer(toy_program(toy_options_from_environment()), argc, argv);
}
