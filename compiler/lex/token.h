#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/source/source.h"

namespace ganc {

// TOKEN(name, spelling): the tokens that are always spelt alike.
// clang-format off
#define GANC_WORDS(TOKEN)                                                                          \
  TOKEN(use, "use")                                                                                \
  TOKEN(const_, "const") TOKEN(data, "data") TOKEN(noise, "noise") TOKEN(state, "state")           \
      TOKEN(fn, "fn") TOKEN(layer, "layer") TOKEN(net, "net") TOKEN(optimizer, "optimizer")        \
          TOKEN(train, "train") TOKEN(output, "output") TOKEN(metric, "metric") TOKEN(for_, "for") \
              TOKEN(if_, "if") TOKEN(let, "let") TOKEN(var, "var") TOKEN(update, "update")         \
                  TOKEN(watch, "watch") TOKEN(param, "param") TOKEN(every, "every")                \
                      TOKEN(average, "average") TOKEN(else_, "else") TOKEN(as, "as")               \
                          TOKEN(with, "with") TOKEN(and_, "and") TOKEN(or_, "or")                  \
                              TOKEN(not_, "not") TOKEN(true_, "true") TOKEN(false_, "false")       \
                                  TOKEN(expectation, "E")
#define GANC_SIGNS(TOKEN)                                                                         \
  TOKEN(open_paren, "(")                                                                          \
  TOKEN(close_paren, ")") TOKEN(open_square, "[") TOKEN(close_square, "]") TOKEN(open_brace, "{") \
      TOKEN(close_brace, "}") TOKEN(comma, ",") TOKEN(semicolon, ";") TOKEN(colon, ":")           \
          TOKEN(dot, ".") TOKEN(range, "..") TOKEN(ellipsis, "...") TOKEN(assign, "=")            \
              TOKEN(tilde, "~") TOKEN(arrow, "->") TOKEN(equal, "==") TOKEN(not_equal, "!=")      \
                  TOKEN(less, "<") TOKEN(less_equal, "<=") TOKEN(greater, ">")                    \
                      TOKEN(greater_equal, ">=") TOKEN(plus, "+") TOKEN(minus, "-")               \
                          TOKEN(star, "*") TOKEN(slash, "/") TOKEN(percent, "%") TOKEN(at, "@")   \
                              TOKEN(power, "^")
// clang-format on

enum class TokenKind : std::uint8_t {
  end,      // of the file
  newline,  // one that ends a statement; others are no tokens
  name,
  number,
  string,
#define GANC_TOKEN(name, spelling) name,
  GANC_WORDS(GANC_TOKEN) GANC_SIGNS(GANC_TOKEN)
#undef GANC_TOKEN
};

struct Token {
  TokenKind kind = TokenKind::end;
  // Put in or changed by the lexer so that brackets match; what is wrong has been reported.
  bool repaired = false;
  bool first_in_line = false;
  // The token, or what stood right before it, was reported and mended: what else seems wrong here
  // follows from that.
  bool faulty = false;
  Span span;
  std::uint32_t match = 0;  // of a bracket: the index of its partner
};

// "(" for open_paren; "name" for a name.
std::string_view spelling(TokenKind kind);
// `name` or the reserved word that `text` is.
TokenKind word_kind(std::string_view text);
bool is_reserved(TokenKind kind);
// `->`, `or`, `+`, ...: what goes on with the line before.
bool is_infix(TokenKind kind);
bool is_opening(TokenKind kind);
bool is_closing(TokenKind kind);
TokenKind closing_of(TokenKind opening);
TokenKind opening_of(TokenKind closing);

}  // namespace ganc
