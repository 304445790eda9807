#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

TypeId Parser::add_type(Span span, decltype(Type::node) node, TypeId of) {
  ast_.types.push_back({span, std::move(node), of});
  return {static_cast<std::uint32_t>(ast_.types.size() - 1)};
}

TypeId Parser::type() {
  const Span first = peek().span;
  const TypeId id = enter() ? type_of_elements() : add_type(first, Invalid{});
  leave();
  return id;
}

TypeId Parser::type_of_elements() {
  const Span first = peek().span;
  const bool applied =
      is_opening(peek(1).kind) && !peek(1).first_in_line && peek(1).kind != TokenKind::open_brace;
  if (at_word("class") && peek(1).kind == TokenKind::open_square && applied) {
    take();
    const auto open = static_cast<std::uint32_t>(at_);
    take();
    const ExprId count = expression();
    close_bracket(open, "`]`");
    return add_type(since(first), ClassType{count});
  }
  if (at_word("int") && !applied && peek(1).kind != TokenKind::dot) {
    take();
    return add_type(since(first), IntType{});
  }
  if (at(TokenKind::open_paren) && peek(2).kind == TokenKind::colon) return record_type();
  // `data x: from mnist()`
  const bool missing = at_word("from") && peek(1).kind == TokenKind::name;
  TypeId id;
  if (at(TokenKind::open_square)) {
    id = tensor_type();
  } else if ((at(TokenKind::name) && !missing) || at(TokenKind::open_paren)) {
    const ExprId value = simple();
    id = add_type(since(first), ExprType{value});
  } else {
    if (Report* report = unexpected("a type")) {
      report->note("a type is a shape `[3, 64, 64]`, `class[10]`, `int` or `(a: [2], b: [2])`");
    }
    return add_type(first, Invalid{});
  }
  if (accept_word("of")) {
    const TypeId of = type();
    ast_.types[id.index].of = of;
    ast_.types[id.index].span = since(first);
  }
  return id;
}

TypeId Parser::tensor_type() {
  const auto open = static_cast<std::uint32_t>(at_);
  const Span first = take().span;
  TensorType node;
  if (!at(TokenKind::close_square)) {
    do {
      Dim dim;
      dim.ellipsis = accept(TokenKind::ellipsis);
      if (!dim.ellipsis) dim.size = expression();
      node.dims.push_back(dim);
    } while (accept(TokenKind::comma));
  }
  close_bracket(open, "`,` or `]`");
  return add_type(since(first), std::move(node));
}

TypeId Parser::record_type() {
  const auto open = static_cast<std::uint32_t>(at_);
  const Span first = take().span;
  RecordType node;
  do {
    node.fields.push_back(field());
  } while (accept(TokenKind::comma));
  close_bracket(open, "`,` or `)`");
  return add_type(since(first), std::move(node));
}

Field Parser::field() {
  Field f;
  f.name = expect_name("the name of a field");
  expect(TokenKind::colon, "and a type");
  f.type = type();
  return f;
}

TypeId Parser::result_type() {
  return accept(TokenKind::arrow) ? type() : TypeId{};
}

std::vector<Parameter> Parser::parameters() {
  std::vector<Parameter> list;
  const auto open = static_cast<std::uint32_t>(at_);
  expect(TokenKind::open_paren);
  if (failed_) return list;
  if (!at(TokenKind::close_paren)) {
    do {
      if (at(TokenKind::close_paren) && !list.empty()) {
        if (Report* report = unexpected("a parameter")) report->fix(last_, "remove the comma");
        break;
      }
      list.push_back(parameter());
    } while (accept(TokenKind::comma));
  }
  close_bracket(open, "`,` or `)`");
  return list;
}

Parameter Parser::parameter() {
  Parameter p;
  p.name = expect_name("the name of a parameter");
  if (accept(TokenKind::colon)) p.type = type();
  if (accept(TokenKind::assign)) p.value = expression();
  return p;
}

Path Parser::path(std::string_view what) {
  Path p;
  const Span first = peek().span;
  p.name = expect_name(what);
  while (!failed_ && at_applied(TokenKind::open_square)) {
    const auto open = static_cast<std::uint32_t>(at_);
    take();
    p.indices.push_back(expression());
    close_bracket(open, "`]`");
  }
  p.span = since(first);
  return p;
}

}  // namespace ganc
