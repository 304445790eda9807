#include "compiler/parse/parse.h"

#include <algorithm>

#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

ast::Ast parse(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  return Parser(sources, file, diagnostics).run();
}

Parser::Parser(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics)
    : sources_(sources), diagnostics_(diagnostics) {
  Tokens tokens = lex(sources, file, diagnostics);
  tokens_ = std::move(tokens.list);
  ast_.file = file;
  for (const Span& comment : tokens.comments) ast_.comments.push_back({comment});
  last_ = {file, 0, 0};
}

ast::Ast Parser::run() {
  ast_.roots = declarations(TokenKind::end);
  return std::move(ast_);
}

std::string_view advice_on(std::string_view foreign_word) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"return", "the last expression of a body is its result"},
      {"while", "loops are `for` over a list that is known when the program is compiled"},
      {"def", "a function is `fn name(x) { ... }`"},
      {"function", "a function is `fn name(x) { ... }`"},
      {"lambda", "a function without a name is `fn(x) { ... }`"},
      {"elif", "write `else if`"},
      {"import", "write `use \"blocks.gan\"`"},
      {"include", "write `use \"blocks.gan\"`"},
      {"model", "a network is `net name(x) -> type { ... }`"},
      {"class", "a network is `net`, a part of networks `layer`"},
      {"print", "a number in the log is `watch name = value`"},
  };
  for (const auto& [word, advice] : words) {
    if (word == foreign_word) return advice;
  }
  return {};
}

// ---- tokens

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool Parser::at_word(std::string_view word, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::name && text(peek(ahead)) == word;
}

bool Parser::at_statement_end() const {
  return at(TokenKind::newline) || at(TokenKind::semicolon) || at(TokenKind::close_brace) ||
         at(TokenKind::end);
}

const Token& Parser::take() {
  const Token& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  if (token.kind != TokenKind::newline && token.kind != TokenKind::end) last_ = token.span;
  return token;
}

bool Parser::accept(TokenKind kind) {
  if (failed_ || !at(kind)) return false;
  take();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (failed_ || !at_word(word)) return false;
  take();
  return true;
}

void Parser::skip_newlines() {
  while (at(TokenKind::newline)) take();
}

// ---- errors

std::string Parser::found() const {
  const Token& token = peek();
  if (token.kind == TokenKind::end || token.kind == TokenKind::newline) {
    return std::string(spelling(token.kind));
  }
  constexpr std::size_t shown = 40;
  const std::string_view written = text(token);
  if (token.kind == TokenKind::string && written.size() > shown) return "a string";
  return fmt::format("`{}`", written.substr(0, shown));
}

Report* Parser::unexpected(std::string_view expected) {
  const bool silent = failed_ || peek().repaired || peek().faulty || reported_at_ == at_;
  failed_ = true;
  reported_at_ = at_;
  if (silent) return nullptr;
  Span span = peek().span;
  // The end of a line has no width; show the place after what was read.
  if (at(TokenKind::newline) || at(TokenKind::end)) span = {last_.file, last_.end, last_.end};
  report_ = diagnostics_.report(Kind::unexpected, span, expected, found());
  const TokenKind kind = peek().kind;
  if (is_reserved(kind) && expected.find("name") != std::string_view::npos) {
    report_->note(fmt::format("`{}` is a word of the language", spelling(kind)));
  }
  return &*report_;
}

void Parser::expect(TokenKind kind, std::string_view after) {
  if (failed_ || accept(kind)) return;
  if (kind == TokenKind::open_brace && at(TokenKind::newline) && peek(1).kind == kind) {
    diagnostics_.report(Kind::unexpected, peek(1).span, "`{` on the line before", "it on the next");
    take();
    take();
    return;
  }
  Report* report =
      unexpected(fmt::format("`{}`{}{}", spelling(kind), after.empty() ? "" : " ", after));
  if (report && kind == TokenKind::open_brace && at(TokenKind::assign)) {
    report->fix(peek().span, "`==` compares", "==");
  }
}

void Parser::expect_word(std::string_view word) {
  if (failed_ || accept_word(word)) return;
  if (const std::string meant = near_word({word}); !meant.empty()) {
    report_misspelt(meant);
    take();
    return;
  }
  unexpected(fmt::format("`{}`", word));
}

std::string_view Parser::expect_one_of(std::initializer_list<std::string_view> words,
                                       std::string_view expected) {
  if (failed_) return {};
  for (const std::string_view word : words) {
    if (accept_word(word)) return word;
  }
  const std::string meant = near_word(words);
  if (meant.empty()) {
    unexpected(expected);
    return {};
  }
  report_misspelt(meant);
  take();
  return *std::find(words.begin(), words.end(), meant);
}

ast::Name Parser::expect_name(std::string_view what) {
  if (failed_) return {};
  if (at(TokenKind::name)) {
    const Token& token = take();
    return {std::string(text(token)), token.span};
  }
  if (is_reserved(peek().kind) && reported_at_ != at_) {
    diagnostics_.report(Kind::reserved_name, peek().span, text(peek()))
        .label(peek().span, fmt::format("here stands {}", what));
    const Token& token = take();  // goes on as if it were one
    return {std::string(text(token)), token.span};
  }
  unexpected(what);
  return {};
}

std::string Parser::near_word(std::initializer_list<std::string_view> words) const {
  if (!at(TokenKind::name) && !is_reserved(peek().kind)) return {};
  return nearest(text(peek()), {words.begin(), words.end()});
}

void Parser::report_misspelt(const std::string& meant) {
  diagnostics_.report(Kind::misspelt_word, peek().span, text(peek()))
      .fix(peek().span, fmt::format("did you mean `{}`?", meant), meant);
}

void Parser::skip_repaired() {
  while (peek().repaired && is_closing(peek().kind) && !at(TokenKind::close_brace)) take();
}

void Parser::skip_statement() {
  failed_ = false;
  while (!at_statement_end()) {
    if (is_opening(peek().kind)) at_ = peek().match;
    take();
  }
}

void Parser::close_bracket(std::uint32_t open, std::string_view expected) {
  const std::uint32_t close = tokens_[open].match;
  if (at_ != close && !failed_ && tokens_[close].repaired) return;  // it was to be closed here
  if (at_ != close && !failed_) {
    Report* report = unexpected(expected);
    if (report && at(TokenKind::assign)) report->fix(peek().span, "`==` compares", "==");
  }
  if (at_ <= close) {
    at_ = close;
    take();
  }
  failed_ = false;
}

bool Parser::enter() {
  ++depth_;
  if (failed_) return false;
  if (depth_ <= nesting_limit) return true;
  report_too_deep(peek().span, nesting_limit);
  failed_ = true;
  return false;
}

void Parser::report_too_deep(Span span, int limit) {
  if (too_deep_reported_) return;
  too_deep_reported_ = true;
  diagnostics_.report(Kind::nested_too_deep, span, limit).note("name parts of it with `let`");
}

}  // namespace ganc
