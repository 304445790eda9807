#include "compiler/parse/format_items.h"

#include <algorithm>
#include <unordered_set>

namespace ganc {
namespace {

using namespace ast;

// Where the tree says what a token is, by its first byte.
struct Roles {
  std::unordered_set<std::uint32_t> prefix_minus;
  std::unordered_set<std::uint32_t> own_bracket;
  std::unordered_set<std::uint32_t> declaration;
};

Roles roles_of(const Ast& tree) {
  Roles roles;
  for (const Expr& e : tree.exprs) {
    if (const auto* unary = std::get_if<Unary>(&e.node); unary && unary->op == UnaryOp::negate) {
      roles.prefix_minus.insert(e.span.begin);
    }
    const bool own = std::holds_alternative<Paren>(e.node) ||
                     std::holds_alternative<Record>(e.node) || std::holds_alternative<List>(e.node);
    if (own) roles.own_bracket.insert(e.span.begin);
  }
  for (const Type& t : tree.types) {
    const bool own =
        std::holds_alternative<TensorType>(t.node) || std::holds_alternative<RecordType>(t.node);
    if (own) roles.own_bracket.insert(t.span.begin);
  }
  for (const Decl& d : tree.decls) roles.declaration.insert(d.span.begin);
  return roles;
}

bool blank_line_between(std::string_view text) {
  return std::count(text.begin(), text.end(), '\n') > 1;
}

bool breaks_line(std::string_view text) {
  return text.find('\n') != std::string_view::npos;
}

class ItemBuilder {
 public:
  ItemBuilder(const Sources& sources, const Ast& tree, const Tokens& tokens)
      : sources_(sources), roles_(roles_of(tree)), tokens_(tokens) {}

  std::vector<Item> run() {
    std::size_t comment = 0;
    for (const Token& token : tokens_.list) {
      while (comment < tokens_.comments.size() &&
             tokens_.comments[comment].begin < token.span.begin) {
        add({.comment = true}, tokens_.comments[comment++]);
      }
      if (token.kind == TokenKind::newline) {
        starts_ = true;
      } else if (token.kind != TokenKind::end) {
        add({.kind = token.kind}, token.span);
      }
    }
    while (comment < tokens_.comments.size()) {
      add({.comment = true}, tokens_.comments[comment++]);
    }
    drop_semicolons();
    match();
    break_blocks();
    return std::move(items_);
  }

 private:
  void add(Item item, Span span) {
    const std::string_view between = sources_.text(Span{span.file, end_of_last_, span.begin});
    item.text = sources_.text(span);
    item.breaks = items_.empty() || breaks_line(between);
    item.blank_before = blank_line_between(between);
    if (item.comment) {
      while (item.text.ends_with(' ') || item.text.ends_with('\t')) item.text.remove_suffix(1);
    } else {
      item.starts = starts_;
      starts_ = item.kind == TokenKind::open_brace || item.kind == TokenKind::semicolon;
      item.prefix_minus = roles_.prefix_minus.contains(span.begin);
      item.own_bracket = roles_.own_bracket.contains(span.begin);
      if (roles_.declaration.contains(span.begin)) declaration(item);
    }
    items_.push_back(item);
    end_of_last_ = span.end;
  }

  // Declarations stand on lines of their own, but a first one may stand behind `{`.
  void declaration(Item& item) {
    item.starts = true;
    const bool after_brace = !items_.empty() && items_.back().kind == TokenKind::open_brace;
    const bool after_else = !items_.empty() && items_.back().kind == TokenKind::else_;
    item.breaks |= !after_brace && !after_else;
  }

  void drop_semicolons() {
    std::vector<Item> kept;
    bool starts = false;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].kind == TokenKind::semicolon) {
        const bool useless = i + 1 == items_.size() || items_[i + 1].breaks ||
                             items_[i + 1].comment ||
                             items_[i + 1].kind == TokenKind::close_brace ||
                             items_[i + 1].kind == TokenKind::semicolon || kept.empty() ||
                             kept.back().kind == TokenKind::open_brace || items_[i].breaks;
        starts |= useless;
        if (useless) {
          // A line that began with the `;` begins with what follows it.
          if (items_[i].breaks && i + 1 < items_.size()) {
            items_[i + 1].breaks = true;
            items_[i + 1].blank_before |= items_[i].blank_before;
          }
          continue;
        }
      }
      kept.push_back(items_[i]);
      if (!items_[i].comment) kept.back().starts |= std::exchange(starts, false);
    }
    items_ = std::move(kept);
  }

  void match() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.comment) continue;
      if (is_opening(item.kind)) {
        open.push_back(i);
      } else if (is_closing(item.kind)) {
        item.match = open.back();
        items_[open.back()].match = i;
        open.pop_back();
      } else if (item.kind == TokenKind::colon && !open.empty()) {
        const Item& around = items_[open.back()];
        item.slice_colon = around.kind == TokenKind::open_square && !around.own_bracket;
      }
      join_else(i);
    }
  }

  // `else` stands behind the `}` before it, unless a comment stands there.
  void join_else(std::size_t i) {
    if (i == 0 || items_[i].kind != TokenKind::else_ || items_[i - 1].comment) return;
    if (items_[i - 1].kind == TokenKind::close_brace) items_[i].breaks = false;
  }

  void break_blocks() {
    // How many items up to each begin a line: inner blocks add breaks only where there are some.
    std::vector<std::size_t> breaks(items_.size() + 1, 0);
    for (std::size_t i = 0; i < items_.size(); ++i) breaks[i + 1] = breaks[i] + items_[i].breaks;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].kind != TokenKind::open_brace || items_[i].comment) continue;
      const std::size_t close = items_[i].match;
      if (breaks[close + 1] == breaks[i + 1]) continue;
      // A comment behind `{` stays there.
      std::size_t first = i + 1;
      if (items_[first].comment && !items_[first].breaks) ++first;
      items_[first].breaks = true;
      items_[close].breaks = true;
    }
  }

  const Sources& sources_;
  const Roles roles_;
  const Tokens& tokens_;
  std::vector<Item> items_;
  std::uint32_t end_of_last_ = 0;
  bool starts_ = true;
};

}  // namespace

std::vector<Item> format_items(const Sources& sources, const Ast& tree, const Tokens& tokens) {
  return ItemBuilder(sources, tree, tokens).run();
}

}  // namespace ganc
