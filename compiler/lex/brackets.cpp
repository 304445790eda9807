#include <algorithm>
#include <array>

#include "compiler/lex/scan.h"

namespace ganc {
namespace {

// A reserved word that begins a declaration or statement and stands in no expression. In ( ) or [ ]
// it shows that a bracket was not closed.
bool begins_statement(TokenKind kind) {
  constexpr std::array words = {TokenKind::use,    TokenKind::const_,    TokenKind::data,
                                TokenKind::noise,  TokenKind::state,     TokenKind::layer,
                                TokenKind::net,    TokenKind::optimizer, TokenKind::train,
                                TokenKind::output, TokenKind::metric,    TokenKind::let,
                                TokenKind::var,    TokenKind::update,    TokenKind::watch,
                                TokenKind::param,  TokenKind::average};
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
    open_of_kind_ = {};
    rewinds_ = 0;
    report_ = report;
    brace_left_open = false;
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      if (token.kind == TokenKind::newline) remember_line_end();
      const std::size_t before = at_;
      if (at_ > 0 && tokens_[at_ - 1].kind == TokenKind::newline) {
        line_starts_with(token, by_column);
      }
      while (token.kind == TokenKind::end && at_ == before && !open_.empty()) close_missing(token);
      if (at_ == before) handle(token);
    }
    return std::move(out_);
  }

  bool brace_left_open = false;

 private:
  struct Open {
    Token token;
    // Where the line ends at which the bracket was first the innermost open one and an element was
    // complete: the likely place of a missing partner. In tokens_ and in out_.
    std::size_t line_end = 0;
    std::size_t out_end = 0;
  };

  void handle(const Token& token) {
    if (is_closing(token.kind)) {
      close(token);
    } else {
      if (is_opening(token.kind)) {
        open_.push_back({token});
        ++open_of(token.kind);
      }
      out_.push_back(token);
    }
  }

  // How many brackets of a kind are open.
  std::size_t& open_of(TokenKind opening) {
    return open_of_kind_[opening == TokenKind::open_paren    ? 0
                         : opening == TokenKind::open_square ? 1
                                                             : 2];
  }

  void pop() {
    --open_of(open_.back().token.kind);
    open_.pop_back();
  }

  void remember_line_end() {
    if (open_.empty() || out_.empty()) return;
    Open& top = open_.back();
    const TokenKind last = out_.back().kind;
    const bool goes_on = is_opening(last) || last == TokenKind::comma || is_infix(last) ||
                         last == TokenKind::newline || last == TokenKind::assign;
    if (top.token.kind == TokenKind::open_brace || top.line_end != 0 || goes_on) return;
    top.line_end = at_;
    top.out_end = out_.size();
  }

  void line_starts_with(const Token& token, bool by_column) {
    const std::size_t before = at_;
    if (begins_statement(token.kind)) {
      while (at_ == before && !open_.empty() && open_.back().token.kind != TokenKind::open_brace) {
        close_missing(token);
      }
    }
    if (at_ == before && by_column && begins_declaration(token.kind) &&
        sources_.position(token.span.file, token.span.begin).column == 1) {
      while (at_ == before && !open_.empty()) close_missing(token);
    }
  }

  // Puts in the partner of the innermost open bracket: at the end of its line where that is likely,
  // then goes back there; else before `found`.
  void close_missing(const Token& found) {
    const Open open = open_.back();
    pop();
    brace_left_open |= open.token.kind == TokenKind::open_brace;
    constexpr int rewind_limit = 100;  // each may read the rest of the file again
    const bool rewind = open.line_end != 0 && rewinds_++ < rewind_limit;
    // After the last token that is no newline, so that a statement's end still stands after it.
    std::size_t at = rewind ? open.out_end : out_.size();
    while (at > 0 && out_[at - 1].kind == TokenKind::newline) --at;
    const std::uint32_t end = at > 0 ? out_[at - 1].span.end : 0;
    const Span here{found.span.file, end, end};
    const TokenKind closing = closing_of(open.token.kind);
    // A string that is not closed may have swallowed the bracket.
    if (report_ && !(at > 0 && out_[at - 1].faulty)) {
      diagnostics_.report(Kind::unclosed_bracket, open.token.span, spelling(open.token.kind))
          .label(rewind ? here : found.span,
                 fmt::format("`{}` is missing before this", spelling(closing)));
    }
    if (rewind) {
      out_.resize(at);
      at_ = open.line_end - 1;  // the loop goes on with the line's end
    }
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(at),
                Token{.kind = closing, .repaired = true, .span = here});
  }

  void close(Token token) {
    const auto is_partner = [&](const Open& o) { return closing_of(o.token.kind) == token.kind; };
    if (open_of(opening_of(token.kind)) > 0) {
      const std::size_t before = at_;
      while (at_ == before && !is_partner(open_.back())) close_missing(token);
      if (at_ != before) return;
    } else if (!open_.empty() && open_.back().token.kind != TokenKind::open_brace) {
      replace(token);
    } else {
      if (report_) {
        diagnostics_.report(Kind::unopened_bracket, token.span, spelling(token.kind))
            .fix(token.span, "remove it");
      }
      return;
    }
    pop();
    out_.push_back(token);
  }

  // `(a]`: takes the wrong bracket for the right one.
  void replace(Token& token) {
    const Token& opening = open_.back().token;
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
  std::size_t at_ = 0;
  int rewinds_ = 0;
  std::vector<Token> out_;
  std::vector<Open> open_;
  std::array<std::size_t, 3> open_of_kind_{};
};

}  // namespace

std::vector<Token> match_brackets(const Sources& sources, std::vector<Token> tokens,
                                  Diagnostics& diagnostics) {
  BracketMatcher matcher(sources, tokens, diagnostics);
  std::vector<Token> matched = matcher.run(false, false);
  return matcher.run(matcher.brace_left_open, true);
}

}  // namespace ganc
