#pragma once

#include <string>

#include "compiler/graph/graph.h"

namespace ganc {

// The graph as text, for people and tests (the sources of print, parse_text and verify stand with
// the ops):
//
//   graph iteration(%0 "data/x": f32[64,100], %2 "variable/D.w": f32[100,1]) {
//     %1 = constant {values=[0.5]} : f32[64,100]
//     %3 = multiply %0, %1 : f32[64,100]  # mlp.gan:7 D
//     %4 = dot_general %3, %2 {lhs_contract=[1], rhs_contract=[0]} : f32[64,1]
//     return "loss/D": %4
//   }
//
// Inputs stand in the head, other nodes in order; a node's number is its index. Attributes are left
// out where they have their defaults. Numbers are the shortest that read back as the same double.
// parse_graph makes the same graph of it, but for origins: they are comments, with file and line
// where `sources` is given.
std::string print(const Graph& graph, const Sources* sources = nullptr);

// One node as its line has it: "%3 = multiply %0, %1 : f32[64,100]".
std::string print_node(const Graph& graph, NodeId id);

// "text" in quotes, with whatever is not printable escaped.
std::string quoted(std::string_view text);

}  // namespace ganc
