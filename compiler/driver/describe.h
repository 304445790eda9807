#pragma once

#include <string>

#include "compiler/driver/compile.h"

namespace ganc {

// The program description (runtime/description.md): what the trainer knows about the model, as one
// JSON document, for the CPUs of one plan.
//   needs    a compilation up to Stage::plan
std::string describe(const Compilation& compilation, const Plan& plan, const Sources& sources,
                     std::uint32_t file, const CompileOptions& options, std::int64_t scratch_bytes);

// "models/vae.gan:12"; empty where the place is unknown.
std::string place(const Sources& sources, Span span);

}  // namespace ganc
