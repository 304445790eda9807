#include "tests/unit/expectations.h"

#include <catch2/catch.hpp>

namespace ganc::testing {
namespace {

// The error tests are only worth something if a wrong one fails.
std::vector<std::string> compare(const std::string& text) {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan", text);
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{file, 0, 1}, "a");
  diagnostics.report(Kind::unknown_name, Span{file, 4, 5}, "b");
  return mismatches(sources, file, diagnostics);
}

TEST_CASE("what is expected and comes is no mismatch") {
  CHECK(
      compare("a b c # error[E0100]: unknown name `a`  # error[E0100]: unknown name `b`").empty());
  CHECK(compare("a b c\n# error[E0100]@-1: unknown name `a`  # error[E0100]@-1: unknown name `b`")
            .empty());
}

TEST_CASE("another message, code, kind or line is a mismatch") {
  const std::string b = "  # error[E0100]: unknown name `b`";
  CHECK(compare("a b c # error[E0100]: unknown name `c`" + b).size() == 2);
  CHECK(compare("a b c # error[E0101]: unknown name `a`" + b).size() == 2);
  CHECK(compare("a b c # warning[E0100]: unknown name `a`" + b).size() == 2);
  CHECK(compare("a b c" + b + "\n# error[E0100]: unknown name `a`").size() == 2);
}

TEST_CASE("one that does not come, or was not expected, is a mismatch") {
  CHECK(compare("a b c # error[E0100]: unknown name `a`") ==
        std::vector<std::string>{"not expected: line 1: error[E0100]: unknown name `b`"});
  CHECK(compare("a b c # error[E0100]: unknown name `a`  # error[E0100]: unknown name `b`\n"
                "c # error[E0100]: unknown name `c`") ==
        std::vector<std::string>{"did not come: line 2: error[E0100]: unknown name `c`"});
}

TEST_CASE("a diagnostic of another file is never expected") {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan", "# error[E0100]: unknown name `a`");
  const std::uint32_t other = sources.add("b.gan", "a");
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{other, 0, 1}, "a");
  CHECK(mismatches(sources, file, diagnostics).size() == 2);
}

}  // namespace
}  // namespace ganc::testing
