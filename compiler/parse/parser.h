#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/lex/lex.h"
#include "compiler/parse/ast.h"

namespace ganc {

// A recursive descent over the tokens of one file. Private to compiler/parse.
//
// Errors: what cannot be parsed is reported once and sets `failed_`; every function then returns
// at once, up to the nearest place that knows where to go on: the end of a bracket, a statement or
// a declaration.
class Parser {
 public:
  Parser(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);
  ast::Ast run();

  // How deep brackets, blocks and prefix operators may be nested.
  static constexpr int nesting_limit = 256;
  // How many nodes may lie between a statement and the deepest part of it: what walks the tree
  // recursively needs a bound for `a + b + c + ...` too.
  static constexpr int height_limit = 1000;

 private:
  // ---- tokens
  const Token& peek(std::size_t ahead = 0) const;
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at_word(std::string_view word, std::size_t ahead = 0) const;
  bool at_statement_end() const;
  // An opening bracket that applies to what stands before it.
  bool at_applied(TokenKind bracket) const { return at(bracket) && !peek().first_in_line; }
  std::string_view text(const Token& token) const { return sources_.text(token.span); }
  const Token& take();
  bool accept(TokenKind kind);
  bool accept_word(std::string_view word);
  void skip_newlines();
  Span since(Span first) const { return join(first, last_); }

  // ---- errors
  std::string found() const;
  // Reports that `expected` stands not here, once for a token, and sets `failed_`.
  Report* unexpected(std::string_view expected);
  void expect(TokenKind kind, std::string_view after = "");
  void expect_word(std::string_view word);
  // Takes a misspelt one of `words`, or reports that `expected` is missing.
  std::string_view expect_one_of(std::initializer_list<std::string_view> words,
                                 std::string_view expected);
  ast::Name expect_name(std::string_view what);
  // One of `words` where a near one of them stands here.
  std::string near_word(std::initializer_list<std::string_view> words) const;
  void report_misspelt(const std::string& meant);
  // Past brackets that the lexer put in where the parser had closed them before.
  void skip_repaired();
  // Past the end of the statement or declaration, over whole brackets.
  void skip_statement();
  // Goes on after the closing partner of the bracket at token `open`.
  void close_bracket(std::uint32_t open, std::string_view expected);
  // False, with a report, where nesting is too deep. `leave` undoes it.
  bool enter();
  void leave() { --depth_; }
  void report_too_deep(Span span, int limit);

  // ---- expressions
  template <typename Node>
  ast::ExprId add(Span span, Node node, int height = 1);
  ast::ExprId invalid();
  int height(ast::ExprId id) const { return id ? heights_[id.index] : 0; }
  Span span_of(ast::ExprId id) const { return ast_.exprs[id.index].span; }
  ast::ExprId expression();
  ast::ExprId arrows();
  ast::ExprId binary(int least);
  ast::ExprId prefix();
  ast::ExprId postfix();
  ast::ExprId simple();
  ast::ExprId primary();
  ast::ExprId number();
  ast::ExprId expectation();
  ast::ExprId parenthesized();
  ast::ExprId list();
  ast::ExprId block_expression();
  ast::ExprId if_expression();
  ast::ExprId for_expression();
  ast::ExprId lambda();
  ast::ExprId call(ast::ExprId callee);
  ast::ExprId member(ast::ExprId object);
  ast::ExprId index(ast::ExprId object);
  ast::ExprId transformation();
  ast::ExprId parse_operand_after_operator(int least);
  std::vector<ast::Argument> arguments(TokenKind closing);
  ast::Argument argument();
  std::vector<ast::IndexPart> index_parts();
  ast::IndexPart index_part();
  void report_arrow_binds_loosest(ast::ExprId arrow);

  // ---- types
  ast::TypeId add_type(Span span, decltype(ast::Type::node) node, ast::TypeId of = {});
  ast::TypeId type();
  ast::TypeId type_of_elements();
  ast::TypeId tensor_type();
  ast::TypeId record_type();
  ast::Field field();
  ast::TypeId result_type();
  std::vector<ast::Parameter> parameters();
  ast::Parameter parameter();
  ast::Path path(std::string_view what);

  // ---- statements
  template <typename Node>
  ast::StmtId add_statement(Span span, Node node);
  ast::BlockId block();
  void end_statement(std::size_t first);
  ast::StmtId statement();
  ast::StmtId statement_of_word(TokenKind word);
  ast::StmtId bind(TokenKind word);
  ast::StmtId watch();
  ast::Noise noise();
  ast::Initialized initialized();
  ast::Fn function();
  ast::StmtId every();
  ast::StmtId expression_statement();
  ast::StmtId declaration_in_body();
  std::size_t players_end(std::size_t from) const;
  bool at_objective() const;
  bool at_min_max(std::size_t ahead = 0) const;
  std::vector<ast::Player> players();
  ast::Player player();
  ast::StmtId objective();
  ast::StmtId min_max();
  ast::StmtId average();
  ast::ExprId by(Span objective);
  bool at_clause();
  std::vector<ast::Clause> clauses();
  bool epochs();

  // ---- declarations
  template <typename Node>
  ast::DeclId add_declaration(Span span, Node node);
  std::vector<ast::DeclId> declarations(TokenKind end);
  ast::DeclId declaration();
  ast::DeclId declaration_of_word(TokenKind word);
  ast::DeclId misplaced_or_misspelt();
  ast::Use use();
  ast::Const constant();
  ast::Data data();
  ast::Layer layer();
  ast::Net net();
  ast::Optimizer optimizer();
  ast::Train train();
  std::vector<ast::TrainOption> train_options();
  ast::Output output();
  ast::Metric metric();
  ast::ForDecl for_declarations();
  ast::IfDecl if_declarations();
  std::vector<ast::DeclId> braced_declarations();
  std::string string_token(Span* span, std::string_view what);

  const Sources& sources_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Span last_;  // of the token taken last
  bool failed_ = false;
  std::size_t reported_at_ = SIZE_MAX;  // the token that `unexpected` spoke of last
  std::optional<Report> report_;
  int depth_ = 0;
  bool too_deep_reported_ = false;
  ast::Ast ast_;
  std::vector<int> heights_;        // of each expression
  std::vector<int> block_heights_;  // of each block
  int tallest_ = 0;                 // of the expressions of the current block
};

// What to write in place of a word of another language; empty for other words.
std::string_view advice_on(std::string_view foreign_word);

// Infix operators, loosest 1; 0: none. `->` is not among them.
int precedence(TokenKind kind);
ast::BinaryOp binary_op(TokenKind kind);
constexpr int precedence_of_not = 3;
constexpr int precedence_of_comparison = 4;
constexpr int precedence_of_power = 8;

template <typename Node>
ast::ExprId Parser::add(Span span, Node node, int height) {
  if (height > height_limit) {
    report_too_deep(span, height_limit);
    return invalid();
  }
  const ast::ExprId id{static_cast<std::uint32_t>(ast_.exprs.size())};
  ast_.exprs.push_back({span, std::move(node)});
  heights_.push_back(height);
  return id;
}

template <typename Node>
ast::StmtId Parser::add_statement(Span span, Node node) {
  const ast::StmtId id{static_cast<std::uint32_t>(ast_.stmts.size())};
  ast_.stmts.push_back({span, std::move(node)});
  return id;
}

template <typename Node>
ast::DeclId Parser::add_declaration(Span span, Node node) {
  const ast::DeclId id{static_cast<std::uint32_t>(ast_.decls.size())};
  ast_.decls.push_back({span, std::move(node)});
  return id;
}

}  // namespace ganc
