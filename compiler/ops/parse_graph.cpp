#include <cctype>
#include <charconv>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "compiler/graph/parse_text.h"
#include "compiler/graph/print.h"
#include "compiler/ops/attribute_text.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Reads one piece of text after the other. The first error stays; whatever is read after it is
// empty.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  TextError error() const { return error_; }

  // About what was read last.
  template <class... Arguments>
  void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (!failed_) error_ = {read_line_, fmt::format(format, std::forward<Arguments>(arguments)...)};
    failed_ = true;
    at_ = text_.size();
  }

  bool next_is(char c) {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool accept(char c) {
    if (!next_is(c)) return false;
    ++at_;
    read_line_ = line_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) miss(fmt::format("`{}` is missing", c));
  }

  void expect_end() {
    skip_blanks();
    if (at_ < text_.size()) miss("the text should end");
  }

  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
    if (begin == at_) miss("a name is missing");
    read_line_ = line_;
    return text_.substr(begin, at_ - begin);
  }

  std::string string() {
    expect('"');
    std::string result;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      if (text_[at_] != '\\') {
        result += text_[at_++];
      } else if (at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) {
        result += text_[at_ + 1];
        at_ += 2;
      } else {
        unsigned code = 0;
        const char* digits = text_.data() + at_ + 2;
        if (at_ + 4 > text_.size() || text_[at_ + 1] != 'x' ||
            std::from_chars(digits, digits + 2, code, 16).ptr != digits + 2) {
          fail("an escape is \\\", \\\\ or \\x with two digits");
          return {};
        }
        result += static_cast<char>(code);
        at_ += 4;
      }
    }
    if (at_ >= text_.size() || text_[at_] != '"')
      fail("a string does not end");
    else
      ++at_;
    return result;
  }

  template <class Number>
  Number number() {
    skip_blanks();
    Number value = 0;
    const auto [end, problem] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (problem != std::errc()) {
      miss("a number is missing or too large");
      return 0;
    }
    read_line_ = line_;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  // open item, item, ... close
  template <class F>
  void list(char open, char close, F read_item) {
    expect(open);
    if (accept(close)) return;
    do read_item();
    while (!failed_ && accept(','));
    expect(close);
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
        line_ += c == '\n';
        ++at_;
      } else {
        return;
      }
    }
  }
  void miss(const std::string& what) {  // about what comes next
    skip_blanks();
    read_line_ = line_;
    if (at_ >= text_.size()) return fail("{} before the end", what);
    std::size_t end = at_;
    while (end < text_.size() && end < at_ + 12 && static_cast<unsigned char>(text_[end]) > ' ')
      ++end;
    fail("{} before {}", what, quoted(text_.substr(at_, std::max<std::size_t>(end - at_, 1))));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t read_line_ = 1;  // of what was read last
  bool failed_ = false;
  TextError error_ = {1, {}};
};

class GraphParser {
 public:
  explicit GraphParser(std::string_view text) : in_(text) {}

  std::expected<Graph, TextError> run() {
    if (in_.word() != "graph") in_.fail("a graph begins with `graph`");
    graph_.name = in_.next_is('"') ? in_.string() : std::string(in_.word());
    in_.list('(', ')', [&] { input(); });
    in_.expect('{');
    while (!in_.failed() && in_.next_is('%')) node();
    if (in_.word() != "return") in_.fail("a node or `return` is missing");
    if (!in_.next_is('}')) {
      do output();
      while (!in_.failed() && in_.accept(','));
    }
    in_.expect('}');
    in_.expect_end();
    if (in_.failed()) return std::unexpected(in_.error());
    place_by_label();
    return std::move(graph_);
  }

 private:
  std::string label() {
    in_.expect('%');
    return std::string(in_.word());
  }

  void define(std::string name, Node node) {
    if (in_.failed()) return;
    const auto index = static_cast<std::uint32_t>(graph_.nodes.size());
    if (!places_.emplace(name, NodeId{index}).second) return in_.fail("%{} stands twice", name);
    labels_.push_back(std::move(name));
    graph_.nodes.push_back(std::move(node));
  }

  NodeId use() {
    const std::string name = label();
    if (in_.failed()) return {};
    const auto found = places_.find(name);
    if (found == places_.end()) {
      in_.fail("%{} is not defined above", name);
      return {};
    }
    return found->second;
  }

  void input() {
    std::string name = label();
    Node node = {.op = Op::input};
    node.attributes.name = in_.next_is('"') ? in_.string() : name;
    in_.expect(':');
    node.type = type();
    define(std::move(name), std::move(node));
  }

