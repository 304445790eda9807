#include "compiler/parse/format.h"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "compiler/parse/parse.h"
#include "compiler/parse/print_ast.h"
#include "tests/unit/parse/files.h"

namespace ganc::testing {
namespace {

ast::Ast parse_text(Sources* sources, const std::string& text, Diagnostics* diagnostics) {
  return parse(*sources, sources->add("test.gan", text), *diagnostics);
}

std::string formatted(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const ast::Ast tree = parse_text(&sources, text, &diagnostics);
  for (const Diagnostic& d : diagnostics.all()) FAIL_CHECK(render(d, sources, false));
  return format(sources, tree, tree.file);
}

bool same(const std::string& a, const std::string& b) {
  Sources sources;
  Diagnostics diagnostics;
  const ast::Ast left = parse_text(&sources, a, &diagnostics);
  const ast::Ast right = parse_text(&sources, b, &diagnostics);
  return same_meaning(left, right);
}

void check_properties(const std::string& name, const std::string& text) {
  INFO(name);
  const std::string once = formatted(text);
  CHECK(formatted(once) == once);
  CHECK(same(text, once));
}

TEST_CASE("a formatted file is as its golden says") {
  const auto files = gan_files("golden/fmt");
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    auto golden = file;
    golden.replace_extension(".formatted");
    const std::string got = formatted(read_file(file));
    if (std::getenv("GANC_UPDATE_GOLDEN")) std::ofstream(golden) << got;
    INFO(golden.string() << ", update: GANC_UPDATE_GOLDEN=1 test_parse");
    CHECK(read_file(golden) == got);
    check_properties(file.string(), read_file(file));
  }
}

TEST_CASE("formatting keeps the meaning and is idempotent on every program") {
  for (const std::string folder : {"programs", "../models", "../compiler/prelude", "golden/ast"}) {
    for (const auto& path : gan_files(folder)) check_properties(path.string(), read_file(path));
  }
}

TEST_CASE("small texts") {
  CHECK(formatted("") == "");
  CHECK(formatted("\n\n\n") == "");
  CHECK(formatted("# only\n\n\n# this") == "# only\n\n# this\n");
  CHECK(formatted("const a=-1\r\nconst b = 2 ^ - 3") == "const a = -1\nconst b = 2^-3\n");
  CHECK(formatted("const a = 1 const b = 2") == "const a = 1\nconst b = 2\n");
  CHECK(formatted("fn f(x){}") == "fn f(x) {}\n");
  CHECK(formatted("fn f(x){x;;x;}") == "fn f(x) { x; x }\n");
  CHECK(formatted("fn f(x) { x\n; x }") == "fn f(x) {\n    x\n    x\n}\n");
}

TEST_CASE("comments of neighbouring lines stand in one column where that is near") {
  CHECK(formatted("const a = 1 # x\nconst bcd = 2 # y") ==
        "const a = 1    # x\nconst bcd = 2  # y\n");
  const std::string far(60, 'b');
  CHECK(formatted("const a = 1 # x\nconst " + far + " = 2 # y") ==
        "const a = 1  # x\nconst " + far + " = 2  # y\n");
  const std::string comment(70, 'c');
  CHECK(formatted("const a = 1 # x\nconst " + far.substr(0, 30) + " = 2 #" + comment) ==
        "const a = 1  # x\nconst " + far.substr(0, 30) + " = 2  #" + comment + "\n");
  CHECK(formatted("const a = 1 # x\n\nconst bcd = 2 # y") ==
        "const a = 1  # x\n\nconst bcd = 2  # y\n");
}

TEST_CASE("a file with wrong characters or brackets comes back as it is") {
  Sources sources;
  Diagnostics diagnostics;
  const std::string text = "const   a = (1 $\n";
  const ast::Ast tree = parse_text(&sources, text, &diagnostics);
  CHECK(format(sources, tree, tree.file) == text);
}

TEST_CASE("meaning is compared, not places") {
  CHECK(same("const a = 1  # one\n", "\n\nconst   a=1"));
  CHECK(same("fn f(x) { x; x }", "fn f(x) {\nx\nx\n}"));
  CHECK_FALSE(same("const a = 1", "const a = 2"));
  CHECK_FALSE(same("const a = 1", "const b = 1"));
  CHECK_FALSE(same("const a = x + y", "const a = x - y"));
  CHECK_FALSE(same("const a = x", "const a = (x)"));
  CHECK_FALSE(same("const a = f(x)", "const a = f(x, x)"));
  CHECK_FALSE(same("const a = f(x)", "const a = f(b = x)"));
  CHECK_FALSE(same("const a = t[1:]", "const a = t[:1]"));
  CHECK_FALSE(same("const a = x -> f as b", "const a = x -> f as c"));
  CHECK_FALSE(same("fn f(x: [1]) { x }", "fn f(x: [1] of int) { x }"));
  CHECK_FALSE(same("fn f(x) -> [1] { x }", "fn f(x) { x }"));
  CHECK_FALSE(same("train for 5 epochs {}", "train for 5 steps {}"));
  CHECK_FALSE(same("train a for 5 epochs {}", "train for 5 epochs {}"));
  CHECK_FALSE(same("state a: [] = 0", "state a: [] ~ 0"));
  CHECK_FALSE(same("net A(x) from \"a\" { x }", "net A(x) from \"b\" { x }"));
  CHECK_FALSE(same("metric m = 1 every 1 epochs", "metric m = 1"));
  CHECK_FALSE(same("const a = 1", "const a = 1\nconst b = 1"));
  const auto game = [](const std::string& s) { return "train for 5 epochs {\n" + s + "\n}"; };
  CHECK_FALSE(same(game("D minimizes a by b"), game("D maximizes a by b")));
  CHECK(same(game("D minimizes a by b"), game("D minimize a by b")));
  CHECK_FALSE(same(game("D minimizes a by b, 5 times"), game("D minimizes a by b")));
  CHECK_FALSE(same(game("min G max D a by b"), game("max G min D a by b")));
  CHECK_FALSE(same(game("average G into H, decay a"), game("average H into G, decay a")));
}

}  // namespace
}  // namespace ganc::testing
