#include <algorithm>
#include <cstdlib>

#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

ExprId Parser::primary() {
  if (failed_) return invalid();
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::number:
      return number();
    case TokenKind::string: {
      take();
      return add(token.span, String{string_value(text(token))});
    }
    case TokenKind::true_:
    case TokenKind::false_: {
      take();
      return add(token.span, Boolean{token.kind == TokenKind::true_});
    }
    case TokenKind::name: {
      take();
      return add(token.span, NameUse{std::string(text(token))});
    }
    case TokenKind::expectation:
      return expectation();
    case TokenKind::open_paren:
      return parenthesized();
    case TokenKind::open_square:
      return list();
    case TokenKind::open_brace:
      return block_expression();
    case TokenKind::if_:
      return if_expression();
    case TokenKind::for_:
      return for_expression();
    case TokenKind::fn:
      return lambda();
    default:
      break;  // what begins no expression
  }
  unexpected("an expression");
  return invalid();
}

ExprId Parser::number() {
  const Token& token = take();
  std::string written(text(token));
  const double value = std::strtod(written.c_str(), nullptr);
  return add(token.span, Number{value, std::move(written)});
}

ExprId Parser::expectation() {
  const Span first = take().span;
  if (!at_applied(TokenKind::open_square)) {
    if (Report* report = unexpected("`[` after `E`")) {
      report->note("`E` is a word of the language: `E[x]` is the mean of x over all samples");
    }
    return invalid();
  }
  const auto open = static_cast<std::uint32_t>(at_);
  take();
  const ExprId operand = expression();
  close_bracket(open, "`]`");
  return add(since(first), Expectation{operand}, 1 + height(operand));
}

ExprId Parser::parenthesized() {
  const auto open = static_cast<std::uint32_t>(at_);
  const Span first = take().span;
  std::vector<Argument> fields;
  if (at(TokenKind::close_paren)) {
    unexpected("an expression");
    fields.push_back({{}, invalid()});
  } else {
    fields = arguments(TokenKind::close_paren);
  }
  close_bracket(open, "`,` or `)`");
  int tall = 0;
  for (const Argument& f : fields) tall = std::max(tall, height(f.value));
  const bool record = fields.size() > 1 || !fields[0].name.text.empty();
  if (!record) return add(since(first), Paren{fields[0].value}, 1 + tall);
  for (const Argument& f : fields) {
    if (!f.name.text.empty() || std::holds_alternative<Invalid>(ast_[f.value].node)) continue;
    diagnostics_.report(Kind::unnamed_field, span_of(f.value))
        .note("a record is `(a = 1, b = 2)`, a list `[1, 2]`");
  }
  return add(since(first), Record{std::move(fields)}, 1 + tall);
}

ExprId Parser::list() {
  const auto open = static_cast<std::uint32_t>(at_);
  const Span first = take().span;
  List node{arguments(TokenKind::close_square)};
  close_bracket(open, "`,` or `]`");
  int tall = 0;
  for (const Argument& e : node.elements) tall = std::max(tall, height(e.value));
  return add(since(first), std::move(node), 1 + tall);
}

ExprId Parser::block_expression() {
  const Span first = peek().span;
  const BlockId body = block();
  return add(since(first), BlockExpr{body}, 1 + block_heights_[body.index]);
}

ExprId Parser::if_expression() {
  if (!enter()) {
    leave();
    return invalid();
  }
  const Span first = take().span;
  If node{};
  node.condition = expression();
  node.then = block();
  if (accept(TokenKind::else_)) {
    node.otherwise = at(TokenKind::if_) ? if_expression() : block_expression();
  }
  leave();
  const int tall =
      std::max({height(node.condition), block_heights_[node.then.index], height(node.otherwise)});
  return add(since(first), node, 1 + tall);
}

ExprId Parser::for_expression() {
  const Span first = take().span;
  For node{expect_name("the name of the loop's variable"), {}, {}};
  expect_word("in");
  node.list = expression();
  node.body = block();
  const int tall = std::max(height(node.list), block_heights_[node.body.index]);
  return add(since(first), std::move(node), 1 + tall);
}

ExprId Parser::lambda() {
  const Span first = take().span;
  if (at(TokenKind::name) && peek(1).kind == TokenKind::open_paren) {
    if (Report* report = unexpected("`(`")) {
      report->note("a function that is an expression has no name");
    }
    return invalid();
  }
  Lambda node{parameters(), {}};
  node.body = block();
  return add(since(first), std::move(node), 1 + block_heights_[node.body.index]);
}

}  // namespace ganc
