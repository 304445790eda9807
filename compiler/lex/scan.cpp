#include "compiler/lex/scan.h"

#include <charconv>
#include <cmath>
#include <utility>

namespace ganc {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// How many bytes the code point at `at` has; 0: what stands there is no UTF-8.
std::size_t code_point_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2   ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;  // overlong, a surrogate, or past U+10FFFF
  }
  return length;
}

// Operators of other languages and characters that look like ours: what to write instead.
constexpr std::pair<std::string_view, std::string_view> foreign[] = {
    {"&&", "and"},
    {"||", "or"},
    {"**", "^"},
    {"//", "/"},
    {"=>", "->"},
    {"|>", "->"},
    {"+=", ""},
    {"-=", ""},
    {"*=", ""},
    {"/=", ""},
    {":=", "="},
    {"===", "=="},
    {"!==", "!="},
    {"<>", "!="},
    {"!", "not"},
    {"&", "and"},
    {"|", "or"},
    {"\xE2\x88\x92", "-"},
    {"\xE2\x80\x93", "-"},
    {"\xC3\x97", "*"},
    {"\xC2\xB7", "*"},
    {"\xE2\x86\x92", "->"},
    {"\xE2\x89\xA4", "<="},
    {"\xE2\x89\xA5", ">="},
    {"\xE2\x89\xA0", "!="},
};

class Scanner {
 public:
  Scanner(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics)
      : file_(file), text_(sources.text(file)), diagnostics_(diagnostics) {}

  Tokens run() {
    if (text_.size() > source_limit) {
      diagnostics_.report(Kind::file_too_large, span(0, 0), text_.size(), source_limit);
      text_ = {};
    }
    report_invalid_bytes();
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (at_ < text_.size()) step();
    push(TokenKind::end, text_.size());
    return std::move(tokens_);
  }

 private:
  Span span(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }
  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void push(TokenKind kind, std::size_t end) {
    tokens_.list.push_back({.kind = kind, .faulty = faulty_, .span = span(at_, end)});
    faulty_ = false;
    at_ = end;
  }

  void report_invalid_bytes() {
    for (std::size_t i = 0; i < text_.size() && !diagnostics_.full();) {
      const std::size_t length = code_point_length(text_, i);
      if (length == 0) {
        const unsigned byte = static_cast<unsigned char>(text_[i]);
        diagnostics_.report(Kind::not_utf8, span(i, i + 1), byte);
      }
      i += std::max<std::size_t>(length, 1);
    }
  }

