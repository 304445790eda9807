#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/options.h"

namespace ganc::runtime {

// The verbs that an option belongs to, as bits.
constexpr unsigned bit(Verb verb) {
  return 1U << static_cast<unsigned>(verb);
}
constexpr unsigned every_verb = 0x7F;

struct OptionRow {
  const char* name;   // "--steps"
  const char* value;  // "N"; null: a flag
  unsigned verbs;
  const char* help;
  // Puts the value into the options; an error is what is wrong with it: "is no whole number".
  std::string (*set)(Options&, std::string_view value);
};

struct VerbRow {
  Verb verb;
  const char* positional;  // "RUN|CHECKPOINT", or null
  bool positional_needed;
  const char* help;
  const char* example;
};

std::span<const OptionRow> option_rows();
std::span<const VerbRow> verb_rows();

}  // namespace ganc::runtime
