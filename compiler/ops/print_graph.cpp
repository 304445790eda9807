#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/graph/print.h"
#include "compiler/ops/attribute_text.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

bool is_word(std::string_view text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

template <class List, class F>
std::string joined(const List& list, F print_one) {
  std::string text;
  for (const auto& item : list) {
    if (!text.empty()) text += ", ";
    text += print_one(item);
  }
  return text;
}

std::string print_window(const Window& window) {
  std::vector<std::string> parts;
  for (const WindowAttribute& attribute : window_attributes) {
    if (window.*attribute.number != Window{}.*attribute.number) {
      parts.push_back(fmt::format("{}={}", attribute.name, window.*attribute.number));
    }
  }
  return '{' + joined(parts, [](const std::string& part) { return part; }) + '}';
}

// A constant's values stand also where they are none: an empty tensor's.
std::string print_attributes(const Node& node) {
  const Attributes& a = node.attributes;
  std::vector<std::string> parts;
  for (const ListAttribute& attribute : list_attributes) {
    const auto& list = a.*attribute.list;
    if (!list.empty()) parts.push_back(fmt::format("{}={}", attribute.name, to_string(list)));
  }
  if (!a.windows.empty())
    parts.push_back(fmt::format("windows=[{}]", joined(a.windows, print_window)));
  for (const NumberAttribute& attribute : number_attributes) {
    if (a.*attribute.number != Attributes{}.*attribute.number) {
      parts.push_back(fmt::format("{}={}", attribute.name, a.*attribute.number));
    }
  }
  if (a.comparison != Comparison::equal || node.op == Op::compare) {
    parts.push_back(fmt::format("comparison={}", name(a.comparison)));
  }
  if (a.stream != 0) parts.push_back(fmt::format("stream={}", a.stream));
  if (!a.values.empty() || node.op == Op::constant) {
    parts.push_back(fmt::format("values=[{}]", fmt::join(a.values, ", ")));
  }
  if (!a.name.empty() && node.op != Op::input) parts.push_back("name=" + quoted(a.name));
  if (parts.empty()) return {};
  return " {" + joined(parts, [](const std::string& part) { return part; }) + '}';
}

std::string print_origin(const Graph& graph, const Node& node, const Sources* sources) {
  if (node.origin == 0 || node.origin >= graph.origins.size()) return {};
  const Origin& origin = graph.origins[node.origin];
  std::string text;
  if (sources != nullptr && origin.span.known()) {
    text += fmt::format(" {}:{}", sources->name(origin.span.file),
                        sources->position(origin.span.file, origin.span.begin).line);
  }
  if (!origin.path.empty()) text += ' ' + origin.path;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? text : "  #" + text;
}

std::string print_input(const Graph& graph, std::uint32_t i) {
  const Node& node = graph.nodes[i];
  return fmt::format("%{} {}: {}", i, quoted(node.attributes.name), to_string(node.type));
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string print_node(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.op == Op::input) return print_input(graph, id.index);
  std::string text = fmt::format("%{} = {}", id.index, definition(node.op).name);
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    text += fmt::format("{} %{}", i > 0 ? "," : "", node.operands[i].index);
  }
  return text + print_attributes(node) + " : " + to_string(node.type);
}

std::string print(const Graph& graph, const Sources* sources) {
  std::vector<std::string> inputs;
  std::size_t width = 0;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op != Op::input) continue;
    inputs.push_back(print_input(graph, i));
    width += inputs.back().size() + 2;
  }
  std::string text = "graph " + (is_word(graph.name) ? graph.name : quoted(graph.name)) + '(';
  const std::string_view between = text.size() + width < 100 ? " " : "\n    ";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (i > 0) text += ',';
    if (i > 0 || between != " ") text += between;
    text += inputs[i];
  }
  text += ") {\n";
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op == Op::input) continue;
    text += "  " + print_node(graph, NodeId{i}) + print_origin(graph, node, sources) + '\n';
  }
  const bool one_line = graph.outputs.size() <= 2;
  text += "  return";
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (i > 0) text += ',';
    text += one_line ? " " : "\n    ";
    text += fmt::format("{}: %{}", quoted(graph.outputs[i].name), graph.outputs[i].node.index);
  }
  return text + "\n}\n";
}

}  // namespace ganc
