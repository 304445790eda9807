#include <algorithm>

#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

int precedence(TokenKind kind) {
  switch (kind) {
    case TokenKind::or_:
      return 1;
    case TokenKind::and_:
      return 2;
    case TokenKind::equal:
    case TokenKind::not_equal:
    case TokenKind::less:
    case TokenKind::less_equal:
    case TokenKind::greater:
    case TokenKind::greater_equal:
      return precedence_of_comparison;
    case TokenKind::range:
      return 5;
    case TokenKind::plus:
    case TokenKind::minus:
      return 6;
    case TokenKind::star:
    case TokenKind::slash:
    case TokenKind::percent:
    case TokenKind::at:
      return 7;
    case TokenKind::power:
      return precedence_of_power;
    default:
      return 0;  // of the many tokens these few
  }
}

BinaryOp binary_op(TokenKind kind) {
  switch (kind) {
    case TokenKind::or_:
      return BinaryOp::or_;
    case TokenKind::and_:
      return BinaryOp::and_;
    case TokenKind::equal:
      return BinaryOp::equal;
    case TokenKind::not_equal:
      return BinaryOp::not_equal;
    case TokenKind::less:
      return BinaryOp::less;
    case TokenKind::less_equal:
      return BinaryOp::less_equal;
    case TokenKind::greater:
      return BinaryOp::greater;
    case TokenKind::greater_equal:
      return BinaryOp::greater_equal;
    case TokenKind::range:
      return BinaryOp::range;
    case TokenKind::plus:
      return BinaryOp::add;
    case TokenKind::minus:
      return BinaryOp::subtract;
    case TokenKind::star:
      return BinaryOp::multiply;
    case TokenKind::slash:
      return BinaryOp::divide;
    case TokenKind::percent:
      return BinaryOp::modulo;
    case TokenKind::at:
      return BinaryOp::matmul;
    default:
      return BinaryOp::power;  // called for operators only; `^` is the last
  }
}

namespace {

bool begins_expression(TokenKind kind) {
  switch (kind) {
    case TokenKind::name:
    case TokenKind::number:
    case TokenKind::string:
    case TokenKind::true_:
    case TokenKind::false_:
    case TokenKind::expectation:
    case TokenKind::open_paren:
    case TokenKind::open_square:
    case TokenKind::if_:
    case TokenKind::not_:
    case TokenKind::minus:
      return true;
    default:
      return false;  // what begins another statement or ends this one
  }
}

}  // namespace

ExprId Parser::invalid() {
  return add(peek().span, Invalid{});
}

ExprId Parser::expression() {
  const ExprId id = enter() ? arrows() : invalid();
  leave();
  tallest_ = std::max(tallest_, height(id));
  return id;
}

ExprId Parser::arrows() {
  ExprId left = binary(1);
  while (!failed_ && at(TokenKind::arrow)) {
    const Span op = take().span;
    const ExprId right = at(TokenKind::newline) ? parse_operand_after_operator(0) : postfix();
    left = add(join(span_of(left), last_), Arrow{left, right, op},
               1 + std::max(height(left), height(right)));
    if (failed_ || precedence(peek().kind) == 0) continue;
    report_arrow_binds_loosest(left);
    const Token& infix = take();
    const ExprId operand = binary(1);
    left = add(join(span_of(left), last_), Binary{binary_op(infix.kind), infix.span, left, operand},
               1 + std::max(height(left), height(operand)));
  }
  return left;
}

// `x -> f + 1`. Goes on as if the parentheses stood there.
void Parser::report_arrow_binds_loosest(ExprId arrow) {
  diagnostics_
      .report(Kind::unexpected, peek().span, "the end of what stands right of `->`", found())
      .label(span_of(arrow), "to go on with this value, put it in ( )")
      .note("`->` binds loosest, and right of it stands a function or a call");
  reported_at_ = at_;
}

// Left to right, `^` right to left; comparisons are not chained.
ExprId Parser::binary(int least) {
  if (!enter()) {
    leave();
    return invalid();
  }
  ExprId left = prefix();
  bool compared = false;
  while (!failed_) {
    const TokenKind kind = peek().kind;
    const int level = precedence(kind);
    if (level == 0 || level < least) break;
    if (level == precedence_of_comparison && compared) {
      diagnostics_.report(Kind::chained_comparison, peek().span).note("write `a < b and b < c`");
    }
    compared = level == precedence_of_comparison;
    const Span op = take().span;
    const ExprId right =
        parse_operand_after_operator(level == precedence_of_power ? level : level + 1);
    left = add(join(span_of(left), last_), Binary{binary_op(kind), op, left, right},
               1 + std::max(height(left), height(right)));
  }
  leave();
  return left;
}

