#include <cstdio>
#include <cstdlib>
#include <random>

#include <catch2/catch.hpp>

#include "compiler/lex/lex.h"
#include "compiler/parse/format.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/print_ast.h"
#include "tests/unit/parse/files.h"

// Broken programs: nothing may crash or hang, and every place lies in the file.

namespace ganc::testing {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

class Mutator {
 public:
  Mutator(std::uint64_t seed, std::vector<std::string> texts)
      : random_(seed), texts_(std::move(texts)) {}

  std::string next() {
    std::string text = any(texts_);
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit);
  }
  const std::string& any(const std::vector<std::string>& list) { return list[below(list.size())]; }

  // [begin, end) of a random token.
  std::pair<std::size_t, std::size_t> token(const std::string& text) {
    Sources sources;
    Diagnostics diagnostics;
    const Tokens tokens = lex(sources, sources.add("fuzz", text), diagnostics);
    const Span span = tokens.list[below(tokens.list.size())].span;
    return {std::min<std::size_t>(span.begin, text.size()),
            std::min<std::size_t>(span.end, text.size())};
  }

  void mutate(std::string& text) {
    static const std::vector<std::string> pieces = {"(",
                                                    ")",
                                                    "[",
                                                    "]",
                                                    "{",
                                                    "}",
                                                    "\n",
                                                    ";",
                                                    ",",
                                                    "->",
                                                    "-",
                                                    "=",
                                                    "==",
                                                    ":",
                                                    "..",
                                                    "...",
                                                    ".",
                                                    "~",
                                                    "\"",
                                                    "#",
                                                    "by ",
                                                    "with ",
                                                    "as ",
                                                    "else ",
                                                    "if ",
                                                    "for ",
                                                    "fn",
                                                    "let ",
                                                    "net ",
                                                    "E",
                                                    "D minimizes ",
                                                    "min G max D ",
                                                    "5 times ",
                                                    "every 2 steps ",
                                                    "_",
                                                    "0",
                                                    "1e999",
                                                    "\xFF",
                                                    "\xC3\xB6",
                                                    "$",
                                                    "&&",
                                                    "'",
                                                    std::string(1, '\0'),
                                                    "not ",
                                                    "^",
                                                    " 3 ",
                                                    "train for ",
                                                    "average G into H, decay ",
                                                    "of ",
                                                    "class[",
                                                    "int",
                                                    "from "};
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(below(60), text.size() - at);
    const auto [begin, end] = token(text);
    switch (below(12)) {
      case 0:
        text.insert(at, any(pieces));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.resize(at);
        break;
      case 3:
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
      case 4:
        text.erase(begin, end - begin);
        break;
      case 5:
        text.insert(end, " " + text.substr(begin, end - begin));
        break;
      case 6:
        text.replace(begin, end - begin, any(pieces));
        break;
      case 7:
        text.insert(at, std::string(1, static_cast<char>(random_())));
        break;
      case 8:
        nest(text, begin);
        break;
      case 9:
        text.insert(begin, any(texts_).substr(0, 300));
        break;
      case 10:
        text.erase(0, at);
        break;
      default:
        text.insert(begin, "\n");
        break;
    }
  }

  // Deep nesting, closed or not.
  void nest(std::string& text, std::size_t at) {
    static const std::vector<std::pair<std::string, std::string>> around = {{"(", ")"},
                                                                            {"[", "]"},
                                                                            {"{", "}"},
                                                                            {"f(", ")"},
                                                                            {"-", ""},
                                                                            {"not ", ""},
                                                                            {"1 + ", ""},
                                                                            {"x -> ", ""},
                                                                            {"x ^ ", ""},
                                                                            {"if a { ", " }"},
                                                                            {"if a {} else ", ""},
                                                                            {"t[", "]"},
                                                                            {"[1] of ", ""},
                                                                            {"fn(x) { ", " }"},
                                                                            {"E[", "]"},
                                                                            {"for i in a { ", " }"},
                                                                            {"x.", ""}};
    const auto& [open, close] = around[below(around.size())];
    const std::size_t depth = 1 + below(below(8) == 0 ? 3000 : 300);
    std::string before, behind;
    for (std::size_t i = 0; i < depth; ++i) before += open;
    if (below(2) == 0) {
      for (std::size_t i = 0; i < depth; ++i) behind += close;
    }
    text.insert(at, before + "x" + behind);
  }

  std::mt19937_64 random_;
  std::vector<std::string> texts_;
};

