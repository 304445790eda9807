#include <algorithm>

#include "compiler/parse/parser.h"

namespace ganc {

using namespace ast;

BlockId Parser::block() {
  const BlockId id{static_cast<std::uint32_t>(ast_.blocks.size())};
  ast_.blocks.push_back({peek().span, {}});
  block_heights_.push_back(0);
  expect(TokenKind::open_brace);
  if (failed_) return id;
  const auto open = static_cast<std::uint32_t>(at_ - 1);
  const Span first = last_;
  const int outer = std::exchange(tallest_, 0);
  std::vector<StmtId> statements;
  if (enter()) {
    const std::uint32_t close = tokens_[open].match;
    while (true) {
      while (at(TokenKind::newline) || at(TokenKind::semicolon)) take();
      if (at_ >= close) break;
      const std::size_t begin = at_;
      statements.push_back(statement());
      end_statement(begin);
    }
  }
  leave();
  close_bracket(open, "a statement or `}`");
  ast_.blocks[id.index] = {since(first), std::move(statements)};
  block_heights_[id.index] = tallest_ + 1;
  tallest_ = std::max(outer, tallest_ + 1);
  return id;
}

// What follows a statement must end it; goes on with the next in any case. `first`: the token that
// the statement began with.
void Parser::end_statement(std::size_t first) {
  skip_repaired();
  if (!failed_ && !at_statement_end()) {
    if (!peek().repaired && !peek().faulty && reported_at_ != at_) {
      auto report = diagnostics_.report(Kind::statement_goes_on, peek().span, found());
      std::string_view advice = advice_on(text(peek()));
      if (advice.empty()) advice = advice_on(text(tokens_[first]));
      if (!advice.empty()) {
        report.note(std::string(advice));
      } else if (at(TokenKind::name) || is_reserved(peek().kind)) {
        report.note("statements stand on lines of their own, or have a `;` between them");
      }
    }
    failed_ = true;
  }
  if (failed_) skip_statement();
}

StmtId Parser::statement() {
  const Token& first = peek();
  switch (first.kind) {
    case TokenKind::name:
      break;
    case TokenKind::let:
    case TokenKind::var:
    case TokenKind::update:
    case TokenKind::watch:
    case TokenKind::param:
    case TokenKind::state:
    case TokenKind::noise:
    case TokenKind::every:
    case TokenKind::average:
      return statement_of_word(first.kind);
    case TokenKind::fn:
      if (peek(1).kind != TokenKind::name) return expression_statement();
      return statement_of_word(first.kind);
    case TokenKind::use:
    case TokenKind::const_:
    case TokenKind::data:
    case TokenKind::layer:
    case TokenKind::net:
    case TokenKind::optimizer:
    case TokenKind::train:
    case TokenKind::output:
    case TokenKind::metric:
      return declaration_in_body();
    default:
      return expression_statement();
  }
  if (peek(1).kind == TokenKind::assign) {
    const Name name = expect_name("a name");
    take();
    const ExprId value = expression();
    return add_statement(since(name.span), Assign{name, value});
  }
  if (at_min_max()) return min_max();
  if (at_objective()) return objective();
  const std::string meant = near_word(
      {"let", "var", "update", "watch", "param", "state", "noise", "fn", "every", "average"});
  const Token& next = peek(1);
  if (!meant.empty() && next.kind == TokenKind::name && text(next) != "times" &&
      text(next) != "by") {
    report_misspelt(meant);
    return statement_of_word(word_kind(meant));
  }
  return expression_statement();
}

// Reads a statement that `word` begins; the token itself may be a misspelt one.
StmtId Parser::statement_of_word(TokenKind word) {
  const Span first = take().span;
  switch (word) {
    case TokenKind::let:
    case TokenKind::var:
    case TokenKind::update:
      return bind(word);
    case TokenKind::watch:
      return watch();
    case TokenKind::param: {
      Initialized init = initialized();
      return add_statement(since(first), Param{std::move(init)});
    }
    case TokenKind::state: {
      Initialized init = initialized();
      return add_statement(since(first), State{std::move(init)});
    }
    case TokenKind::noise: {
      Noise node = noise();
      return add_statement(since(first), std::move(node));
    }
    case TokenKind::fn: {
      Fn node = function();
      return add_statement(since(first), std::move(node));
    }
    case TokenKind::every:
      return every();
    default:
      return average();  // the only one left
  }
}

StmtId Parser::bind(TokenKind word) {
  const Span first = last_;
  Name name = expect_name("a name");
  if (!failed_ && at(TokenKind::colon)) {
    if (Report* report = unexpected("`=`")) report->note("the type of a value follows from it");
  }
  expect(TokenKind::assign);
  const ExprId value = failed_ ? invalid() : expression();
  const Span span = since(first);
  if (word == TokenKind::let) return add_statement(span, Let{std::move(name), value});
  if (word == TokenKind::var) return add_statement(span, Var{std::move(name), value});
  return add_statement(span, Update{std::move(name), value});
}

StmtId Parser::watch() {
  const Span first = last_;
  Path to = path("a name");
  expect(TokenKind::assign);
  const ExprId value = failed_ ? invalid() : expression();
  return add_statement(since(first), Watch{std::move(to), value});
}

Noise Parser::noise() {
  Noise node;
  node.name = expect_name("a name");
  expect(TokenKind::colon, "and a type");
  node.type = type();
  expect(TokenKind::tilde, "and a distribution");
  node.distribution = failed_ ? invalid() : expression();
  return node;
}

Initialized Parser::initialized() {
  Initialized node{};
  node.name = expect_name("a name");
  expect(TokenKind::colon, "and a type");
  node.type = type();
  node.random = accept(TokenKind::tilde);
  if (!node.random && !accept(TokenKind::assign)) unexpected("`=` or `~` and a value");
  node.value = failed_ ? invalid() : expression();
  return node;
}

Fn Parser::function() {
  Fn node;
  node.name = expect_name("the name of a function");
  node.parameters = parameters();
  node.result = result_type();
  node.body = block();
  return node;
}

// `epochs` or `steps`.
bool Parser::epochs() {
  return expect_one_of({"epochs", "steps"}, "`epochs` or `steps`") == "epochs";
}

StmtId Parser::every() {
  const Span first = last_;
  Every node{};
  node.period = expression();
  node.epochs = epochs();
  node.body = block();
  return add_statement(since(first), node);
}

StmtId Parser::expression_statement() {
  const Span first = peek().span;
  const ExprId value = expression();
  if (accept_word("times")) {
    const BlockId body = block();
    return add_statement(since(first), Times{value, body});
  }
  if (!failed_ && at(TokenKind::assign)) {
    diagnostics_.report(Kind::not_assignable, span_of(value))
        .note("values do not change: a `var` may be bound anew, a list is made by `for`");
    take();
    expression();
    return add_statement(since(first), Invalid{});
  }
  return add_statement(since(first), ExprStmt{value});
}

// Reads it as if it stood in the file, so that its own errors are found, and drops it.
StmtId Parser::declaration_in_body() {
  const Token& token = peek();
  auto report = diagnostics_.report(Kind::belongs_to_file, token.span, text(token));
  if (token.kind == TokenKind::const_) report.fix(token.span, "write `let`", "let");
  declaration();
  return add_statement(since(token.span), Invalid{});
}

// ---- players

// The index past `player { "," player }` at token `from`, or `from` where none begins there.
std::size_t Parser::players_end(std::size_t from) const {
  std::size_t i = from;
  while (true) {
    if (tokens_[i].kind != TokenKind::name) return from;
    ++i;
    while (true) {
      if (tokens_[i].kind == TokenKind::dot && tokens_[i + 1].kind == TokenKind::name) {
        i += 2;
      } else if (tokens_[i].kind == TokenKind::open_square && !tokens_[i].first_in_line) {
        i = tokens_[i].match + 1;
      } else {
        break;
      }
    }
    if (tokens_[i].kind != TokenKind::comma) return i;
    ++i;
  }
}

namespace {
const std::vector<std::string> verbs = {"minimizes", "minimize", "maximizes", "maximize"};
}

// Players and a verb, which may be misspelt, or several players.
bool Parser::at_objective() const {
  const std::size_t end = players_end(at_);
  if (end == at_) return false;
  const Token& verb = tokens_[end];
  if (verb.kind != TokenKind::name) return false;
  return !nearest(text(verb), verbs).empty();
}

// `min` or `max` with a player: as a name it is called.
bool Parser::at_min_max(std::size_t ahead) const {
  return (at_word("min", ahead) || at_word("max", ahead)) &&
         peek(ahead + 1).kind == TokenKind::name && !at_word("times", ahead + 1) &&
         !at_word("by", ahead + 1);
}

std::vector<Player> Parser::players() {
  std::vector<Player> list;
  do {
    list.push_back(player());
  } while (accept(TokenKind::comma));
  return list;
}

Player Parser::player() {
  Player p;
  const Span first = peek().span;
  p.name = expect_name("the name of a net");
  while (!failed_) {
    if (accept(TokenKind::dot)) {
      p.steps.push_back({expect_name("the name of a part"), {}});
    } else if (at_applied(TokenKind::open_square)) {
      const auto open = static_cast<std::uint32_t>(at_);
      take();
      Player::Step step;
      do {
        step.indices.push_back(expression());
      } while (accept(TokenKind::comma));
      close_bracket(open, "`,` or `]`");
      p.steps.push_back(std::move(step));
    } else {
      break;
    }
  }
  p.span = since(first);
  return p;
}

StmtId Parser::objective() {
  const Span first = peek().span;
  Objective node{};
  node.players = players();
  const std::string_view verb = expect_one_of({"minimizes", "minimize", "maximizes", "maximize"},
                                              "`minimizes` or `maximizes`");
  node.maximize = verb.starts_with("max");
  node.objective = failed_ ? invalid() : expression();
  node.by = by(span_of(node.objective));
  node.clauses = clauses();
  return add_statement(since(first), std::move(node));
}

StmtId Parser::min_max() {
  const Span first = peek().span;
  MinMax node;
  while (at_min_max() && !failed_) {
    const bool maximize = text(take()) == "max";
    node.sides.push_back({maximize, players()});
  }
  node.objective = failed_ ? invalid() : expression();
  node.by = by(span_of(node.objective));
  node.clauses = clauses();
  return add_statement(since(first), std::move(node));
}

// `by` and what stands behind it.
ExprId Parser::by(Span objective) {
  if (failed_) return invalid();
  if (accept_word("by")) return expression();
  if (!at_statement_end() && !at(TokenKind::comma)) {
    unexpected("`by` and an optimizer");
  } else if (!peek().repaired) {
    const Span end{objective.file, objective.end, objective.end};
    diagnostics_.report(Kind::no_optimizer, objective)
        .fix(end, "add `by adam(lr = 2e-4)`", " by adam(lr = 2e-4)");
  }
  return invalid();
}

// Takes the comma before a clause, or reports that it is missing.
bool Parser::at_clause() {
  if (failed_ || accept(TokenKind::comma)) return !failed_;
  const bool clause = at(TokenKind::every) ||
                      (at(TokenKind::number) && at_word("times", 1) && !peek().first_in_line);
  if (!clause) return false;
  const Span end{last_.file, last_.end, last_.end};
  if (Report* report = unexpected("`,`")) report->fix(end, "put a comma here", ",");
  failed_ = false;
  return true;
}

std::vector<Clause> Parser::clauses() {
  std::vector<Clause> list;
  while (at_clause()) {
    Clause clause{};
    const Span first = peek().span;
    clause.kind = accept(TokenKind::every) ? Clause::Kind::every : Clause::Kind::times;
    clause.value = expression();
    if (clause.kind == Clause::Kind::every) {
      clause.epochs = epochs();
    } else {
      expect_word("times");
    }
    clause.span = since(first);
    const auto same = [&](const Clause& c) { return c.kind == clause.kind; };
    if (!failed_ && std::any_of(list.begin(), list.end(), same)) {
      diagnostics_.report(Kind::repeated_option, clause.span,
                          clause.kind == Clause::Kind::every ? "every" : "times");
    }
    list.push_back(clause);
  }
  return list;
}

StmtId Parser::average() {
  const Span first = last_;
  Average node;
  node.from = player();
  expect_word("into");
  node.into = player();
  expect(TokenKind::comma, "and `decay`");
  expect_word("decay");
  node.decay = failed_ ? invalid() : expression();
  node.clauses = clauses();
  return add_statement(since(first), std::move(node));
}

}  // namespace ganc
