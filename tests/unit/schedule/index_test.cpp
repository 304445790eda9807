#include <catch2/catch.hpp>

#include "compiler/schedule/index.h"
#include "tests/unit/random_value.h"

using namespace ganc::planning;
using ganc::test::Random;

namespace {

// What an index is where the variables have these values.
std::int64_t evaluate(const IndexSpace& space, IndexId id,
                      const std::vector<std::int64_t>& values) {
  std::int64_t result = space[id].constant;
  for (const Term& term : space[id].terms) {
    const Atom& atom = space.atom(term.atom);
    std::int64_t x = 0;
    switch (atom.kind) {
      case Atom::Kind::variable:
        x = values[atom.source];
        break;
      case Atom::Kind::quotient:
        x = evaluate(space, atom.of, values) / atom.divisor;
        break;
      case Atom::Kind::remainder:
        x = evaluate(space, atom.of, values) % atom.divisor;
        break;
      case Atom::Kind::data:
        break;
    }
    CHECK((x >= 0 && x < atom.extent));
    result += term.coefficient * x;
  }
  return result;
}

}  // namespace

TEST_CASE("a reshape that only joins or splits axes at whole variables divides nothing") {
  IndexSpace space;
  const auto h = space.add_variable(4), w = space.add_variable(7);
  const IndexId linear = space.add(space.scale(space.variable(h), 7), space.variable(w));
  CHECK(space.quotient(linear, 7) == space.variable(h));
  CHECK(space.remainder(linear, 7) == space.variable(w));
  CHECK(space.wanted_splits().empty());
}

TEST_CASE("a variable that a quotient cuts is wished in two") {
  IndexSpace space;
  const auto v = space.add_variable(784);
  CHECK_FALSE(space.is_affine(space.quotient(space.variable(v), 28)));
  REQUIRE(space.wanted_splits().size() == 1);
  CHECK(space.wanted_splits()[0].variable == v);
  CHECK(space.wanted_splits()[0].inner == 28);
}

TEST_CASE("a view of a row-major tensor through an odd reshape is the tensor's own index") {
  IndexSpace space;
  const auto a = space.add_variable(4), b = space.add_variable(6);  // [4, 6] of a tensor [8, 3]
  const IndexId linear = space.add(space.scale(space.variable(a), 6), space.variable(b));
  const IndexId odd =
      space.add(space.scale(space.quotient(linear, 5), 5), space.remainder(linear, 5));
  CHECK(odd == linear);
}

TEST_CASE("an axis of length 1 has no variable") {
  IndexSpace space;
  CHECK(space.variable(space.add_variable(1)) == space.constant(0));
}

TEST_CASE("random sums, quotients and remainders are what arithmetic says") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    IndexSpace space;
    std::vector<std::int64_t> values;
    std::vector<std::pair<IndexId, std::int64_t>> known;
    for (int i = 0; i < 3; ++i) {
      const std::int64_t extent = random.integer(1, 12);
      const auto v = space.add_variable(extent);
      values.push_back(random.integer(0, extent - 1));
      known.emplace_back(space.variable(v), values.back());
    }
    for (int step = 0; step < 12; ++step) {
      const auto [x, is] = known[static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(known.size()) - 1))];
      const auto [y, other] = known[static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(known.size()) - 1))];
      const std::int64_t n = random.integer(1, 9);
      switch (random.integer(0, 4)) {
        case 0:
          known.emplace_back(space.add(x, y), is + other);
          break;
        case 1:
          known.emplace_back(space.scale(x, n), is * n);
          break;
        case 2:
          known.emplace_back(space.add(x, n), is + n);
          break;
        case 3:
          known.emplace_back(space.quotient(x, n), is / n);
          break;
        case 4:
          known.emplace_back(space.remainder(x, n), is % n);
          break;
      }
      CHECK(evaluate(space, known.back().first, values) == known.back().second);
      const Range range = space.range(known.back().first);
      CHECK((range.low <= known.back().second && known.back().second <= range.high));
    }
  }
}