  void node() {
    std::string name = label();
    in_.expect('=');
    const std::string_view op_name = in_.word();
    const std::optional<Op> op = op_named(op_name);
    if (!op) return in_.fail("`{}` is no op", op_name);
    Node node = {.op = *op};
    if (in_.next_is('%')) {
      do node.operands.push_back(use());
      while (!in_.failed() && in_.accept(','));
    }
    if (in_.next_is('{')) in_.list('{', '}', [&] { attribute(node.attributes); });
    if (in_.accept(':')) {
      node.type = type();
    } else {
      infer(node);
    }
    define(std::move(name), std::move(node));
  }

  void infer(Node& node) {
    if (in_.failed()) return;
    std::vector<Type> types;
    for (NodeId operand : node.operands) types.push_back(graph_[operand].type);
    TypeOrError inferred = infer_type(node.op, types, node.attributes, {});
    if (!inferred.type) return in_.fail("{}", inferred.error);
    node.type = std::move(*inferred.type);
  }

  Type type() {
    const std::string_view name = in_.word();
    const std::optional<DType> dtype = dtype_named(name);
    if (!dtype) {
      in_.fail("`{}` is no dtype", name);
      return {};
    }
    return {*dtype, numbers()};
  }

  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> list;
    in_.list('[', ']', [&] { list.push_back(in_.number<std::int64_t>()); });
    return list;
  }

  void attribute(Attributes& attributes) {
    const std::string_view name = in_.word();
    in_.expect('=');
    if (in_.failed()) return;
    for (const ListAttribute& attribute : list_attributes) {
      if (attribute.name == name) {
        attributes.*attribute.list = numbers();
        return;
      }
    }
    for (const NumberAttribute& attribute : number_attributes) {
      if (attribute.name == name) {
        attributes.*attribute.number = in_.number<std::int64_t>();
        return;
      }
    }
    if (name == "windows") {
      in_.list('[', ']', [&] { attributes.windows.push_back(window()); });
    } else if (name == "comparison") {
      const std::string_view comparison = in_.word();
      const std::optional<Comparison> known = comparison_named(comparison);
      if (!known) return in_.fail("`{}` is no comparison", comparison);
      attributes.comparison = *known;
    } else if (name == "stream") {
      attributes.stream = in_.number<std::uint32_t>();
    } else if (name == "values") {
      in_.list('[', ']', [&] { attributes.values.push_back(in_.number<double>()); });
    } else if (name == "name") {
      attributes.name = in_.string();
    } else {
      in_.fail("`{}` is no attribute", name);
    }
  }

  Window window() {
    Window window;
    in_.list('{', '}', [&] {
      const std::string_view name = in_.word();
      in_.expect('=');
      for (const WindowAttribute& attribute : window_attributes) {
        if (attribute.name == name) {
          window.*attribute.number = in_.number<std::int64_t>();
          return;
        }
      }
      in_.fail("`{}` is nothing of a window", name);
    });
    return window;
  }

  void output() {
    std::string name = std::to_string(graph_.outputs.size());
    if (in_.next_is('"')) {
      name = in_.string();
      in_.expect(':');
    }
    graph_.outputs.push_back({std::move(name), use()});
  }

  // Where the labels are 0 to n - 1, each node goes to the place that its label says.
  void place_by_label() {
    std::vector<NodeId> place(labels_.size());
    std::vector<bool> taken(labels_.size());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::string& text = labels_[i];
      const auto [end, problem] =
          std::from_chars(text.data(), text.data() + text.size(), place[i].index);
      if (problem != std::errc() || end != text.data() + text.size()) return;
      if (place[i].index >= labels_.size() || taken[place[i].index]) return;
      taken[place[i].index] = true;
    }
    std::vector<Node> nodes(graph_.nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (NodeId& operand : graph_.nodes[i].operands) operand = place[operand.index];
      nodes[place[i].index] = std::move(graph_.nodes[i]);
    }
    graph_.nodes = std::move(nodes);
    for (Output& output : graph_.outputs) output.node = place[output.node.index];
  }

  Scanner in_;
  Graph graph_;
  std::vector<std::string> labels_;  // of the nodes, in the text's order
  std::unordered_map<std::string, NodeId> places_;
};

}  // namespace

std::expected<Graph, TextError> parse_graph(std::string_view text) {
  return GraphParser(text).run();
}

}  // namespace ganc
