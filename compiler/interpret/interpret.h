#pragma once

#include <map>
#include <string>

#include "compiler/ops/op.h"

namespace ganc {

// to_type: each f32 value that is computed is rounded to f32, as compiled programs do.
enum class Rounding { none, to_type };

// Every output of `graph` in float64, by the ops' own definitions: the oracle of the tests.
//   needs    a verified graph without `grad`; a value of the declared type for every input that an
//   output reads
// A `draw` whose name has a value in `inputs` takes it instead of its operand's: a feed.
std::map<std::string, Value> interpret(const Graph& graph,
                                       const std::map<std::string, Value>& inputs,
                                       Rounding rounding = Rounding::none);

}  // namespace ganc