// The first place that does not lie in its file, as text.
std::string misplaced(const Sources& sources, const ast::Ast& tree,
                      const Diagnostics& diagnostics) {
  const std::size_t size = sources.text(tree.file).size();
  const auto bad = [&](Span s) {
    return s.known() && (s.file != tree.file || s.begin > s.end || s.end > size);
  };
  for (const ast::Expr& e : tree.exprs) {
    if (bad(e.span)) return fmt::format("expression {}..{}", e.span.begin, e.span.end);
  }
  for (const ast::Stmt& s : tree.stmts) {
    if (bad(s.span)) return fmt::format("statement {}..{}", s.span.begin, s.span.end);
  }
  for (const ast::Decl& d : tree.decls) {
    if (bad(d.span)) return fmt::format("declaration {}..{}", d.span.begin, d.span.end);
  }
  for (const ast::Type& t : tree.types) {
    if (bad(t.span)) return fmt::format("type {}..{}", t.span.begin, t.span.end);
  }
  for (const ast::Block& b : tree.blocks) {
    if (bad(b.span)) return fmt::format("block {}..{}", b.span.begin, b.span.end);
  }
  for (const Diagnostic& d : diagnostics.all()) {
    if (!d.span.known() || bad(d.span)) return "diagnostic: " + d.message;
    for (const Label& l : d.labels) {
      if (bad(l.span)) return "label: " + l.text;
    }
    for (const Fix& f : d.fixes) {
      if (bad(f.span)) return "fix: " + f.message;
    }
  }
  return {};
}

void check(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const ast::Ast tree = parse(sources, sources.add("fuzz.gan", text), diagnostics);
  REQUIRE(misplaced(sources, tree, diagnostics) == "");
  print_ast(tree);
  std::size_t shown = 0;
  for (const Diagnostic* d : diagnostics.in_order()) {
    if (++shown > 5) break;
    REQUIRE_FALSE(render(*d, sources, false).empty());
    REQUIRE_FALSE(render_json(*d, sources).empty());
  }
  const std::string once = format(sources, tree, tree.file);
  if (diagnostics.has_error()) return;
  const std::uint32_t file = sources.add("formatted.gan", once);
  const ast::Ast again = parse(sources, file, diagnostics);
  REQUIRE_FALSE(diagnostics.has_error());
  REQUIRE(same_meaning(tree, again));
  REQUIRE(format(sources, again, file) == once);
}

TEST_CASE("broken programs neither crash nor hang") {
  std::vector<std::string> texts;
  for (const std::string folder : {"programs", "golden/ast", "golden/fmt", "errors/syntax"}) {
    for (const auto& path : gan_files(folder)) texts.push_back(read_file(path));
  }
  REQUIRE_FALSE(texts.empty());
  const std::uint64_t count = from_environment("GANC_FUZZ_COUNT", 2000);
  const std::uint64_t seed = from_environment("GANC_FUZZ_SEED", std::random_device()());
  std::printf("GANC_FUZZ_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Each has a seed of its own: one that fails runs alone with GANC_FUZZ_COUNT=1.
    const std::string text = Mutator(seed + i, texts).next();
    INFO("GANC_FUZZ_COUNT=1 GANC_FUZZ_SEED=" << seed + i);
    if (const char* keep = std::getenv("GANC_FUZZ_KEEP")) std::ofstream(keep) << text;
    check(text);
  }
}

TEST_CASE("extremes neither crash nor hang") {
  const auto many = [](const std::string& piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  for (const std::string piece : {"(",
                                  "[",
                                  "{",
                                  "-",
                                  "not ",
                                  "x^",
                                  "x + ",
                                  "x -> ",
                                  "f(",
                                  "t[",
                                  "E[",
                                  "if a {} else ",
                                  "if a {",
                                  "for i in a {",
                                  "fn(x) {",
                                  "x.",
                                  "a = ",
                                  "let a = ",
                                  "D, ",
                                  "D[",
                                  "min G ",
                                  "net G(z) ",
                                  "[1] of ",
                                  "\"",
                                  "const a = 1\n",
                                  "D minimizes ",
                                  "f(a\n",
                                  "x with t ",
                                  "#"}) {
    INFO(piece);
    check("const a = " + many(piece, 8000));
    check("train for 1 steps {\n" + many(piece, 8000));
    check(many(piece, 8000));
  }
}

}  // namespace
}  // namespace ganc::testing
