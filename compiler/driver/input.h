#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "compiler/driver/options.h"
#include "compiler/driver/outcome.h"

namespace ganc {

// Reads the program at `path` ("-": standard input, named <stdin>) and returns its index in
// `sources`. A folder, a FIFO or a device is refused; of a huge file only so much is read as the
// lexer needs to refuse it.
std::expected<std::uint32_t, Stop> read_program(const std::string& path, Sources& sources);

// A list of diagnostics with the options' --allow and --deny. An unknown name is wrong usage.
std::expected<Diagnostics, Stop> new_diagnostics(const CompileOptions& options);

// Keeps what `diagnostics` holds for the end of the verb.
void keep(const Diagnostics& diagnostics, Session& session);

}  // namespace ganc
