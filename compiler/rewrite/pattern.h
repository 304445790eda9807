#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "compiler/graph/builder.h"

namespace ganc {

// An expression over elementwise ops, as rules are written: "subtract(minimum(x, 0), log(y))".
// Names of ops are those of the op table; a number stands for a constant with that value in every
// element. Other names are variables; equal names stand for one node. What may stand for a variable
// goes by its first letter:
//   k  a constant with one value     c  a value that is the same in every element
//   v  a value not known to be that  others  anything
struct Pattern {
  enum class Kind { op, number, variable } kind = Kind::number;
  Op op = Op::add;
  double number = 0;
  char name = 0;         // first letter of the variable
  std::size_t slot = 0;  // which variable
  std::vector<Pattern> operands;
};

struct ParsedRule {
  Pattern match, replace;
  std::size_t slots = 0;
};

// Text that is no rule is a bug of ours and aborts.
ParsedRule parse_rule(std::string_view match, std::string_view replace);

// The one value of all elements of a node, where the graph shows that there is one.
std::optional<double> uniform_constant(const Graph& graph, NodeId id);
// The [] node that a node repeats in every element, or the node itself where it is uniform; else
// none.
bool is_uniform(const Graph& graph, NodeId id);

using Bindings = std::vector<NodeId>;
// Whether `node` (perhaps not in the graph yet) has the form of `pattern`; operands of commutative
// ops in any order. Nodes marked in `opaque` (by index) are matched by variables and numbers alone.
bool match(const Pattern& pattern, const Graph& graph, const Node& node,
           const std::vector<bool>& opaque, Bindings& bindings);

}  // namespace ganc
