#pragma once

#include <filesystem>
#include <string_view>

#include "runtime/description.h"
#include "runtime/json.h"
#include "runtime/options.h"
#include "runtime/result.h"

namespace ganc::runtime {

// All that repeats a run, for options.json.
Json run_options(const Options& options, const Description& description, std::string_view isa,
                 unsigned threads);

// The options that a run goes on with: those in its options.json, with the limits of `given` where
// it has some. An option of `given` that contradicts the run, or a run of another program, is a
// failure.
Result<Options> continued_options(const std::filesystem::path& run, const Options& given,
                                  const Description& description);

}  // namespace ganc::runtime
