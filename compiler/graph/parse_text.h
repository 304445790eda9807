#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace ganc {

struct TextError {
  std::uint32_t line;  // 1-based
  std::string message;
};

// The graph that print wrote, or a person: there a label may be any name (an input without a quoted
// name has its label's), a type may be missing where the op's rule gives it, and outputs without a
// name are called "0", "1", ... Labels that are just 0 to n - 1 are the nodes' indices; otherwise
// nodes stand as the text has them. Any text is answered: by a graph (to be verified) or an error.
std::expected<Graph, TextError> parse_graph(std::string_view text);

}  // namespace ganc
