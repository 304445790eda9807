#pragma once

#include <tuple>

#include "compiler/parse/ast.h"

namespace ganc::ast {

// The members of each node that carry meaning, with names: what printing and comparing walk over.
// Spans are left out. `members(const Node*)` is a tuple of Member.
template <typename Node, typename Value>
struct NamedMember {
  const char* name;
  Value Node::* pointer;
};
template <typename Node, typename Value>
NamedMember(const char*, Value Node::*) -> NamedMember<Node, Value>;

#define GANC_MEMBERS(Node, ...)                               \
  constexpr auto members([[maybe_unused]] const Node* node) { \
    return std::tuple{__VA_ARGS__};                           \
  }
#define GANC_MEMBER(Node, name) \
  NamedMember {                 \
    #name, &Node::name          \
  }

GANC_MEMBERS(Invalid)
GANC_MEMBERS(Number, GANC_MEMBER(Number, text))
GANC_MEMBERS(String, GANC_MEMBER(String, value))
GANC_MEMBERS(Boolean, GANC_MEMBER(Boolean, value))
GANC_MEMBERS(NameUse, GANC_MEMBER(NameUse, name))
GANC_MEMBERS(Expectation, GANC_MEMBER(Expectation, operand))
GANC_MEMBERS(Argument, GANC_MEMBER(Argument, name), GANC_MEMBER(Argument, value))
GANC_MEMBERS(Record, GANC_MEMBER(Record, fields))
GANC_MEMBERS(Paren, GANC_MEMBER(Paren, operand))
GANC_MEMBERS(List, GANC_MEMBER(List, elements))
GANC_MEMBERS(BlockExpr, GANC_MEMBER(BlockExpr, block))
GANC_MEMBERS(If, GANC_MEMBER(If, condition), GANC_MEMBER(If, then), GANC_MEMBER(If, otherwise))
GANC_MEMBERS(For, GANC_MEMBER(For, variable), GANC_MEMBER(For, list), GANC_MEMBER(For, body))
GANC_MEMBERS(Parameter, GANC_MEMBER(Parameter, name), GANC_MEMBER(Parameter, type),
             GANC_MEMBER(Parameter, value))
GANC_MEMBERS(Lambda, GANC_MEMBER(Lambda, parameters), GANC_MEMBER(Lambda, body))
GANC_MEMBERS(Call, GANC_MEMBER(Call, callee), GANC_MEMBER(Call, arguments))
GANC_MEMBERS(Member, GANC_MEMBER(Member, object), GANC_MEMBER(Member, name))
GANC_MEMBERS(IndexPart, GANC_MEMBER(IndexPart, kind), GANC_MEMBER(IndexPart, at),
             GANC_MEMBER(IndexPart, begin), GANC_MEMBER(IndexPart, end))
GANC_MEMBERS(Index, GANC_MEMBER(Index, object), GANC_MEMBER(Index, parts))
GANC_MEMBERS(Unary, GANC_MEMBER(Unary, op), GANC_MEMBER(Unary, operand))
GANC_MEMBERS(Binary, GANC_MEMBER(Binary, op), GANC_MEMBER(Binary, left), GANC_MEMBER(Binary, right))
GANC_MEMBERS(Arrow, GANC_MEMBER(Arrow, left), GANC_MEMBER(Arrow, right))
GANC_MEMBERS(With, GANC_MEMBER(With, call), GANC_MEMBER(With, transformation))
GANC_MEMBERS(Path, GANC_MEMBER(Path, name), GANC_MEMBER(Path, indices))
GANC_MEMBERS(As, GANC_MEMBER(As, call), GANC_MEMBER(As, path))

GANC_MEMBERS(Dim, GANC_MEMBER(Dim, ellipsis), GANC_MEMBER(Dim, size))
GANC_MEMBERS(TensorType, GANC_MEMBER(TensorType, dims))
GANC_MEMBERS(ExprType, GANC_MEMBER(ExprType, expr))
GANC_MEMBERS(ClassType, GANC_MEMBER(ClassType, count))
GANC_MEMBERS(IntType)
GANC_MEMBERS(RecordType, GANC_MEMBER(RecordType, fields))
GANC_MEMBERS(Field, GANC_MEMBER(Field, name), GANC_MEMBER(Field, type))

GANC_MEMBERS(Clause, GANC_MEMBER(Clause, kind), GANC_MEMBER(Clause, value),
             GANC_MEMBER(Clause, epochs))
GANC_MEMBERS(Player::Step, GANC_MEMBER(Player::Step, member), GANC_MEMBER(Player::Step, indices))
GANC_MEMBERS(Player, GANC_MEMBER(Player, name), GANC_MEMBER(Player, steps))
GANC_MEMBERS(Let, GANC_MEMBER(Let, name), GANC_MEMBER(Let, value))
GANC_MEMBERS(Var, GANC_MEMBER(Var, name), GANC_MEMBER(Var, value))
GANC_MEMBERS(Assign, GANC_MEMBER(Assign, name), GANC_MEMBER(Assign, value))
GANC_MEMBERS(Update, GANC_MEMBER(Update, name), GANC_MEMBER(Update, value))
GANC_MEMBERS(Watch, GANC_MEMBER(Watch, path), GANC_MEMBER(Watch, value))
GANC_MEMBERS(Initialized, GANC_MEMBER(Initialized, name), GANC_MEMBER(Initialized, type),
             GANC_MEMBER(Initialized, random), GANC_MEMBER(Initialized, value))
GANC_MEMBERS(Param, GANC_MEMBER(Param, init))
GANC_MEMBERS(State, GANC_MEMBER(State, init))
GANC_MEMBERS(Noise, GANC_MEMBER(Noise, name), GANC_MEMBER(Noise, type),
             GANC_MEMBER(Noise, distribution))
GANC_MEMBERS(Fn, GANC_MEMBER(Fn, name), GANC_MEMBER(Fn, parameters), GANC_MEMBER(Fn, result),
             GANC_MEMBER(Fn, body))
GANC_MEMBERS(Every, GANC_MEMBER(Every, period), GANC_MEMBER(Every, epochs),
             GANC_MEMBER(Every, body))
GANC_MEMBERS(Times, GANC_MEMBER(Times, count), GANC_MEMBER(Times, body))
GANC_MEMBERS(ExprStmt, GANC_MEMBER(ExprStmt, value))
GANC_MEMBERS(Objective, GANC_MEMBER(Objective, players), GANC_MEMBER(Objective, maximize),
             GANC_MEMBER(Objective, objective), GANC_MEMBER(Objective, by),
             GANC_MEMBER(Objective, clauses))
GANC_MEMBERS(MinMax::Side, GANC_MEMBER(MinMax::Side, maximize), GANC_MEMBER(MinMax::Side, players))
GANC_MEMBERS(MinMax, GANC_MEMBER(MinMax, sides), GANC_MEMBER(MinMax, objective),
             GANC_MEMBER(MinMax, by), GANC_MEMBER(MinMax, clauses))
GANC_MEMBERS(Average, GANC_MEMBER(Average, from), GANC_MEMBER(Average, into),
             GANC_MEMBER(Average, decay), GANC_MEMBER(Average, clauses))

GANC_MEMBERS(Use, GANC_MEMBER(Use, file))
GANC_MEMBERS(Const, GANC_MEMBER(Const, name), GANC_MEMBER(Const, value))
GANC_MEMBERS(Data, GANC_MEMBER(Data, fields), GANC_MEMBER(Data, source))
GANC_MEMBERS(Layer, GANC_MEMBER(Layer, name), GANC_MEMBER(Layer, parameters),
             GANC_MEMBER(Layer, result), GANC_MEMBER(Layer, body))
GANC_MEMBERS(Net, GANC_MEMBER(Net, path), GANC_MEMBER(Net, alias), GANC_MEMBER(Net, parameters),
             GANC_MEMBER(Net, result), GANC_MEMBER(Net, transformations), GANC_MEMBER(Net, from),
             GANC_MEMBER(Net, body))
GANC_MEMBERS(Optimizer, GANC_MEMBER(Optimizer, name), GANC_MEMBER(Optimizer, parameters),
             GANC_MEMBER(Optimizer, weight), GANC_MEMBER(Optimizer, gradient),
             GANC_MEMBER(Optimizer, body))
GANC_MEMBERS(TrainOption, GANC_MEMBER(TrainOption, kind), GANC_MEMBER(TrainOption, value))
GANC_MEMBERS(Train, GANC_MEMBER(Train, path), GANC_MEMBER(Train, count), GANC_MEMBER(Train, epochs),
             GANC_MEMBER(Train, options), GANC_MEMBER(Train, body))
GANC_MEMBERS(Output, GANC_MEMBER(Output, path), GANC_MEMBER(Output, value))
GANC_MEMBERS(Metric, GANC_MEMBER(Metric, path), GANC_MEMBER(Metric, value),
             GANC_MEMBER(Metric, every), GANC_MEMBER(Metric, epochs))
GANC_MEMBERS(ForDecl, GANC_MEMBER(ForDecl, variable), GANC_MEMBER(ForDecl, list),
             GANC_MEMBER(ForDecl, body))
GANC_MEMBERS(IfDecl, GANC_MEMBER(IfDecl, condition), GANC_MEMBER(IfDecl, then),
             GANC_MEMBER(IfDecl, otherwise))

#undef GANC_MEMBER
#undef GANC_MEMBERS

}  // namespace ganc::ast
