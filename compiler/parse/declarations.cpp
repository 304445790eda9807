#include <algorithm>

#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

// Up to `end`: the end of the file, or the `}` that closes these declarations.
std::vector<DeclId> Parser::declarations(TokenKind end) {
  std::vector<DeclId> list;
  while (true) {
    skip_newlines();
    if (at(end) || at(TokenKind::end)) return list;
    if (at(TokenKind::close_brace) || at(TokenKind::semicolon)) {
      unexpected("a declaration");
      take();
      failed_ = false;
      continue;
    }
    list.push_back(declaration());
    skip_repaired();
    if (failed_) skip_statement();
  }
}

DeclId Parser::declaration() {
  const TokenKind kind = peek().kind;
  switch (kind) {
    case TokenKind::use:
    case TokenKind::const_:
    case TokenKind::data:
    case TokenKind::noise:
    case TokenKind::state:
    case TokenKind::fn:
    case TokenKind::layer:
    case TokenKind::net:
    case TokenKind::optimizer:
    case TokenKind::train:
    case TokenKind::output:
    case TokenKind::metric:
    case TokenKind::for_:
    case TokenKind::if_:
      return declaration_of_word(kind);
    default:
      return misplaced_or_misspelt();
  }
}

// Reads a declaration that `word` begins; the token itself may be a misspelt one.
DeclId Parser::declaration_of_word(TokenKind word) {
  const Span first = take().span;
  const auto add = [&](auto node) { return add_declaration(since(first), std::move(node)); };
  switch (word) {
    case TokenKind::use:
      return add(use());
    case TokenKind::const_:
      return add(constant());
    case TokenKind::data:
      return add(data());
    case TokenKind::noise:
      return add(noise());
    case TokenKind::state:
      return add(State{initialized()});
    case TokenKind::fn:
      return add(function());
    case TokenKind::layer:
      return add(layer());
    case TokenKind::net:
      return add(net());
    case TokenKind::optimizer:
      return add(optimizer());
    case TokenKind::train:
      return add(train());
    case TokenKind::output:
      return add(output());
    case TokenKind::metric:
      return add(metric());
    case TokenKind::for_:
      return add(for_declarations());
    default:
      return add(if_declarations());  // the only one left
  }
}

DeclId Parser::misplaced_or_misspelt() {
  const Token token = peek();
  const bool word = token.kind == TokenKind::let || token.kind == TokenKind::var ||
                    token.kind == TokenKind::update || token.kind == TokenKind::watch ||
                    token.kind == TokenKind::param || token.kind == TokenKind::every ||
                    token.kind == TokenKind::average;
  if (word || at_min_max() || at_objective()) {
    auto report = diagnostics_.report(Kind::belongs_to_body, token.span,
                                      word ? fmt::format("`{}`", text(token)) : "an objective");
    if (token.kind == TokenKind::let) report.fix(token.span, "write `const`", "const");
    if (!word) report.note("players and what they minimize stand in a `train` block");
    statement();
    return add_declaration(since(token.span), Invalid{});
  }
  const std::string meant =
      near_word({"use", "const", "data", "noise", "state", "fn", "layer", "net", "optimizer",
                 "train", "output", "metric", "for", "if"});
  if (!meant.empty() && (peek(1).kind == TokenKind::name || peek(1).kind == TokenKind::string)) {
    report_misspelt(meant);
    return declaration_of_word(word_kind(meant));
  }
  Report* report = unexpected("a declaration");
  if (const std::string_view advice = advice_on(text(token)); report && !advice.empty()) {
    report->note(std::string(advice));
  }
  return add_declaration(token.span, Invalid{});
}

std::string Parser::string_token(Span* span, std::string_view what) {
  if (failed_ || !at(TokenKind::string)) {
    unexpected(what);
    return {};
  }
  const Token& token = take();
  *span = token.span;
  return string_value(text(token));
}

Use Parser::use() {
  Use node;
  node.file = string_token(&node.file_span, "the name of a file in \"...\"");
  return node;
}

Const Parser::constant() {
  Const node{expect_name("a name"), {}};
  expect(TokenKind::assign);
  node.value = failed_ ? invalid() : expression();
  return node;
}

Data Parser::data() {
  Data node;
  do {
    node.fields.push_back(field());
  } while (accept(TokenKind::comma));
  expect_word("from");
  node.source = failed_ ? invalid() : expression();
  return node;
}

