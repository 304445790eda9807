#pragma once

#include <string_view>

#include "compiler/parse/ast.h"

namespace ganc::ast {

constexpr std::string_view node_name(const Invalid*) {
  return "invalid";
}
#define GANC_NODE_NAME(Node, text)                    \
  constexpr std::string_view node_name(const Node*) { \
    return text;                                      \
  }
GANC_NODE_NAME(Number, "number")
GANC_NODE_NAME(String, "string")
GANC_NODE_NAME(Boolean, "boolean")
GANC_NODE_NAME(NameUse, "name")
GANC_NODE_NAME(Expectation, "expectation")
GANC_NODE_NAME(Record, "record")
GANC_NODE_NAME(Paren, "paren")
GANC_NODE_NAME(List, "list")
GANC_NODE_NAME(BlockExpr, "block")
GANC_NODE_NAME(If, "if")
GANC_NODE_NAME(For, "for")
GANC_NODE_NAME(Lambda, "lambda")
GANC_NODE_NAME(Call, "call")
GANC_NODE_NAME(Member, "member")
GANC_NODE_NAME(Index, "index")
GANC_NODE_NAME(Unary, "unary")
GANC_NODE_NAME(Binary, "binary")
GANC_NODE_NAME(Arrow, "arrow")
GANC_NODE_NAME(With, "with")
GANC_NODE_NAME(As, "as")
GANC_NODE_NAME(TensorType, "tensor")
GANC_NODE_NAME(ExprType, "value")
GANC_NODE_NAME(ClassType, "class")
GANC_NODE_NAME(IntType, "int")
GANC_NODE_NAME(RecordType, "record")
GANC_NODE_NAME(Let, "let")
GANC_NODE_NAME(Var, "var")
GANC_NODE_NAME(Assign, "assign")
GANC_NODE_NAME(Update, "update")
GANC_NODE_NAME(Watch, "watch")
GANC_NODE_NAME(Param, "param")
GANC_NODE_NAME(State, "state")
GANC_NODE_NAME(Noise, "noise")
GANC_NODE_NAME(Fn, "fn")
GANC_NODE_NAME(Every, "every")
GANC_NODE_NAME(Times, "times")
GANC_NODE_NAME(ExprStmt, "evaluate")
GANC_NODE_NAME(Objective, "objective")
GANC_NODE_NAME(MinMax, "min_max")
GANC_NODE_NAME(Average, "average")
GANC_NODE_NAME(Use, "use")
GANC_NODE_NAME(Const, "const")
GANC_NODE_NAME(Data, "data")
GANC_NODE_NAME(Layer, "layer")
GANC_NODE_NAME(Net, "net")
GANC_NODE_NAME(Optimizer, "optimizer")
GANC_NODE_NAME(Train, "train")
GANC_NODE_NAME(Output, "output")
GANC_NODE_NAME(Metric, "metric")
GANC_NODE_NAME(ForDecl, "for")
GANC_NODE_NAME(IfDecl, "if")
#undef GANC_NODE_NAME

constexpr std::string_view spelling(UnaryOp op) {
  switch (op) {
    case UnaryOp::negate:
      return "-";
    case UnaryOp::not_:
      return "not";
  }
  return "";
}

constexpr std::string_view spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::or_:
      return "or";
    case BinaryOp::and_:
      return "and";
    case BinaryOp::equal:
      return "==";
    case BinaryOp::not_equal:
      return "!=";
    case BinaryOp::less:
      return "<";
    case BinaryOp::less_equal:
      return "<=";
    case BinaryOp::greater:
      return ">";
    case BinaryOp::greater_equal:
      return ">=";
    case BinaryOp::range:
      return "..";
    case BinaryOp::add:
      return "+";
    case BinaryOp::subtract:
      return "-";
    case BinaryOp::multiply:
      return "*";
    case BinaryOp::divide:
      return "/";
    case BinaryOp::modulo:
      return "%";
    case BinaryOp::matmul:
      return "@";
    case BinaryOp::power:
      return "^";
  }
  return "";
}

constexpr std::string_view spelling(IndexPart::Kind kind) {
  switch (kind) {
    case IndexPart::Kind::at:
      return "at";
    case IndexPart::Kind::range:
      return "range";
    case IndexPart::Kind::new_axis:
      return "_";
    case IndexPart::Kind::ellipsis:
      return "...";
  }
  return "";
}

constexpr std::string_view spelling(Clause::Kind kind) {
  switch (kind) {
    case Clause::Kind::times:
      return "times";
    case Clause::Kind::every:
      return "every";
  }
  return "";
}

constexpr std::string_view spelling(TrainOption::Kind kind) {
  switch (kind) {
    case TrainOption::Kind::batch:
      return "batch";
    case TrainOption::Kind::precision:
      return "precision";
    case TrainOption::Kind::seed:
      return "seed";
  }
  return "";
}

}  // namespace ganc::ast
