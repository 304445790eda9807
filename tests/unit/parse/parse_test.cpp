#include "compiler/parse/parse.h"

#include <catch2/catch.hpp>

#include "compiler/parse/print_ast.h"
#include "tests/unit/parse/files.h"

namespace ganc::testing {
namespace {

// Every expression of a tree as one line with all brackets: `((a + b) -> f(c))`.
struct Shown {
  const ast::Ast& tree;

  std::string operator()(ast::ExprId id) const {
    return id ? std::visit([&](const auto& node) { return (*this)(node); }, tree[id].node) : "";
  }
  std::string operator()(const ast::Number& n) const { return n.text; }
  std::string operator()(const ast::NameUse& n) const { return n.name; }
  std::string operator()(const ast::Boolean& b) const { return b.value ? "true" : "false"; }
  std::string operator()(const ast::Paren& p) const { return (*this)(p.operand); }
  std::string operator()(const ast::Expectation& e) const {
    return fmt::format("E[{}]", (*this)(e.operand));
  }
  std::string operator()(const ast::Unary& u) const {
    const bool negate = u.op == ast::UnaryOp::negate;
    return fmt::format("({}{})", negate ? "-" : "not ", (*this)(u.operand));
  }
  std::string operator()(const ast::Binary& b) const {
    constexpr const char* signs[] = {
        "or", "and", "==", "!=", "<", "<=", ">", ">=", "..", "+", "-", "*", "/", "%", "@", "^"};
    return fmt::format("({} {} {})", (*this)(b.left), signs[static_cast<int>(b.op)],
                       (*this)(b.right));
  }
  std::string operator()(const ast::Arrow& a) const {
    return fmt::format("({} -> {})", (*this)(a.left), (*this)(a.right));
  }
  std::string operator()(const ast::With& w) const {
    return fmt::format("<{} with {}>", (*this)(w.call), (*this)(w.transformation));
  }
  std::string operator()(const ast::As& a) const {
    std::string path = a.path.name.text;
    for (const ast::ExprId i : a.path.indices) path += fmt::format("[{}]", (*this)(i));
    return fmt::format("<{} as {}>", (*this)(a.call), path);
  }
  std::string operator()(const std::vector<ast::Argument>& list) const {
    std::string out;
    for (const ast::Argument& a : list) {
      if (!out.empty()) out += ", ";
      if (!a.name.text.empty()) out += a.name.text + " = ";
      out += (*this)(a.value);
    }
    return out;
  }
  std::string operator()(const ast::Call& c) const {
    return fmt::format("{}({})", (*this)(c.callee), (*this)(c.arguments));
  }
  std::string operator()(const ast::List& l) const {
    return fmt::format("[{}]", (*this)(l.elements));
  }
  std::string operator()(const ast::Record& r) const {
    return fmt::format("({})", (*this)(r.fields));
  }
  std::string operator()(const ast::Member& m) const {
    return fmt::format("{}.{}", (*this)(m.object), m.name.text);
  }
  std::string operator()(const ast::Index& i) const {
    std::string out;
    for (const ast::IndexPart& p : i.parts) {
      if (!out.empty()) out += ", ";
      switch (p.kind) {
        case ast::IndexPart::Kind::at:
          out += (*this)(p.at);
          break;
        case ast::IndexPart::Kind::range:
          out += (*this)(p.begin) + ":" + (*this)(p.end);
          break;
        case ast::IndexPart::Kind::new_axis:
          out += "_";
          break;
        case ast::IndexPart::Kind::ellipsis:
          out += "...";
          break;
      }
    }
    return fmt::format("{}[{}]", (*this)(i.object), out);
  }
  template <typename Node>
  std::string operator()(const Node&) const {
    return "?";
  }
};

std::string expression(const std::string& text) {
  Sources sources;
  const std::uint32_t file = sources.add("test.gan", "const a = " + text);
  Diagnostics diagnostics;
  const ast::Ast tree = parse(sources, file, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) FAIL_CHECK(render(d, sources, false));
  REQUIRE(tree.roots.size() == 1);
  return Shown{tree}(std::get<ast::Const>(tree[tree.roots[0]].node).value);
}

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  ast::Ast tree;

