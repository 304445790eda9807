#pragma once

#include <vector>

#include "compiler/lex/lex.h"

namespace ganc {

// The tokens of `file` as they are written: every line end is a newline, brackets may not match.
//   reports  bytes that are no UTF-8, and characters, numbers and strings that are none
Tokens scan(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

// Makes brackets match.
//   needs    what `scan` made
//   ensures  every opening bracket has its closing one after it, `match` is set on both
//   reports  unclosed, unopened and mismatched brackets, each with both places
std::vector<Token> match_brackets(const Sources& sources, std::vector<Token> tokens,
                                  Diagnostics& diagnostics);

}  // namespace ganc
