#pragma once

#include <string_view>
#include <vector>

#include "compiler/lex/lex.h"
#include "compiler/parse/ast.h"

namespace ganc {

// A token or comment of the text that is laid out, with what the syntax says about it.
struct Item {
  TokenKind kind = TokenKind::end;
  bool comment = false;
  bool breaks = false;       // first of its line
  bool starts = false;       // first of a statement or declaration
  bool own_bracket = false;  // ( or [ that is a value or type, not applied to what stands before
  bool prefix_minus = false;
  bool slice_colon = false;
  bool blank_before = false;  // the author left an empty line
  std::size_t match = 0;      // of a bracket: its partner among the items
  std::string_view text;
};

// The items of a file whose tokens are right. A `;` that a line break or `}` replaces is left out;
// a block with a line break in it has one behind `{` and one before `}`.
std::vector<Item> format_items(const Sources& sources, const ast::Ast& tree, const Tokens& tokens);

}  // namespace ganc
