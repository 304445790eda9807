#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>

#include "compiler/driver/compile.h"

namespace ganc {

// Of what this version lacks for the model, that without which there is no trainer: sources and
// outputs. A metric is left out instead, which the trainer says when it starts.
std::vector<std::string> what_prevents(const Model& model);

// The pipeline from the plan to an executable at `output`; its size in bytes.
std::expected<std::uintmax_t, Stop> make_trainer(const Compilation& compilation,
                                                 const Sources& sources, std::uint32_t file,
                                                 const CompileOptions& options,
                                                 const std::filesystem::path& output);

}  // namespace ganc