// The right operand of an operator; `least` 0: what stands right of `->`.
ExprId Parser::parse_operand_after_operator(int least) {
  if (at(TokenKind::newline)) {
    const Span op = last_;
    if (Report* report = unexpected("an expression")) {
      report->label(op, "to go on, put this at the start of the next line");
    }
    failed_ = !begins_expression(peek(1).kind);
    if (!failed_) skip_newlines();
  }
  if (failed_) return invalid();
  return least == 0 ? postfix() : binary(least);
}

ExprId Parser::prefix() {
  const Span first = peek().span;
  if (accept(TokenKind::minus)) {
    const ExprId operand = binary(precedence_of_power);
    return add(since(first), Unary{UnaryOp::negate, operand}, 1 + height(operand));
  }
  if (accept(TokenKind::not_)) {
    const ExprId operand = binary(precedence_of_not);
    return add(since(first), Unary{UnaryOp::not_, operand}, 1 + height(operand));
  }
  return postfix();
}

ExprId Parser::postfix() {
  ExprId id = simple();
  while (!failed_) {
    const Span first = span_of(id);
    if (accept(TokenKind::with)) {
      const ExprId trans = transformation();
      id = add(since(first), With{id, trans}, 1 + std::max(height(id), height(trans)));
    } else if (accept(TokenKind::as)) {
      Path to = path("a name for this call");
      int tall = height(id);
      for (const ExprId i : to.indices) tall = std::max(tall, height(i));
      id = add(since(first), As{id, std::move(to)}, 1 + tall);
    } else {
      break;
    }
  }
  return id;
}

ExprId Parser::transformation() {
  const ExprId callee = primary();
  return !failed_ && at_applied(TokenKind::open_paren) ? call(callee) : callee;
}

ExprId Parser::simple() {
  ExprId id = primary();
  while (!failed_) {
    if (at_applied(TokenKind::open_paren)) {
      id = call(id);
    } else if (at_applied(TokenKind::open_square)) {
      id = index(id);
    } else if (at(TokenKind::dot)) {
      id = member(id);
    } else {
      break;
    }
  }
  return id;
}

ExprId Parser::call(ExprId callee) {
  const auto open = static_cast<std::uint32_t>(at_);
  const Span first = take().span;
  Call node{callee, arguments(TokenKind::close_paren), {}};
  close_bracket(open, "`,` or `)`");
  node.parentheses = since(first);
  int tall = height(callee);
  for (const Argument& a : node.arguments) tall = std::max(tall, height(a.value));
  return add(since(span_of(callee)), std::move(node), 1 + tall);
}

ExprId Parser::member(ExprId object) {
  take();
  Name name = expect_name("the name of a field");
  return add(since(span_of(object)), Member{object, std::move(name)}, 1 + height(object));
}

ExprId Parser::index(ExprId object) {
  const auto open = static_cast<std::uint32_t>(at_);
  take();
  Index node{object, index_parts()};
  close_bracket(open, "`,` or `]`");
  int tall = height(object);
  for (const IndexPart& p : node.parts) {
    tall = std::max({tall, height(p.at), height(p.begin), height(p.end)});
  }
  return add(since(span_of(object)), std::move(node), 1 + tall);
}

std::vector<IndexPart> Parser::index_parts() {
  std::vector<IndexPart> parts;
  do {
    parts.push_back(index_part());
  } while (accept(TokenKind::comma));
  return parts;
}

IndexPart Parser::index_part() {
  IndexPart part{};
  const Span first = peek().span;
  const TokenKind next = peek(1).kind;
  if (accept(TokenKind::ellipsis)) {
    part.kind = IndexPart::Kind::ellipsis;
  } else if (at_word("_") && (next == TokenKind::comma || next == TokenKind::close_square)) {
    take();
    part.kind = IndexPart::Kind::new_axis;
  } else {
    part.kind = IndexPart::Kind::at;
    if (at(TokenKind::close_square)) {
      unexpected("an index");
    } else if (!at(TokenKind::colon)) {
      part.at = expression();
    }
    if (accept(TokenKind::colon)) {
      part.kind = IndexPart::Kind::range;
      part.begin = std::exchange(part.at, {});
      if (!at(TokenKind::comma) && !at(TokenKind::close_square)) part.end = expression();
    } else if (!part.at) {
      part.at = invalid();
    }
  }
  part.span = since(first);
  return part;
}

std::vector<Argument> Parser::arguments(TokenKind closing) {
  std::vector<Argument> list;
  if (failed_ || at(closing)) return list;
  do {
    if (at(closing) && !list.empty()) {
      if (Report* report = unexpected("an argument")) report->fix(last_, "remove the comma");
      break;
    }
    list.push_back(argument());
  } while (accept(TokenKind::comma));
  return list;
}

Argument Parser::argument() {
  Argument arg;
  const bool named =
      (at(TokenKind::name) || is_reserved(peek().kind)) && peek(1).kind == TokenKind::assign;
  if (named) {
    arg.name = expect_name("the name of an argument");
    take();
  }
  arg.value = expression();
  return arg;
}

}  // namespace ganc