  explicit Parsed(std::string text) {
    tree = parse(sources, sources.add("test.gan", std::move(text)), diagnostics);
  }
  template <typename Node>
  std::vector<const Node*> statements() const {
    std::vector<const Node*> found;
    for (const ast::Stmt& s : tree.stmts) {
      if (const auto* node = std::get_if<Node>(&s.node)) found.push_back(node);
    }
    return found;
  }
};

TEST_CASE("operators bind as the grammar says") {
  CHECK(expression("a + b * c - d") == "((a + (b * c)) - d)");
  CHECK(expression("a ^ b ^ c") == "(a ^ (b ^ c))");
  CHECK(expression("-a ^ 2") == "(-(a ^ 2))");
  CHECK(expression("-a * b") == "((-a) * b)");
  CHECK(expression("a ^ -b") == "(a ^ (-b))");
  CHECK(expression("a - -b") == "(a - (-b))");
  CHECK(expression("- - a") == "(-(-a))");
  CHECK(expression("a @ b / c % d") == "(((a @ b) / c) % d)");
  CHECK(expression("0..n + 1") == "(0 .. (n + 1))");
  CHECK(expression("a < b and not c == d or e") == "(((a < b) and (not (c == d))) or e)");
  CHECK(expression("not not a") == "(not (not a))");
  CHECK(expression("a or b and c") == "(a or (b and c))");
  CHECK(expression("-f(a)[0].b") == "(-f(a)[0].b)");
}

TEST_CASE("an arrow binds loosest and takes a postfix") {
  CHECK(expression("a + b -> f(c) -> g") == "(((a + b) -> f(c)) -> g)");
  CHECK(expression("x -> f(1) with t(2) as p[r] -> g") ==
        "((x -> <<f(1) with t(2)> as p[r]>) -> g)");
  CHECK(expression("(x -> f) + 1") == "((x -> f) + 1)");
  CHECK(expression("x -> m.f(1)[2]") == "(x -> m.f(1)[2])");
  CHECK(expression("f(x -> g, b = y -> h)") == "f((x -> g), b = (y -> h))");
  CHECK(expression("a or b\n  -> f") == "((a or b) -> f)");
}

TEST_CASE("an index has parts") {
  CHECK(expression("t[i, -1, a:b, :, 1:, :2, _, ...]") == "t[i, (-1), a:b, :, 1:, :2, _, ...]");
  CHECK(expression("t[_ + 1]") == "t[(_ + 1)]");
  CHECK(expression("t[a[b:]:c]") == "t[a[b:]:c]");
}

TEST_CASE("brackets are records, lists and groups") {
  CHECK(expression("(a = 1, b = 2)") == "(a = 1, b = 2)");
  CHECK(expression("(a = 1)") == "(a = 1)");
  CHECK(expression("(a == 1)") == "(a == 1)");
  CHECK(expression("[]") == "[]");
  CHECK(expression("E[x] + E[-log(y)]") == "(E[x] + E[(-log(y))])");
}

TEST_CASE("a bracket that applies to something stands on its line") {
  const Parsed parsed("fn f(a) {\n  a\n  (a)\n  a\n  [a]\n}");
  CHECK_FALSE(parsed.diagnostics.has_error());
  CHECK(parsed.statements<ast::ExprStmt>().size() == 4);
}

TEST_CASE("players and verb are tried before an expression") {
  const Parsed parsed(
      "train for 5 epochs {\n"
      "  D, G.head[i, 1], H[0] minimize a by b, 5 times, every 2 epochs\n"
      "  D maximizes a by b -> c\n"
      "  min G, H max D a by b\n"
      "  min G max D max(a, b) by c\n"
      "  min(a, b)\n"
      "  max = min\n"
      "  5 times { }\n"
      "  n times { }\n"
      "  every 2 steps { }\n"
      "  average G.a into H[1], decay 0.9, every 2 steps\n"
      "}");
  for (const Diagnostic& d : parsed.diagnostics.all()) FAIL_CHECK(d.message);
  const auto objectives = parsed.statements<ast::Objective>();
  REQUIRE(objectives.size() == 2);
  CHECK(objectives[0]->players.size() == 3);
  CHECK(objectives[0]->players[1].steps.size() == 2);
  CHECK(objectives[0]->players[1].steps[1].indices.size() == 2);
  CHECK_FALSE(objectives[0]->maximize);
  REQUIRE(objectives[0]->clauses.size() == 2);
  CHECK(objectives[0]->clauses[0].kind == ast::Clause::Kind::times);
  CHECK(objectives[0]->clauses[1].epochs);
  CHECK(objectives[1]->maximize);
  CHECK(Shown{parsed.tree}(objectives[1]->by) == "(b -> c)");
  const auto games = parsed.statements<ast::MinMax>();
  REQUIRE(games.size() == 2);
  REQUIRE(games[0]->sides.size() == 2);
  CHECK(games[0]->sides[0].players.size() == 2);
  CHECK(games[0]->sides[1].maximize);
  CHECK(Shown{parsed.tree}(games[1]->objective) == "max(a, b)");
  CHECK(parsed.statements<ast::Times>().size() == 2);
  CHECK(parsed.statements<ast::Every>().size() == 1);
  CHECK(parsed.statements<ast::Average>().size() == 1);
  CHECK(parsed.statements<ast::Assign>().size() == 1);
}

TEST_CASE("types are shapes, classes, records and values") {
  const Parsed parsed(
      "data a: [3, 64], b: class[10], c: int, d: [18] of class[5000], e: [], f: (mu: [2], s: int)"
      " from source(1)\n"
      "fn g(x: [..., n], y: shape(x), z: concat([1], shape(x)) of int, w: t.u[0]) -> [n] { x }\n");
  for (const Diagnostic& d : parsed.diagnostics.all()) FAIL_CHECK(d.message);
  const auto kind = [&](std::size_t i) { return parsed.tree.types[i].node.index(); };
  // Invalid, TensorType, ExprType, ClassType, IntType, RecordType
  CHECK(kind(0) == 1);
  CHECK(kind(1) == 3);
  CHECK(kind(2) == 4);
  CHECK(kind(3) == 1);
  CHECK(parsed.tree.types[3].of);
}

TEST_CASE("declarations may stand in loops and branches") {
  const Parsed parsed(
      "for i in 0..2 { net D[i](x) { x } }\n"
      "for r in sizes {\n  train grow[r] for 2 steps, batch 4, precision bf16, seed 1 { }\n"
      "  output s[r] = r\n}\n"
      "if a { const b = 1 } else if c { const b = 2 } else { const b = 3 }\n"
      "net E_avg = copy(G)\n"
      "net C(x) -> [1] with a, b(1) from \"c.safetensors\" { x }\n");
  for (const Diagnostic& d : parsed.diagnostics.all()) FAIL_CHECK(d.message);
  CHECK(parsed.tree.roots.size() == 5);
  const auto& branch = std::get<ast::IfDecl>(parsed.tree[parsed.tree.roots[2]].node);
  REQUIRE(branch.otherwise.size() == 1);
  CHECK(std::holds_alternative<ast::IfDecl>(parsed.tree[branch.otherwise[0]].node));
  const auto& net = std::get<ast::Net>(parsed.tree[parsed.tree.roots[4]].node);
  CHECK(net.transformations.size() == 2);
  CHECK(net.from == "c.safetensors");
}

TEST_CASE("an expression's span covers it") {
  const Parsed parsed("const a = x\n  -> f(1) with t as b[2]");
  const auto& value = std::get<ast::Const>(parsed.tree[parsed.tree.roots[0]].node).value;
  CHECK(parsed.sources.text(parsed.tree[value].span) == "x\n  -> f(1) with t as b[2]");
}

TEST_CASE("the test programs parse without a diagnostic") {
  const auto files = gan_files("programs");
  if (files.empty()) WARN("tests/programs is empty");
  for (const auto& path : files) {
    const Parsed parsed(read_file(path));
    INFO(path.string());
    for (const Diagnostic& d : parsed.diagnostics.all()) {
      FAIL_CHECK(render(d, parsed.sources, false));
    }
  }
}

TEST_CASE("the printed tree is as the golden says") {
  const auto path = std::filesystem::path(GANC_TESTS) / "golden/ast";
  const auto files = gan_files("golden/ast");
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    auto golden = file;
    golden.replace_extension(".ast");
    const std::string got = print_ast(Parsed(read_file(file)).tree);
    if (std::getenv("GANC_UPDATE_GOLDEN")) std::ofstream(golden) << got;
    INFO(golden.string() << ", update: GANC_UPDATE_GOLDEN=1 test_parse");
    CHECK(read_file(golden) == got);
  }
}

}  // namespace
}  // namespace ganc::testing
