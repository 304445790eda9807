#include <set>

#include <catch2/catch.hpp>

#include "compiler/parse/parse.h"
#include "tests/unit/expectations.h"
#include "tests/unit/parse/files.h"

namespace ganc::testing {
namespace {

TEST_CASE("every error test reports what its comments say") {
  const auto files = gan_files("errors/syntax");
  REQUIRE(files.size() >= 20);
  for (const auto& path : files) {
    Sources sources;
    const std::uint32_t file = sources.add(path.string(), read_file(path));
    Diagnostics diagnostics;
    parse(sources, file, diagnostics);
    INFO(path.filename().string());
    for (const std::string& wrong : mismatches(sources, file, diagnostics)) FAIL_CHECK(wrong);
    CHECK(diagnostics.has_error());
  }
}

TEST_CASE("every kind of syntax error has an error test") {
  std::set<std::string> expected = {"E0001"};  // 4 MiB: tested in lex, without a file
  for (const auto& path : gan_files("errors/syntax")) {
    for (const Expectation& e : expectations(read_file(path))) expected.insert(e.code);
  }
  for (const Kind kind : all_kinds()) {
    const std::string code(info(kind).code);
    if (!code.starts_with("E00")) continue;
    INFO(info(kind).name << " has no test in tests/errors/syntax");
    CHECK(expected.contains(code));
  }
}

TEST_CASE("a word of another language gets advice") {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan", "model G(z) {\n}\nfn f(x) { return x }\n");
  Diagnostics diagnostics;
  parse(sources, file, diagnostics);
  REQUIRE(diagnostics.all().size() == 2);
  CHECK(diagnostics.all()[0].notes ==
        std::vector<std::string>{"a network is `net name(x) -> type { ... }`"});
  CHECK(diagnostics.all()[1].notes ==
        std::vector<std::string>{"the last expression of a body is its result"});
}

std::vector<std::string> gan_blocks(const std::string& text) {
  std::vector<std::string> blocks;
  const std::string fence = "```gan\n";
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    blocks.push_back(text.substr(begin, text.find("```", begin) - begin));
  }
  return blocks;
}

std::set<std::string> codes_of(const std::string& text) {
  Sources sources;
  const std::uint32_t file = sources.add("example.gan", text);
  Diagnostics diagnostics;
  parse(sources, file, diagnostics);
  std::set<std::string> codes;
  for (const Diagnostic& d : diagnostics.all()) codes.emplace(info(d.kind).code);
  return codes;
}

TEST_CASE("the examples of the explanations are wrong and right as they say") {
  int with_examples = 0;
  for (const Kind kind : all_kinds()) {
    const std::string code(info(kind).code);
    if (!code.starts_with("E00")) continue;
    const std::vector<std::string> blocks = gan_blocks(explain(code));
    INFO(code);
    if (blocks.size() == 2) {
      CHECK(codes_of(blocks[0]).contains(code));
      ++with_examples;
    }
    if (!blocks.empty()) CHECK(codes_of(blocks.back()).empty());
  }
  CHECK(with_examples >= 18);
}

TEST_CASE("applying the offered replacements mends the program") {
  const std::string wrong =
      "daat x: [2] from npy('points')\n"
      "fn f(x) { x && .5 < 1. }\n"
      "const list = [1, 2)\n"
      "let n = 3\n"
      "train for 5 epoch, batch 64 seed 1 {\n"
      "    const m = 1\n"
      "    D minimise E[D(x)]\n"
      "    D minimizes E[D(x)] by f(1), 5 time\n"
      "    if n = 3 { n }\n"
      "}\n";
  Sources sources;
  const std::uint32_t file = sources.add("wrong.gan", wrong);
  Diagnostics diagnostics;
  parse(sources, file, diagnostics);
  std::vector<Fix> fixes;
  for (const Diagnostic* d : diagnostics.in_order()) {
    for (const Fix& fix : d->fixes) {
      if (!fix.text.empty()) fixes.push_back(fix);
    }
  }
  std::sort(fixes.begin(), fixes.end(),
            [](const Fix& a, const Fix& b) { return a.span.begin > b.span.begin; });
  std::string mended = wrong;
  for (const Fix& fix : fixes) {
    mended.replace(fix.span.begin, fix.span.end - fix.span.begin, fix.text);
  }
  INFO(mended);
  CHECK(fixes.size() == 14);
  CHECK(codes_of(mended).empty());
}

}  // namespace
}  // namespace ganc::testing
