#include "runtime/verbs/verbs.h"

// In an object of its own, so that a program with another `main` can link the rest of the runtime.
int main(int argc, char** argv) {
  return ganc::runtime::run_trainer(ganc_program, argc, argv);
}
