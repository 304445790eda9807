#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/lex/token.h"
#include "compiler/source/source.h"

namespace ganc {

// A program has at most this many bytes.
constexpr std::size_t source_limit = 4 << 20;

struct Tokens {
  std::vector<Token> list;     // ends with TokenKind::end
  std::vector<Span> comments;  // from `#` to the end of the line, in order
};

// The tokens of `file`.
//   ensures  brackets match (what was missing is put in, what was too much left out, both
//   reported);
//            only newlines that end a statement are tokens: none inside ( ) and [ ], none before an
//            infix operator, `by`, `with`, `as` or `else`, never two in a row
//   reports  bytes that are no UTF-8, characters, numbers and strings that are none, brackets
Tokens lex(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

// The value of a string token's text, quotes included; unknown escapes stay as they are.
std::string string_value(std::string_view text);

}  // namespace ganc
