#include "compiler/parse/print_ast.h"

#include <fmt/core.h>

#include "compiler/parse/members.h"
#include "compiler/parse/node_names.h"

namespace ganc {
namespace {

using namespace ast;

// One line `label: head`, then the parts. A part with an empty value (no type, no alias, an empty
// list) is left out.
class Printer {
 public:
  explicit Printer(const Ast& tree) : tree_(tree) {}

  std::string run() {
    for (const DeclId id : tree_.roots) value("", id);
    return std::move(out_);
  }

 private:
  void line(std::string_view label, std::string_view head) {
    out_.append(2 * static_cast<std::size_t>(depth_), ' ');
    if (!label.empty()) out_ += fmt::format("{}: ", label);
    out_ += head;
    out_ += '\n';
  }

  template <typename Node>
  void parts(const Node& node) {
    ++depth_;
    std::apply([&](const auto&... m) { (value(m.name, node.*(m.pointer)), ...); }, members(&node));
    --depth_;
  }

  void value(std::string_view label, const Name& name) {
    if (!name.text.empty()) line(label, name.text);
  }
  void value(std::string_view label, const std::string& text) {
    if (!text.empty()) line(label, fmt::format("{:?}", text));
  }
  void value(std::string_view label, bool flag) {
    if (flag) line(label, "true");
  }
  void value(std::string_view label, UnaryOp op) { line(label, spelling(op)); }
  void value(std::string_view label, BinaryOp op) { line(label, spelling(op)); }
  void value(std::string_view label, IndexPart::Kind kind) { line(label, spelling(kind)); }
  void value(std::string_view label, Clause::Kind kind) { line(label, spelling(kind)); }
  void value(std::string_view label, TrainOption::Kind kind) { line(label, spelling(kind)); }

  void value(std::string_view label, ExprId id) {
    if (!id) return;
    std::visit([&](const auto& node) { expression(label, node); }, tree_[id].node);
  }
  void expression(std::string_view label, const Number& n) { line(label, "number " + n.text); }
  void expression(std::string_view label, const NameUse& n) { line(label, "name " + n.name); }
  void expression(std::string_view label, const Boolean& b) {
    line(label, b.value ? "true" : "false");
  }
  void expression(std::string_view label, const String& s) {
    line(label, fmt::format("string {:?}", s.value));
  }
  template <typename Node>
  void expression(std::string_view label, const Node& node) {
    line(label, node_name(&node));
    parts(node);
  }

  void value(std::string_view label, TypeId id) {
    if (!id) return;
    const Type& type = tree_[id];
    std::visit([&](const auto& node) { expression(label, node); }, type.node);
    ++depth_;
    value("of", type.of);
    --depth_;
  }
  void value(std::string_view label, BlockId id) {
    if (!id) return;
    line(label, "block");
    ++depth_;
    for (const StmtId s : tree_[id].statements) value("", s);
    --depth_;
  }
  void value(std::string_view label, StmtId id) {
    std::visit([&](const auto& node) { expression(label, node); }, tree_[id].node);
  }
  void value(std::string_view label, DeclId id) {
    std::visit([&](const auto& node) { expression(label, node); }, tree_[id].node);
  }

  template <typename Element>
  void value(std::string_view label, const std::vector<Element>& list) {
    if (list.empty()) return;
    line(label, "");
    out_.erase(out_.size() - 2, 1);  // the space behind the colon
    ++depth_;
    for (const Element& element : list) value("", element);
    --depth_;
  }

  void value(std::string_view, const Argument& a) {
    if (a.name.text.empty()) {
      value("", a.value);
    } else {
      value(a.name.text, a.value);
    }
  }
  void value(std::string_view, const Field& f) { value(f.name.text, f.type); }
  void value(std::string_view, const Parameter& p) {
    line("", p.name.text);
    ++depth_;
    value("type", p.type);
    value("value", p.value);
    --depth_;
  }
  void value(std::string_view label, const Dim& dim) {
    if (dim.ellipsis) line(label, "...");
    value(label, dim.size);
  }
  void value(std::string_view label, const Path& path) {
    value(label, path.name);
    ++depth_;
    value("indices", path.indices);
    --depth_;
  }
  void value(std::string_view, const Initialized& init) {
    --depth_;  // the members of the node around it
    parts(init);
    ++depth_;
  }
  // IndexPart, Clause, Player, its steps, the sides of a min-max, options: heads without a name.
  template <typename Node>
    requires requires(const Node* n) { members(n); }
  void value(std::string_view label, const Node& node) {
    line(label, "-");
    parts(node);
  }

  const Ast& tree_;
  std::string out_;
  int depth_ = 0;
};

class Comparer {
 public:
  Comparer(const Ast& a, const Ast& b) : a_(a), b_(b) {}

  bool run() const { return equal(a_.roots, b_.roots); }

 private:
  template <typename Node>
    requires requires(const Node* n) { members(n); }
  bool equal(const Node& x, const Node& y) const {
    return std::apply(
        [&](const auto&... m) { return (equal(x.*(m.pointer), y.*(m.pointer)) && ...); },
        members(&x));
  }
  template <typename Id>
  bool equal_nodes(Id x, Id y) const {
    if constexpr (requires { Id::none; }) {
      if (!x || !y) return static_cast<bool>(x) == static_cast<bool>(y);
    }
    const auto& left = a_[x].node;
    const auto& right = b_[y].node;
    if (left.index() != right.index()) return false;
    return std::visit(
        [&](const auto& node) {
          return equal(node, std::get<std::decay_t<decltype(node)>>(right));
        },
        left);
  }
  bool equal(ExprId x, ExprId y) const { return equal_nodes(x, y); }
  bool equal(StmtId x, StmtId y) const { return equal_nodes(x, y); }
  bool equal(DeclId x, DeclId y) const { return equal_nodes(x, y); }
  bool equal(TypeId x, TypeId y) const {
    return equal_nodes(x, y) && (!x || equal(a_[x].of, b_[y].of));
  }
  bool equal(BlockId x, BlockId y) const {
    if (!x || !y) return static_cast<bool>(x) == static_cast<bool>(y);
    return equal(a_[x].statements, b_[y].statements);
  }
  bool equal(const Name& x, const Name& y) const { return x.text == y.text; }
  bool equal(const std::string& x, const std::string& y) const { return x == y; }
  template <typename Value>
    requires(std::is_enum_v<Value> || std::is_same_v<Value, bool>)
  bool equal(Value x, Value y) const {
    return x == y;
  }
  template <typename Element>
  bool equal(const std::vector<Element>& x, const std::vector<Element>& y) const {
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!equal(x[i], y[i])) return false;
    }
    return true;
  }

  const Ast& a_;
  const Ast& b_;
};

}  // namespace

std::string print_ast(const Ast& tree) {
  return Printer(tree).run();
}

bool same_meaning(const Ast& a, const Ast& b) {
  return Comparer(a, b).run();
}

}  // namespace ganc
