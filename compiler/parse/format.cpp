#include "compiler/parse/format.h"

#include <algorithm>
#include <vector>

#include "compiler/parse/format_items.h"

namespace ganc {
namespace {

struct Line {
  std::size_t indent = 0;
  bool blank_before = false;
  std::string code;
  std::string comment;
};

constexpr std::size_t step = 4;
constexpr std::size_t columns = 100;

bool is_plain_open(const Item& item) {
  return item.kind == TokenKind::open_paren || item.kind == TokenKind::open_square;
}

// Whether nothing stands between `item` and what follows it on its line.
bool tight_after(const Item& item) {
  return is_plain_open(item) || item.kind == TokenKind::dot || item.kind == TokenKind::range ||
         item.kind == TokenKind::power || item.prefix_minus || item.slice_colon;
}

bool tight_before(const Item& item) {
  switch (item.kind) {
    case TokenKind::close_paren:
    case TokenKind::close_square:
    case TokenKind::comma:
    case TokenKind::semicolon:
    case TokenKind::dot:
    case TokenKind::range:
    case TokenKind::power:
    case TokenKind::colon:
      return true;
    case TokenKind::open_paren:
    case TokenKind::open_square:
      return !item.own_bracket;
    default:
      return false;  // everything else has a space before it
  }
}

bool space_between(const Item& left, const Item& right) {
  if (left.kind == TokenKind::open_brace && right.kind == TokenKind::close_brace) return false;
  if (left.kind == TokenKind::comma || left.kind == TokenKind::semicolon) return true;
  return !tight_after(left) && !tight_before(right);
}

class Layout {
 public:
  explicit Layout(const std::vector<Item>& items) : items_(items) {}

  std::vector<Line> run() {
    for (at_ = 0; at_ < items_.size(); ++at_) {
      const Item& item = items_[at_];
      if (item.breaks) begin_line();
      Line& line = lines_.back();
      if (item.comment) {
        line.comment = item.text;
        continue;
      }
      if (!line.code.empty() && space_between(items_[at_ - 1], item)) line.code += ' ';
      line.code += item.text;
      if (is_opening(item.kind)) {
        open_.push_back({line.indent + step, line.indent, item.kind == TokenKind::open_brace});
      } else if (is_closing(item.kind)) {
        open_.pop_back();
      }
    }
    return std::move(lines_);
  }

 private:
  struct Bracket {
    std::size_t inside = 0;   // the indentation of what stands in it
    std::size_t outside = 0;  // of the line that opened it
    bool block = true;
  };

  void begin_line() {
    const Item& item = items_[at_];
    const bool first = at_ == 0;
    const bool closes = !item.comment && is_closing(item.kind);
    const bool goes_on = continues();
    Line line;
    line.indent = closes ? open_.back().outside : open_.back().inside + (goes_on ? step : 0);
    line.blank_before = item.blank_before && !first && !closes && !(goes_on && !item.comment) &&
                        !is_opening(items_[at_ - 1].kind) && !after_opening_comment();
    lines_.push_back(std::move(line));
  }

  // A blank line at the start of a block is dropped also behind `{  # comment`.
  bool after_opening_comment() const {
    return at_ > 1 && items_[at_ - 1].comment && !items_[at_ - 1].breaks &&
           is_opening(items_[at_ - 2].kind);
  }

  // Whether the line that begins here goes on with a statement or element. A comment belongs to
  // what stands below it.
  bool continues() const {
    std::size_t next = at_;
    while (next < items_.size() && items_[next].comment) ++next;
    if (next == items_.size() || is_closing(items_[next].kind)) return false;
    if (items_[next].kind == TokenKind::else_) return false;
    if (open_.back().block) return !items_[next].starts;
    std::size_t before = at_;
    while (before > 0 && items_[before - 1].comment) --before;
    const TokenKind last = items_[before - 1].kind;
    return last != TokenKind::comma && !is_opening(last);
  }

  const std::vector<Item>& items_;
  std::size_t at_ = 0;
  std::vector<Line> lines_;
  std::vector<Bracket> open_ = {{}};
};

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool has_both(const Line& line) {
  return !line.code.empty() && !line.comment.empty();
}

// Where the comments of lines [begin, end) stand in one column, or 0 where a line would be too
// long.
std::size_t comment_column(const std::vector<Line>& lines, std::size_t begin, std::size_t end) {
  constexpr std::size_t widest_gap = 40;  // further away a comment is not seen with its code
  std::size_t column = 0;
  std::size_t shortest = SIZE_MAX;
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t code_end = lines[i].indent + width(lines[i].code);
    column = std::max(column, code_end + 2);
    shortest = std::min(shortest, code_end);
  }
  if (column - shortest > widest_gap) return 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (column + width(lines[i].comment) > columns) return 0;
  }
  return column;
}

std::string write(const std::vector<Line>& lines) {
  std::string text;
  std::size_t aligned_to = 0;
  std::size_t column = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (line.blank_before) text += '\n';
    text.append(line.indent, ' ');
    text += line.code;
    if (has_both(line)) {
      if (i >= aligned_to) {
        aligned_to = i + 1;
        while (aligned_to < lines.size() && has_both(lines[aligned_to]) &&
               !lines[aligned_to].blank_before) {
          ++aligned_to;
        }
        column = comment_column(lines, i, aligned_to);
      }
      const std::size_t used = line.indent + width(line.code);
      text.append(std::max(column, used + 2) - used, ' ');
    }
    text += line.comment;
    text += '\n';
  }
  return text;
}

}  // namespace

std::string format(const Sources& sources, const ast::Ast& tree, std::uint32_t file) {
  Diagnostics diagnostics;
  const Tokens tokens = lex(sources, file, diagnostics);
  if (diagnostics.has_error()) return sources.text(file);
  return write(Layout(format_items(sources, tree, tokens)).run());
}

}  // namespace ganc
