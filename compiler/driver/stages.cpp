#include "compiler/driver/stages.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "compiler/graph/verify.h"

namespace ganc {
namespace {

void check(std::string_view stage, const std::string& what,
           const std::vector<std::string>& faults) {
  if (faults.empty()) return;
  fmt::print(stderr, "ganc: after {}, {} is malformed:\n", stage, what);
  for (const std::string& fault : faults) fmt::print(stderr, "  {}\n", fault);
  std::abort();
}

}  // namespace

Stages::Stages()
    : start_(std::chrono::steady_clock::now()), timed_(std::getenv("GANC_TIME") != nullptr) {}

void Stages::done(std::string_view stage, const std::vector<CompiledProgram>& programs) {
  for (const CompiledProgram& program : programs) check(stage, program.name, verify(program.graph));
  done(stage);
}

void Stages::done(std::string_view stage, const Plan& plan) {
  for (const kernel::Kernel& kernel : plan.kernels)
    check(stage, "kernel " + kernel.name, kernel::verify(kernel));
  done(stage);
}

void Stages::done(std::string_view stage) {
  const auto now = std::chrono::steady_clock::now();
  if (timed_) {
    fmt::print(stderr, "{:<14}{:9.1f} ms\n", stage,
               std::chrono::duration<double, std::milli>(now - start_).count());
  }
  start_ = now;
}

}  // namespace ganc
