#include "compiler/source/source.h"

#include <catch2/catch.hpp>

namespace ganc {
namespace {

TEST_CASE("a position counts lines and code points from 1") {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan",
                                         "ab\nc\xC3\xB6"
                                         "d\n");
  const auto at = [&](std::uint32_t offset) {
    const Position p = sources.position(file, offset);
    return std::pair(p.line, p.column);
  };
  CHECK(at(0) == std::pair(1u, 1u));
  CHECK(at(2) == std::pair(1u, 3u));
  CHECK(at(3) == std::pair(2u, 1u));
  CHECK(at(6) == std::pair(2u, 3u));  // behind the two bytes of one letter
  CHECK(at(8) == std::pair(3u, 1u));
  CHECK(at(1000) == std::pair(3u, 1u));
}

TEST_CASE("a line has no end") {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan", "first\r\nsecond\n\nlast");
  CHECK(sources.line(file, 0) == "first");
  CHECK(sources.line(file, 6) == "first");
  CHECK(sources.line(file, 7) == "second");
  CHECK(sources.line(file, 14) == "");
  CHECK(sources.line(file, 15) == "last");
  CHECK(sources.line(file, 1000) == "last");
}

TEST_CASE("an empty file has one empty line") {
  Sources sources;
  const std::uint32_t file = sources.add("empty.gan", "");
  CHECK(sources.line(file, 0) == "");
  CHECK(sources.position(file, 0).line == 1);
}

TEST_CASE("the text of a span is cut to the file") {
  Sources sources;
  const std::uint32_t file = sources.add("a.gan", "abc");
  CHECK(sources.text(Span{file, 1, 2}) == "b");
  CHECK(sources.text(Span{file, 1, 200}) == "bc");
  CHECK(sources.text(Span{file, 20, 10}) == "");
  CHECK(sources.text(Span{}) == "");
}

TEST_CASE("joined spans cover both, an unknown one adds nothing") {
  const Span a{0, 3, 5};
  const Span b{0, 8, 9};
  CHECK(join(a, b) == Span{0, 3, 9});
  CHECK(join(b, a) == Span{0, 3, 9});
  CHECK(join(Span{}, a) == a);
  CHECK(join(a, Span{}) == a);
}

}  // namespace
}  // namespace ganc
