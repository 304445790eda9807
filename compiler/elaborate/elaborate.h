#pragma once

#include <map>
#include <optional>
#include <string>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/elaborate/model.h"
#include "compiler/source/source.h"

namespace ganc {

struct ElaborateOptions {
  std::map<std::string, std::string>
      set;  // --set NAME=VALUE; the value is an expression of the language
  std::optional<std::int64_t> batch;
  DType real = DType::f32;  // f64 with --dtype f64
};

// The model that `file` (and what it uses) describes. Reads `use`d files from the file's folder
// into `sources`. Graphs may hold `grad`. Work is bounded: evaluation steps, nesting, nodes,
// elements of a shape, source size. After an error the model is incomplete and only the diagnostics
// count.
Model elaborate(Sources& sources, std::uint32_t file, const ElaborateOptions& options,
                Diagnostics& diagnostics);

}  // namespace ganc
