#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/description.h"
#include "runtime/json.h"
#include "runtime/options.h"
#include "runtime/result.h"

namespace ganc::runtime {

// A place in one spelling, whatever the current folder: no `.` or `..`, no slash at its end.
std::string absolute_path(const std::filesystem::path& path);

// What its options.json tells of a run whose program is another one, " (..)", for a message; empty:
// nothing.
std::string program_difference(const std::filesystem::path& run, const Description& description);

// All that repeats a run from any folder, for options.json.
Json run_options(const Options& options, const Description& description, std::string_view isa,
                 unsigned threads);

// The options that a run goes on with: those in its options.json, with the data and limits of
// `given` where it has some. An option of `given` that contradicts the run, or a run of another
// program, is a failure.
Result<Options> continued_options(const std::filesystem::path& run, const Options& given,
                                  const Description& description);

}  // namespace ganc::runtime
