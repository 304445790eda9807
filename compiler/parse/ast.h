#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "compiler/source/source.h"

namespace ganc::ast {

// The syntax of one file as plain structs in vectors. A node names others by typed ids into the
// vectors of its own Ast. Where the parser recovered from an error stands an `Invalid` node.

struct ExprId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
  bool operator==(const ExprId&) const = default;
};
struct BlockId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
};
struct TypeId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
};
struct DeclId {
  std::uint32_t index = 0;
};
struct StmtId {
  std::uint32_t index = 0;
};

struct Name {
  std::string text;
  Span span;
};

// ---- expressions

struct Invalid {};
struct Number {
  double value;
  std::string text;  // as written
};
struct String {
  std::string value;
};
struct Boolean {
  bool value;
};
struct NameUse {
  std::string name;
};
// `E[x]`
struct Expectation {
  ExprId operand;
};
struct Argument {
  Name name;  // empty text: positional
  ExprId value;
};
// `(a = 1, b = 2)`: a record. A parenthesised expression is `Paren`.
struct Record {
  std::vector<Argument> fields;
};
struct Paren {
  ExprId operand;
};
struct List {
  std::vector<Argument>
      elements;  // the grammar's `args`; a named element is an error of elaboration
};
struct BlockExpr {
  BlockId block;
};
struct If {
  ExprId condition;
  BlockId then;
  ExprId otherwise;  // none, another If, or a BlockExpr
};
struct For {
  Name variable;
  ExprId list;
  BlockId body;
};
struct Parameter {
  Name name;
  TypeId type;   // may be none
  ExprId value;  // the default; may be none
};
struct Lambda {
  std::vector<Parameter> parameters;
  BlockId body;
};
struct Call {
  ExprId callee;
  std::vector<Argument> arguments;
  Span parentheses;
};
struct Member {
  ExprId object;
  Name name;
};
// One part of an index: `i`, `a:b` (either side may be missing), `_`, `...`.
struct IndexPart {
  enum class Kind { at, range, new_axis, ellipsis } kind;
  ExprId at;          // kind at
  ExprId begin, end;  // kind range; may be none
  Span span;
};
struct Index {
  ExprId object;
  std::vector<IndexPart> parts;
};
enum class UnaryOp { negate, not_ };
struct Unary {
  UnaryOp op;
  ExprId operand;
};
enum class BinaryOp {
  or_,
  and_,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  range,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  matmul,
  power
};
struct Binary {
  BinaryOp op;
  Span op_span;
  ExprId left, right;
};
// `x -> f(a)`: `right` is a Call (x becomes its first argument), else what is applied to x.
// `x -> f(a) with T as name`: `right` is then a With or As around the Call.
struct Arrow {
  ExprId left, right;
  Span op_span;
};
// `dense(512) with equalized(lr = 1)`
struct With {
  ExprId call;
  ExprId transformation;  // a name, or a Call
};
// A dotted or indexed name: `to_rgb[r]`.
struct Path {
  Name name;
  std::vector<ExprId> indices;
  Span span;
};
// `conv(3, 1) as to_rgb[r]`
struct As {
  ExprId call;
  Path path;
};

struct Expr {
  Span span;
  std::variant<Invalid, Number, String, Boolean, NameUse, Expectation, Record, Paren, List,
               BlockExpr, If, For, Lambda, Call, Member, Index, Unary, Binary, Arrow, With, As>
      node;
};

// ---- types

struct Dim {
  bool ellipsis = false;  // `...`
  ExprId size;
};
struct Field;
struct TensorType {
  std::vector<Dim> dims;
};
// A list or tensor given by value: `shape(x)`, `concat([length], shape(x))`; or a plain name.
struct ExprType {
  ExprId expr;
};
struct ClassType {
  ExprId count;
};
struct IntType {};
struct RecordType {
  std::vector<Field> fields;
};
struct Type {
  Span span;
  std::variant<Invalid, TensorType, ExprType, ClassType, IntType, RecordType> node;
  TypeId of;  // `[18] of class[5000]`
};
struct Field {
  Name name;
  TypeId type;
};

// ---- statements; each also of a block's body

