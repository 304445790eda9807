#include <algorithm>
#include <array>

#include "compiler/lex/scan.h"

namespace ganc {
namespace {

// A reserved word that begins a declaration or statement and stands in no expression. In ( ) or [ ]
// it shows that a bracket was not closed.
bool begins_statement(TokenKind kind) {
  constexpr std::array words = {
      TokenKind::use,       TokenKind::const_, TokenKind::data,   TokenKind::noise,
      TokenKind::state,     TokenKind::layer,  TokenKind::net,    TokenKind::optimizer,
      TokenKind::train,     TokenKind::output, TokenKind::metric, TokenKind::let,
      TokenKind::var,       TokenKind::update, TokenKind::watch,  TokenKind::param,
      TokenKind::average};
  return std::find(words.begin(), words.end(), kind) != words.end();
}

// A word that begins only declarations of the file.
bool begins_declaration(TokenKind kind) {
  return begins_statement(kind) && kind <= TokenKind::metric && kind != TokenKind::noise &&
         kind != TokenKind::state;
}

class BracketMatcher {
 public:
  BracketMatcher(const Sources& sources, const std::vector<Token>& tokens, Diagnostics& diagnostics)
      : sources_(sources), tokens_(tokens), diagnostics_(diagnostics) {}

  // `by_column`: a declaration at the left edge also ends what braces are open. Right where a brace
  // is missing, wrong for a program that is only not indented.
  std::vector<Token> run(bool by_column, bool report) {
    out_.clear();
    open_.clear();
    report_ = report;
    brace_left_open = false;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (i > 0 && tokens_[i - 1].kind == TokenKind::newline) line_starts_with(token, by_column);
      if (token.kind == TokenKind::end) {
        while (!open_.empty()) close_missing(token);
      }
      if (is_closing(token.kind)) {
        close(token);
      } else {
        if (is_opening(token.kind)) open_.push_back(token);
        out_.push_back(token);
      }
    }
    return std::move(out_);
  }

  bool brace_left_open = false;

 private:
  void line_starts_with(const Token& token, bool by_column) {
    if (begins_statement(token.kind)) {
      while (!open_.empty() && open_.back().kind != TokenKind::open_brace) close_missing(token);
    }
    if (by_column && begins_declaration(token.kind) &&
        sources_.position(token.span.file, token.span.begin).column == 1) {
      while (!open_.empty()) close_missing(token);
    }
  }

  // Puts in the partner of the innermost open bracket, before `found`.
  void close_missing(const Token& found) {
    const Token opening = open_.back();
    open_.pop_back();
    brace_left_open |= opening.kind == TokenKind::open_brace;
    const TokenKind closing = closing_of(opening.kind);
    if (report_) {
      auto report = diagnostics_.report(Kind::unclosed_bracket, opening.span,
                                        spelling(opening.kind));
      report.label(found.span, fmt::format("`{}` is missing before this", spelling(closing)));
    }
    // After the last token that is no newline, so that a statement's end still stands after it.
    std::size_t at = out_.size();
    while (at > 0 && out_[at - 1].kind == TokenKind::newline) --at;
    const std::uint32_t end = at > 0 ? out_[at - 1].span.end : 0;
    const Span span{found.span.file, end, end};
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(at),
                Token{.kind = closing, .repaired = true, .span = span});
  }

  void close(Token token) {
    const auto is_partner = [&](const Token& t) { return closing_of(t.kind) == token.kind; };
    if (std::any_of(open_.begin(), open_.end(), is_partner)) {
      while (!is_partner(open_.back())) close_missing(token);
    } else if (!open_.empty() && open_.back().kind != TokenKind::open_brace) {
      replace(token);
    } else {
      if (report_) {
        diagnostics_.report(Kind::unopened_bracket, token.span, spelling(token.kind))
            .fix(token.span, "remove it");
      }
      return;
    }
    open_.pop_back();
    out_.push_back(token);
  }

  // `(a]`: takes the wrong bracket for the right one.
  void replace(Token& token) {
    const Token& opening = open_.back();
    const std::string_view wanted = spelling(closing_of(opening.kind));
    if (report_) {
      diagnostics_.report(Kind::mismatched_bracket, token.span, wanted, spelling(token.kind))
          .label(opening.span, fmt::format("this `{}` is to be closed", spelling(opening.kind)))
          .fix(token.span, fmt::format("write `{}`", wanted), std::string(wanted));
    }
    token.kind = closing_of(opening.kind);
    token.repaired = true;
  }

  const Sources& sources_;
  const std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
  bool report_ = false;
  std::vector<Token> out_;
  std::vector<Token> open_;
};

}  // namespace

std::vector<Token> match_brackets(const Sources& sources, std::vector<Token> tokens,
                                  Diagnostics& diagnostics) {
  BracketMatcher matcher(sources, tokens, diagnostics);
  std::vector<Token> matched = matcher.run(false, false);
  return matcher.run(matcher.brace_left_open, true);
}

}  // namespace ganc
