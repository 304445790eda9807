#pragma once

#include <string>

#include "compiler/schedule/plan.h"

namespace ganc {

// The calls of a program with their kernels, each kernel whole where it is first called: `ganc emit
// kernels`.
std::string print_kernels(const Plan& plan, const ProgramPlan& program);
// Where everything lies, and how much memory each program takes: `ganc emit memory`.
std::string print_memory(const Plan& plan);

}  // namespace ganc
