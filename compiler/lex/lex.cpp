#include "compiler/lex/lex.h"

#include "compiler/lex/scan.h"

namespace ganc {
namespace {

// Whether a line that begins with `token` goes on with the statement of the line before.
bool continues_statement(const Sources& sources, const Token& token) {
  return is_infix(token.kind) || token.kind == TokenKind::with || token.kind == TokenKind::as ||
         token.kind == TokenKind::else_ ||
         (token.kind == TokenKind::name && sources.text(token.span) == "by");
}

// Leaves the newlines that end a statement, and keeps `match` true.
std::vector<Token> drop_newlines(const Sources& sources, const std::vector<Token>& tokens) {
  std::vector<Token> kept;
  std::vector<std::uint32_t> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token token = tokens[i];
    token.first_in_line = i == 0 || tokens[i - 1].kind == TokenKind::newline;
    const auto here = static_cast<std::uint32_t>(kept.size());
    if (token.kind == TokenKind::newline) {
      const bool in_block = open.empty() || kept[open.back()].kind == TokenKind::open_brace;
      while (tokens[i + 1].kind == TokenKind::newline) ++i;
      if (!in_block || continues_statement(sources, tokens[i + 1])) continue;
    } else if (is_opening(token.kind)) {
      open.push_back(here);
    } else if (is_closing(token.kind)) {
      token.match = open.back();
      kept[open.back()].match = here;
      open.pop_back();
    }
    kept.push_back(token);
  }
  return kept;
}

}  // namespace

Tokens lex(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  Tokens tokens = scan(sources, file, diagnostics);
  tokens.list =
      drop_newlines(sources, match_brackets(sources, std::move(tokens.list), diagnostics));
  return tokens;
}

std::string string_value(std::string_view text) {
  std::string value;
  if (!text.empty()) text.remove_prefix(1);
  if (!text.empty() && text.back() == '"') text.remove_suffix(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '\\' || !(next == 'n' || next == 't' || next == '"' || next == '\\')) {
      value += text[i];
      continue;
    }
    value += next == 'n' ? '\n' : next == 't' ? '\t' : next;
    ++i;
  }
  return value;
}

}  // namespace ganc
