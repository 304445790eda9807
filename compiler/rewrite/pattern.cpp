#include "compiler/rewrite/pattern.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compiler/ops/op.h"

namespace ganc {
namespace {

class RuleParser {
 public:
  Pattern parse(std::string_view text) {
    text_ = text;
    at_ = 0;
    Pattern pattern = expression();
    if (at_ != text_.size()) broken("text after the expression");
    return pattern;
  }
  std::size_t slots() const { return names_.size(); }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  [[noreturn]] void broken(const char* why) {
    std::fprintf(stderr, "ganc: broken rewrite rule `%.*s`: %s\n", static_cast<int>(text_.size()),
                 text_.data(), why);
    std::abort();
  }

  Pattern expression() {
    skip_spaces();
    if (at_ >= text_.size()) broken("an expression is missing");
    if (text_[at_] == '-' || std::isdigit(static_cast<unsigned char>(text_[at_]))) return number();
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
      ++at_;
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (at_ < text_.size() && text_[at_] == '(') return call(name);
    Pattern variable{.kind = Pattern::Kind::variable, .name = name[0]};
    const auto known = std::ranges::find(names_, name);
    variable.slot = static_cast<std::size_t>(known - names_.begin());
    if (known == names_.end()) names_.emplace_back(name);
    return variable;
  }

  Pattern number() {
    const std::string digits(text_.substr(at_));
    char* end = nullptr;
    Pattern result{.kind = Pattern::Kind::number, .number = std::strtod(digits.c_str(), &end)};
    at_ += static_cast<std::size_t>(end - digits.c_str());
    return result;
  }

  Pattern call(std::string_view name) {
    const auto op = op_named(name);
    if (!op) broken("no such op");
    Pattern result{.kind = Pattern::Kind::op, .op = *op};
    do {
      ++at_;  // the parenthesis or comma
      result.operands.push_back(expression());
      skip_spaces();
    } while (at_ < text_.size() && text_[at_] == ',');
    if (at_ >= text_.size() || text_[at_] != ')') broken("`)` is missing");
    ++at_;
    if (definition(*op).arity != static_cast<int>(result.operands.size())) broken("wrong arity");
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> names_;
};

bool commutes(Op op) {
  return op == Op::add || op == Op::multiply || op == Op::maximum || op == Op::minimum;
}

bool match_operand(const Pattern& pattern, const Graph& graph, NodeId id,
                   const std::vector<bool>& opaque, Bindings& bindings) {
  switch (pattern.kind) {
    case Pattern::Kind::number: {
      const auto value = uniform_constant(graph, id);
      return value && *value == pattern.number;
    }
    case Pattern::Kind::variable: {
      if (pattern.name == 'k' && !uniform_constant(graph, id)) return false;
      if (pattern.name == 'c' && !is_uniform(graph, id)) return false;
      if (pattern.name == 'v' && is_uniform(graph, id)) return false;
      NodeId& bound = bindings[pattern.slot];
      if (!bound) bound = id;
      return bound == id;
    }
    case Pattern::Kind::op:
      if (id.index < opaque.size() && opaque[id.index]) return false;
      return match(pattern, graph, graph[id], opaque, bindings);
  }
  return false;
}

}  // namespace

ParsedRule parse_rule(std::string_view match, std::string_view replace) {
  RuleParser parser;
  ParsedRule rule;
  rule.match = parser.parse(match);
  const std::size_t bound = parser.slots();
  rule.replace = parser.parse(replace);
  rule.slots = parser.slots();
  if (rule.slots != bound) {
    std::fprintf(stderr, "ganc: rewrite rule `%.*s` makes a variable up\n",
                 static_cast<int>(replace.size()), replace.data());
    std::abort();
  }
  return rule;
}

std::optional<double> uniform_constant(const Graph& graph, NodeId id) {
  while (graph[id].op == Op::broadcast_in_dim || graph[id].op == Op::reshape) {
    id = graph[id].operands[0];
  }
  const Node& node = graph[id];
  if (node.op != Op::constant || node.attributes.values.empty()) return std::nullopt;
  const auto& values = node.attributes.values;
  for (const double value : values) {
    if (!(value == values[0])) return std::nullopt;
  }
  return values[0];
}

bool is_uniform(const Graph& graph, NodeId id) {
  if (element_count(graph[id].type.shape) == 1 || uniform_constant(graph, id)) return true;
  while (graph[id].op == Op::broadcast_in_dim || graph[id].op == Op::reshape) {
    id = graph[id].operands[0];
    if (element_count(graph[id].type.shape) == 1) return true;
  }
  return false;
}

bool match(const Pattern& pattern, const Graph& graph, const Node& node,
           const std::vector<bool>& opaque, Bindings& bindings) {
  if (node.op != pattern.op) return false;
  const auto in_order = [&](bool swapped) {
    const Bindings before = bindings;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const NodeId operand = node.operands[swapped ? node.operands.size() - 1 - i : i];
      if (!match_operand(pattern.operands[i], graph, operand, opaque, bindings)) {
        bindings = before;
        return false;
      }
    }
    return true;
  };
  return in_order(false) || (commutes(node.op) && in_order(true));
}

}  // namespace ganc