struct Clause {
  enum class Kind { times, every } kind;
  ExprId value;
  bool epochs = false;  // every ... epochs; else steps
  Span span;
};
// A net or a part of it: `D`, `D.head`, `D[i]`.
struct Player {
  struct Step {
    Name member;                  // `.head`, else empty
    std::vector<ExprId> indices;  // `[i]`
  };
  Name name;
  std::vector<Step> steps;
  Span span;
};
struct Let {
  Name name;
  ExprId value;
};
struct Var {
  Name name;
  ExprId value;
};
struct Assign {
  Name name;
  ExprId value;
};
struct Update {
  Name name;
  ExprId value;
};
struct Watch {
  Path path;
  ExprId value;
};
// `param w: [n, m] ~ he_normal`, `state u: [n] = 0`
struct Initialized {
  Name name;
  TypeId type;
  bool random;  // `~`, else `=`
  ExprId value;
};
struct Param {
  Initialized init;
};
struct State {
  Initialized init;
};
struct Noise {
  Name name;
  TypeId type;
  ExprId distribution;
};
struct Fn {
  Name name;
  std::vector<Parameter> parameters;
  TypeId result;  // may be none
  BlockId body;
};
struct Every {
  ExprId period;
  bool epochs;
  BlockId body;
};
struct Times {
  ExprId count;
  BlockId body;
};
struct ExprStmt {
  ExprId value;
};
struct Objective {
  std::vector<Player> players;
  bool maximize;
  ExprId objective;
  ExprId by;
  std::vector<Clause> clauses;
};
// `min G max D e by opt`
struct MinMax {
  struct Side {
    bool maximize;
    std::vector<Player> players;
  };
  std::vector<Side> sides;
  ExprId objective;
  ExprId by;
  std::vector<Clause> clauses;
};
struct Average {
  Player from, into;
  ExprId decay;
  std::vector<Clause> clauses;
};
struct Stmt {
  Span span;
  std::variant<Invalid, Let, Var, Assign, Update, Watch, Param, Noise, State, Fn, Every, Times,
               ExprStmt, Objective, MinMax, Average>
      node;
};
struct Block {
  Span span;
  std::vector<StmtId> statements;
};

// ---- declarations

struct Use {
  std::string file;
  Span file_span;
};
struct Const {
  Name name;
  ExprId value;
};
struct Data {
  std::vector<Field> fields;
  ExprId source;
};
struct Layer {
  Name name;
  std::vector<Parameter> parameters;
  TypeId result;  // may be none
  BlockId body;
};
struct Net {
  Path path;
  ExprId alias;  // `net A = copy(B)`; else none, and:
  std::vector<Parameter> parameters;
  TypeId result;                        // may be none
  std::vector<ExprId> transformations;  // each a name or a Call
  std::string from;                     // a weights file, or empty
  Span from_span;
  BlockId body;
};
struct Optimizer {
  Name name;
  std::vector<Parameter> parameters;
  Name weight, gradient;
  BlockId body;
};
struct TrainOption {
  enum class Kind { batch, precision, seed } kind;
  ExprId value;
  Span span;
};
struct Train {
  Path path;  // empty name: unnamed
  ExprId count;
  bool epochs;
  std::vector<TrainOption> options;
  BlockId body;
};
struct Output {
  Path path;
  ExprId value;
};
struct Metric {
  Path path;
  ExprId value;
  ExprId every;  // may be none
  bool epochs = false;
};
struct ForDecl {
  Name variable;
  ExprId list;
  std::vector<DeclId> body;
};
struct IfDecl {
  ExprId condition;
  std::vector<DeclId> then, otherwise;
};
struct Decl {
  Span span;
  std::variant<Invalid, Use, Const, Data, Noise, State, Fn, Layer, Net, Optimizer, Train, Output,
               Metric, ForDecl, IfDecl>
      node;
};

// A comment, for the formatter: `text` from `#` to the end of the line.
struct Comment {
  Span span;
};

struct Ast {
  std::uint32_t file = Span::nowhere;
  std::vector<DeclId> roots;
  std::vector<Decl> decls;
  std::vector<Stmt> stmts;
  std::vector<Block> blocks;
  std::vector<Expr> exprs;
  std::vector<Type> types;
  std::vector<Comment> comments;

  const Expr& operator[](ExprId id) const { return exprs[id.index]; }
  const Block& operator[](BlockId id) const { return blocks[id.index]; }
  const Type& operator[](TypeId id) const { return types[id.index]; }
  const Decl& operator[](DeclId id) const { return decls[id.index]; }
  const Stmt& operator[](StmtId id) const { return stmts[id.index]; }
};

}  // namespace ganc::ast
