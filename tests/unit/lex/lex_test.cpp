#include "compiler/lex/lex.h"

#include <chrono>

#include <catch2/catch.hpp>

namespace ganc {
namespace {

struct Lexed {
  Sources sources;
  Diagnostics diagnostics;
  Tokens tokens;

  explicit Lexed(std::string text) {
    const std::uint32_t file = sources.add("test.gan", std::move(text));
    tokens = lex(sources, file, diagnostics);
  }

  // Tokens with a space between, a newline as `;;`, a token that the lexer put in in `<>`.
  std::string shown() const {
    std::string out;
    for (const Token& t : tokens.list) {
      if (t.kind == TokenKind::end) break;
      if (!out.empty()) out += ' ';
      if (t.kind == TokenKind::newline) {
        out += ";;";
      } else if (t.repaired) {
        out += fmt::format("<{}>", spelling(t.kind));
      } else {
        out += sources.text(t.span);
      }
    }
    return out;
  }
  std::string codes() const {
    std::string out;
    for (const Diagnostic* d : diagnostics.in_order()) {
      out += fmt::format("{}@{} ", info(d->kind).code, d->span.begin);
    }
    return out;
  }
};

std::string shown(const std::string& text) {
  const Lexed lexed(text);
  CHECK(lexed.codes() == "");
  return lexed.shown();
}

TEST_CASE("numbers end before a range, a member and an operator") {
  CHECK(shown("0..3") == "0 .. 3");
  CHECK(shown("1.5..2.5") == "1.5 .. 2.5");
  CHECK(shown("2e-4-1") == "2e-4 - 1");
  CHECK(shown("1E3 1e+3 0.25") == "1E3 1e+3 0.25");
  CHECK(shown("x[0]..2") == "x [ 0 ] .. 2");
  CHECK(shown("[..., 0]") == "[ ... , 0 ]");
  CHECK(shown("a.b") == "a . b");
}

TEST_CASE("the longest sign is taken") {
  CHECK(shown("a->b<=c==d!=e>=f") == "a -> b <= c == d != e >= f");
  CHECK(shown("a<-b") == "a < - b");
  CHECK(shown("a=-b") == "a = - b");
}

TEST_CASE("words are reserved only as a whole") {
  const Lexed lexed("E Ex data data_ min max from notx");
  const std::vector<TokenKind> kinds = {TokenKind::expectation, TokenKind::name, TokenKind::data,
                                        TokenKind::name,        TokenKind::name, TokenKind::name,
                                        TokenKind::name,        TokenKind::name, TokenKind::end};
  REQUIRE(lexed.tokens.list.size() == kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) CHECK(lexed.tokens.list[i].kind == kinds[i]);
}

TEST_CASE("a newline ends a statement") {
  CHECK(shown("a\nb\n\n\n# c\n\nd\n") == "a ;; b ;; d ;;");
  CHECK(shown("a\r\nb") == "a ;; b");
}

TEST_CASE("a newline does not end a statement in ( ) and [ ], but in a block in them") {
  CHECK(shown("f(a,\n  b)\nc") == "f ( a , b ) ;; c");
  CHECK(shown("[1,\n2\n]") == "[ 1 , 2 ]");
  CHECK(shown("f({\na\nb\n},\nc)") == "f ( { ;; a ;; b ;; } , c )");
}

TEST_CASE("a newline does not end a statement before what goes on") {
  for (const char* infix : {"->", "or", "and", "==", "!=", "<", "<=", ">",    ">=", "..",  "+",
                            "-",  "*",  "/",   "%",  "@",  "^", "by", "with", "as", "else"}) {
    CHECK(shown(fmt::format("a\n{} b", infix)) == fmt::format("a {} b", infix));
    CHECK(shown(fmt::format("a # c\n\n# c\n{} b", infix)) == fmt::format("a {} b", infix));
  }
  for (const char* other : {"not", "(b", "[b", "bye", "b", ".b", "=", ","}) {
    const std::string close = other[0] == '(' ? ")" : other[0] == '[' ? "]" : "";
    CHECK(Lexed(fmt::format("a\n{}{}", other, close)).shown().starts_with("a ;; "));
  }
}

TEST_CASE("comments are kept apart") {
  const Lexed lexed("a # one\n# two \r\nb \"# no\" #three");
  REQUIRE(lexed.tokens.comments.size() == 3);
  CHECK(lexed.sources.text(lexed.tokens.comments[0]) == "# one");
  CHECK(lexed.sources.text(lexed.tokens.comments[1]) == "# two ");
  CHECK(lexed.sources.text(lexed.tokens.comments[2]) == "#three");
}

TEST_CASE("strings have escapes") {
  CHECK(string_value(R"("a\n\t\"\\b")") == "a\n\t\"\\b");
  CHECK(string_value(R"("")").empty());
  CHECK(shown(R"(use "a \" b" c)") == R"(use "a \" b" c)");
  CHECK(Lexed("\"abc\nd").codes() == "E0004@0 ");
  CHECK(Lexed("\"abc\\").codes() == "E0004@0 ");
  CHECK(Lexed("\"a\\qb\"").codes() == "E0005@2 ");
}

TEST_CASE("each byte that is no UTF-8 is reported once, wherever it stands") {
  CHECK(Lexed("a \xFF\xFE b").codes() == "E0002@2 E0002@3 ");
  CHECK(Lexed("# \xC0\x80").codes() == "E0002@2 E0002@3 ");                // overlong
  CHECK(Lexed("\"\xED\xA0\x80\"").codes() == "E0002@1 E0002@2 E0002@3 ");  // a surrogate
  CHECK(Lexed("# \xF0\x9F\x98\x80 \xC3\xA9").codes() == "");
  CHECK(Lexed("# \xC3").codes() == "E0002@2 ");
  CHECK(Lexed(std::string(5000, '\xFF')).diagnostics.all().size() == Diagnostics::limit);
}

TEST_CASE("a byte order mark is no character") {
  CHECK(shown("\xEF\xBB\xBF"
              "a") == "a");
}

TEST_CASE("characters that are none of the language are left out") {
  const Lexed lexed(std::string("a $ b \x01 c \0 d", 13));
  CHECK(lexed.codes() == "E0003@2 E0003@6 E0003@10 ");
  CHECK(lexed.shown() == "a b c d");
}

TEST_CASE("a file has at most 4 MiB") {
  CHECK(Lexed(std::string(source_limit, ' ')).codes() == "");
  const Lexed lexed(std::string(source_limit + 1, ' '));
  CHECK(lexed.codes() == "E0001@0 ");
  CHECK(lexed.diagnostics.all()[0].message ==
        "the file has 4194305 bytes, a program may have 4194304");
}

TEST_CASE("brackets match afterwards") {
  CHECK(Lexed("f(a, [b)").shown() == "f ( a , [ b <]> )");
  CHECK(Lexed("f(a]").shown() == "f ( a <)>");
  CHECK(Lexed("a) b").shown() == "a b");
  CHECK(Lexed("{ f(a }").shown() == "{ f ( a <)> }");
  CHECK(Lexed("{ (").shown() == "{ ( <)> <}>");
}

TEST_CASE("an unclosed bracket ends with its line, or before the next statement") {
  CHECK(Lexed("let a = f(b\nc\nd").shown() == "let a = f ( b <)> ;; c ;; d");
  CHECK(Lexed("let a = f(b,\nc\nlet d").shown() == "let a = f ( b , c <)> ;; let d");
  CHECK(Lexed("let a = f(\nlet d = 1").shown() == "let a = f ( <)> ;; let d = 1");
  const Lexed both("E[log(D(x)) by a(1)\nlet b");
  CHECK(both.codes() == "E0010@1 ");
}

TEST_CASE("an unclosed brace ends before a declaration at the left edge") {
  CHECK(Lexed("net G() {\n  a\nnet D() {\n  b\n}\n").shown() ==
        "net G ( ) { ;; a <}> ;; net D ( ) { ;; b ;; } ;;");
  // Where braces match, the left edge means nothing.
  CHECK(shown("for i in a {\nnet D() { b }\n}") == "for i in a { ;; net D ( ) { b } ;; }");
}

TEST_CASE("thousands of unclosed brackets take no long time") {
  const auto start = std::chrono::steady_clock::now();
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "f(a\n";
  CHECK(Lexed(text).diagnostics.full());
  CHECK(Lexed(std::string(200000, '(')).diagnostics.full());
  CHECK(Lexed(std::string(200000, ']')).diagnostics.full());
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

}  // namespace
}  // namespace ganc
