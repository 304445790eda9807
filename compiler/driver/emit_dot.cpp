#include <fmt/format.h>

#include "compiler/driver/emit.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

std::string quoted(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

std::string dot_text(const CompiledProgram& program) {
  const Graph& graph = program.graph;
  std::string text = fmt::format(
      "digraph \"{}\" {{\n  node [shape=box, fontname=\"sans-serif\"];\n", quoted(program.name));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::string name = node.op == Op::input || node.op == Op::draw
                                 ? " " + node.attributes.name
                                 : (node.op == Op::constant && node.attributes.values.size() == 1
                                        ? fmt::format(" {}", node.attributes.values[0])
                                        : std::string());
    const std::string& path = graph.origins[node.origin].path;
    text +=
        fmt::format("  n{} [label=\"{}{}\\n{}{}{}\"];\n", i, definition(node.op).name, quoted(name),
                    to_string(node.type), path.empty() ? "" : "\\n", quoted(path));
    for (NodeId operand : node.operands) text += fmt::format("  n{} -> n{};\n", operand.index, i);
  }
  for (const Output& output : graph.outputs) {
    text += fmt::format("  \"out {0}\" [label=\"{0}\", shape=plaintext];\n  n{1} -> \"out {0}\";\n",
                        quoted(output.name), output.node.index);
  }
  return text + "}\n";
}

}  // namespace ganc