Layer Parser::layer() {
  Layer node;
  node.name = expect_name("the name of a layer");
  node.parameters = parameters();
  node.result = result_type();
  node.body = block();
  return node;
}

Net Parser::net() {
  Net node;
  node.path = path("the name of a net");
  if (accept(TokenKind::assign)) {
    node.alias = expression();
    return node;
  }
  if (!failed_ && !at(TokenKind::open_paren)) unexpected("`(` or `=`");
  node.parameters = parameters();
  node.result = result_type();
  while (!failed_) {
    if (accept(TokenKind::with)) {
      do {
        node.transformations.push_back(transformation());
      } while (accept(TokenKind::comma));
    } else if (accept_word("from")) {
      if (node.from_span.known()) {
        diagnostics_.report(Kind::repeated_option, last_, "from")
            .label(node.from_span, "it is given here");
      }
      node.from = string_token(&node.from_span, "the name of a weights file in \"...\"");
    } else {
      break;
    }
  }
  node.body = block();
  return node;
}

Optimizer Parser::optimizer() {
  Optimizer node;
  node.name = expect_name("the name of an optimizer");
  node.parameters = parameters();
  expect_word("updates");
  node.weight = expect_name("the name of the weight");
  expect_word("from");
  node.gradient = expect_name("the name of the gradient");
  node.body = block();
  return node;
}

Train Parser::train() {
  Train node{};
  if (!at(TokenKind::for_)) node.path = path("`for` or the name of a stage");
  expect(TokenKind::for_);
  node.count = failed_ ? invalid() : expression();
  node.epochs = epochs();
  node.options = train_options();
  node.body = block();
  return node;
}

std::vector<TrainOption> Parser::train_options() {
  std::vector<TrainOption> list;
  const auto at_option = [&] {
    return at_word("batch") || at_word("precision") || at_word("seed");
  };
  while (!failed_) {
    if (at_option()) {
      const Span end{last_.file, last_.end, last_.end};
      if (Report* report = unexpected("`,` or `{`")) report->fix(end, "put a comma here", ",");
      failed_ = false;
    } else if (!accept(TokenKind::comma)) {
      break;
    }
    TrainOption option{};
    const Span first = peek().span;
    const std::string_view word =
        expect_one_of({"batch", "precision", "seed"}, "`batch`, `precision` or `seed`");
    if (failed_) break;
    option.kind = word == "batch"       ? TrainOption::Kind::batch
                  : word == "precision" ? TrainOption::Kind::precision
                                        : TrainOption::Kind::seed;
    option.value = expression();
    option.span = since(first);
    for (const TrainOption& before : list) {
      if (before.kind != option.kind) continue;
      diagnostics_.report(Kind::repeated_option, option.span, word)
          .label(before.span, "it is given here");
    }
    list.push_back(option);
  }
  return list;
}

Output Parser::output() {
  Output node{path("a name"), {}};
  expect(TokenKind::assign);
  node.value = failed_ ? invalid() : expression();
  return node;
}

Metric Parser::metric() {
  Metric node{path("a name"), {}, {}, false};
  expect(TokenKind::assign);
  node.value = failed_ ? invalid() : expression();
  if (accept(TokenKind::every)) {
    node.every = expression();
    node.epochs = epochs();
  }
  return node;
}

ForDecl Parser::for_declarations() {
  ForDecl node{expect_name("the name of the loop's variable"), {}, {}};
  expect_word("in");
  node.list = failed_ ? invalid() : expression();
  node.body = braced_declarations();
  return node;
}

IfDecl Parser::if_declarations() {
  IfDecl node;
  node.condition = expression();
  node.then = braced_declarations();
  if (!accept(TokenKind::else_)) return node;
  if (at(TokenKind::open_brace)) {
    node.otherwise = braced_declarations();
  } else {
    if (enter()) node.otherwise.push_back(declaration());
    leave();
  }
  return node;
}

std::vector<DeclId> Parser::braced_declarations() {
  std::vector<DeclId> list;
  expect(TokenKind::open_brace);
  if (failed_) return list;
  const auto open = static_cast<std::uint32_t>(at_ - 1);
  if (enter()) list = declarations(TokenKind::close_brace);
  leave();
  close_bracket(open, "a declaration or `}`");
  return list;
}

}  // namespace ganc
