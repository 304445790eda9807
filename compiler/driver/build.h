#pragma once

#include <filesystem>

#include "compiler/driver/options.h"
#include "compiler/driver/outcome.h"

namespace ganc {

// Compiles `file`, which is among the session's sources, into a trainer at `output`, which is none
// of the files read. The outcome's document lists these ("files").
Outcome build_trainer(const Options& options, Session& session, std::uint32_t file,
                      const std::filesystem::path& output);

}  // namespace ganc
