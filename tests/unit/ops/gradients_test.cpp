#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "compiler/graph/builder.h"
#include "tests/unit/ops/gradient_check.h"

namespace ganc::test {
namespace {

TEST_CASE("every op's gradients, first and second order, are its finite differences") {
  for (const OpDefinition* definition : all_ops()) {
    if (definition->op == Op::stop || definition->op == Op::draw)
      continue;  // not the identity's derivative
    Random random(static_cast<std::uint64_t>(definition->op) + 1);
    for (std::size_t i = 0; i < definition->samples.size(); ++i) {
      INFO(definition->name << ", sample " << i);
      const auto wrong = check_gradients(definition->op, definition->samples[i], random);
      CHECK(fmt::format("{}", fmt::join(wrong, "\n")) == "");
    }
  }
}

TEST_CASE("a wrong derivative is found") {
  Random random(1);
  CHECK(!check_gradients(Op::stop, definition(Op::stop).samples[0], random).empty());
}

TEST_CASE("convolutions of random strides, paddings, dilations and groups have right gradients") {
  const int count = repeats("GANC_CONVOLUTIONS", 60);
  for (int seed = 1; seed <= count; ++seed) {
    INFO("seed " << seed);
    Random random(static_cast<std::uint64_t>(seed));
    const auto wrong = check_gradients(Op::convolution, random_convolution(random), random);
    CHECK(fmt::format("{}", fmt::join(wrong, "\n")) == "");
  }
}

TEST_CASE("maximum and minimum give b the derivative of a tie; abs has 0 at 0") {
  // Seen through the gradient rules alone: finite differences say nothing at a kink.
  for (const auto& [op, sign] : {std::pair(Op::maximum, 1.0), std::pair(Op::minimum, 1.0)}) {
    Graph graph;
    Builder b(graph);
    const NodeId x = b.input("x", {DType::f32, {}}), y = b.binary(op, x, b.like(x, 0));
    const Gradients gradients = definition(op).gradient(b, Node(graph[y]), y, b.like(y, sign));
    REQUIRE(gradients.size() == 2);
    CHECK(graph[gradients[0]].op == Op::select);
    const Node predicate = graph[graph[gradients[0]].operands[0]];
    CHECK(predicate.attributes.comparison ==
          (op == Op::maximum ? Comparison::greater : Comparison::less));
  }
}

}  // namespace
}  // namespace ganc::test
