#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph/graph.h"

namespace ganc {

// What is wrong with the graph, one sentence each, at most 20; empty: nothing. It checks that
//   1. every op is one of the set, and every origin exists
//   2. operands exist and stand before their users
//   3. the number of operands, their types and the attributes are what the op's type rule accepts
//   4. the node has the type that the rule gives
//   5. attributes that the op does not read are at their defaults
//   6. no two inputs share a name, and no two draws
//   7. outputs exist and have names of their own
std::vector<std::string> verify(const Graph& graph);

// Aborts with the list and the graph's name where verify finds something: what made the graph has a
// bug.
void check_verified(const Graph& graph, std::string_view made_by);

}  // namespace ganc
