#include "compiler/lex/token.h"

#include <array>
#include <unordered_map>

namespace ganc {
namespace {

constexpr std::array<std::string_view, 5> open_classes = {
    "the end of the file", "the end of the line", "a name", "a number", "a string"};
constexpr std::array fixed = {
#define GANC_TOKEN(name, spelling) std::string_view(spelling),
    GANC_WORDS(GANC_TOKEN) GANC_SIGNS(GANC_TOKEN)
#undef GANC_TOKEN
};

}  // namespace

std::string_view spelling(TokenKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < open_classes.size() ? open_classes[index] : fixed[index - open_classes.size()];
}

TokenKind word_kind(std::string_view text) {
  static const std::unordered_map<std::string_view, TokenKind> words = {
#define GANC_TOKEN(word, text) {text, TokenKind::word},
      GANC_WORDS(GANC_TOKEN)
#undef GANC_TOKEN
  };
  const auto found = words.find(text);
  return found == words.end() ? TokenKind::name : found->second;
}

bool is_reserved(TokenKind kind) {
  return kind >= TokenKind::use && kind <= TokenKind::expectation;
}

bool is_infix(TokenKind kind) {
  return kind == TokenKind::and_ || kind == TokenKind::or_ || kind == TokenKind::range ||
         (kind >= TokenKind::arrow && kind <= TokenKind::power);
}

bool is_opening(TokenKind kind) {
  return kind == TokenKind::open_paren || kind == TokenKind::open_square ||
         kind == TokenKind::open_brace;
}

bool is_closing(TokenKind kind) {
  return kind == TokenKind::close_paren || kind == TokenKind::close_square ||
         kind == TokenKind::close_brace;
}

TokenKind closing_of(TokenKind opening) {
  return static_cast<TokenKind>(static_cast<int>(opening) + 1);
}

TokenKind opening_of(TokenKind closing) {
  return static_cast<TokenKind>(static_cast<int>(closing) - 1);
}

}  // namespace ganc