  void step() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '\n') {
      push(TokenKind::newline, at_ + 1);
    } else if (c == '#') {
      comment();
    } else if (is_name_start(c)) {
      std::size_t end = at_;
      while (end < text_.size() && is_name_part(text_[end])) ++end;
      push(word_kind(text_.substr(at_, end - at_)), end);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_operand())) {
      number();
    } else if (c == '"') {
      string();
    } else if (!foreign_operator() && !sign()) {
      unknown_character();
    }
  }

  void comment() {
    std::size_t end = std::min(text_.find('\n', at_), text_.size());
    if (end > at_ && text_[end - 1] == '\r') --end;
    tokens_.comments.push_back(span(at_, end));
    at_ = end;
  }

  // Whether the token before ends where the next begins and may be followed by `.name`.
  bool after_operand() const {
    if (tokens_.list.empty() || tokens_.list.back().span.end != at_) return false;
    const TokenKind kind = tokens_.list.back().kind;
    return kind == TokenKind::name || kind == TokenKind::close_paren ||
           kind == TokenKind::close_square || kind == TokenKind::close_brace;
  }

  // `1`, `0.5`, `2e-4`; in `0..3` the number ends before the dots.
  void number() {
    std::size_t i = at_;
    const auto digits = [&] {
      const std::size_t before = i;
      while (i < text_.size() && is_digit(text_[i])) ++i;
      return i > before;
    };
    const auto next = [&](std::size_t ahead) {
      return i + ahead < text_.size() ? text_[i + ahead] : '\0';
    };
    bool good = digits();
    if (next(0) == '.' && next(1) != '.' && !is_name_start(next(1))) {
      ++i;
      good &= digits();
    }
    if ((next(0) == 'e' || next(0) == 'E') &&
        (is_digit(next(1)) || ((next(1) == '-' || next(1) == '+') && is_digit(next(2))))) {
      i += 2;
      digits();
    }
    while (i < text_.size() && is_name_part(text_[i])) {
      good = false;
      ++i;
    }
    const std::string_view text = text_.substr(at_, i - at_);
    if (!good) {
      malformed_number(text);
    } else if (!std::isfinite(std::strtod(std::string(text).c_str(), nullptr))) {
      diagnostics_.report(Kind::malformed_number, span(at_, i), text)
          .label(span(at_, i), "larger than a 64-bit number can be");
    }
    push(TokenKind::number, i);
  }

  void malformed_number(std::string_view text) {
    const Span where = span(at_, at_ + text.size());
    auto report = diagnostics_.report(Kind::malformed_number, where, text);
    if (text.front() == '.') {
      report.fix(where, fmt::format("write `0{}`", text), fmt::format("0{}", text));
    } else if (text.back() == '.') {
      report.fix(where, fmt::format("write `{}0`", text), fmt::format("{}0", text));
    } else if (text.find('_') != std::string_view::npos) {
      report.note("digits are written without separators: `400000` or `4e5`");
    } else {
      report.note("a name begins with a letter or `_`");
    }
  }

  void string() {
    std::size_t i = at_ + 1;
    while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') {
      if (text_[i] == '\\' && i + 1 < text_.size() && text_[i + 1] != '\n') {
        const char c = text_[i + 1];
        if (c != 'n' && c != 't' && c != '"' && c != '\\') {
          const std::size_t length = std::max<std::size_t>(code_point_length(text_, i + 1), 1);
          diagnostics_
              .report(Kind::unknown_escape, span(i, i + 1 + length), text_.substr(i, 1 + length))
              .note("the escapes are `\\n`, `\\t`, `\\\"` and `\\\\`");
        }
        ++i;
      }
      ++i;
    }
    if (i < text_.size() && text_[i] == '"') {
      push(TokenKind::string, i + 1);
      return;
    }
    diagnostics_.report(Kind::unclosed_string, span(at_, i)).fix(span(i, i), "close it", "\"");
    faulty_ = true;
    push(TokenKind::string, i);
  }

  // 'text', as other languages write strings.
  bool single_quoted() {
    const std::size_t end = text_.find_first_of("'\n", at_ + 1);
    if (end == std::string_view::npos || text_[end] != '\'') return false;
    const Span where = span(at_, end + 1);
    const std::string ours = fmt::format("\"{}\"", text_.substr(at_ + 1, end - at_ - 1));
    diagnostics_.report(Kind::unknown_character, where, "`'`")
        .fix(where, fmt::format("write `{}`", ours), ours);
    push(TokenKind::string, end + 1);
    return true;
  }

  // An operator that other languages have. Goes on as if ours stood there.
  bool foreign_operator() {
    std::pair<std::string_view, std::string_view> longest;
    for (const auto& candidate : foreign) {
      if (text_.substr(at_).starts_with(candidate.first) &&
          candidate.first.size() > longest.first.size()) {
        longest = candidate;
      }
    }
    const auto [text, ours] = longest;
    if (text.empty() || (text == "!" && peek(1) == '=')) return false;
    const Span where = span(at_, at_ + text.size());
    auto report = diagnostics_.report(Kind::foreign_operator, where, text);
    if (!ours.empty()) {
      report.fix(where, fmt::format("write `{}`", ours), std::string(ours));
      const std::size_t end = at_ + text.size();
      push(kind_of(ours), end);
    } else {
      report.note(fmt::format("write `x = x {} y`; `x` is then declared by `var`", text[0]));
      push(TokenKind::assign, at_ + text.size());
    }
    return true;
  }

  static TokenKind kind_of(std::string_view text) {
    if (const TokenKind word = word_kind(text); word != TokenKind::name) return word;
#define GANC_TOKEN(word, sign) \
  if (text == sign) return TokenKind::word;
    GANC_SIGNS(GANC_TOKEN)
#undef GANC_TOKEN
    return TokenKind::end;
  }

  // The longest sign that stands here.
  bool sign() {
    for (std::size_t length = 3; length > 0; --length) {
      const TokenKind kind = kind_of(text_.substr(at_, length));
      if (kind == TokenKind::end || is_reserved(kind) || at_ + length > text_.size()) continue;
      push(kind, at_ + length);
      return true;
    }
    return false;
  }

  void unknown_character() {
    if (text_[at_] == '\'' && single_quoted()) return;
    faulty_ = true;
    std::size_t length = code_point_length(text_, at_);
    if (length == 0) {  // reported before
      ++at_;
      return;
    }
    // Neighbours that are no ASCII are letters of one name, mostly.
    while (!is_ascii(text_[at_]) && at_ + length < text_.size() && !is_ascii(text_[at_ + length])) {
      const std::size_t next = code_point_length(text_, at_ + length);
      if (next == 0) break;
      length += next;
    }
    const Span where = span(at_, at_ + length);
    const char c = text_[at_];
    const bool visible = !is_ascii(c) || (c > ' ' && c != 0x7F);
    const std::string shown =
        visible ? fmt::format("`{}`", text_.substr(at_, length))
                : fmt::format("the control character 0x{:02X}", static_cast<unsigned char>(c));
    auto report = diagnostics_.report(Kind::unknown_character, where, shown);
    const std::string_view here = text_.substr(at_, length);
    const bool quote = here.starts_with("\xE2\x80\x9C") || here.starts_with("\xE2\x80\x9D");
    if (c == '\'' || quote) {
      report.note("strings stand in \"...\"");
    } else if (!is_ascii(c)) {
      report.note(
          "names are made of a-z, A-Z, 0-9 and `_`; strings and comments may hold any text");
    }
    at_ += length;
  }

  std::uint32_t file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  bool faulty_ = false;  // whether the next token is
  Tokens tokens_;
};

}  // namespace

Tokens scan(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  return Scanner(sources, file, diagnostics).run();
}

}  // namespace ganc
