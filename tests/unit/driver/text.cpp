#include <catch2/catch.hpp>

#include "compiler/driver/hash.h"
#include "compiler/driver/mathematics.h"
#include "compiler/driver/table.h"
#include "compiler/graph/builder.h"

using namespace ganc;

TEST_CASE("columns are as wide as their widest word, UTF-8 counted by code points") {
  CHECK(table({{"a", "1", "x"}, {"σσ", "100"}}, "<>", "  ") == "  a     1  x\n  σσ  100\n");
  CHECK(table({}, "<") == "");
}

TEST_CASE("numbers for people") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(-1234567) == "-1,234,567");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1.5e6) == "1.50 MB");
  CHECK(human_flop(16e9) == "16.00 G");
}

TEST_CASE("a hash tells texts and their borders apart") {
  CHECK(hash_of("a") != hash_of("b"));
  CHECK(hash_of("a").size() == 32);
  CHECK(Hash().add("ab").add("c").hex() != Hash().add("a").add("bc").hex());
  CHECK(Hash().add(0.0).hex() != Hash().add(-0.0).hex());
}

TEST_CASE("a graph as mathematics: products of matrices, shared values named, the rest in place") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {8, 3}});
  const NodeId w = b.input("variable/D.w", {DType::f32, {3, 2}});
  const NodeId product = b.dot_general(x, w, {}, {}, {1}, {0});
  const NodeId activated = b.unary(Op::tanh, product);
  const NodeId one = b.like(activated, 1);
  const NodeId slope = b.subtract(one, b.multiply(activated, activated));
  const NodeId gradient = b.dot_general(x, slope, {}, {}, {0}, {0});
  b.output("grad/D/D.w", gradient);
  const std::string text = mathematics(graph, gradient, "result", Sources());
  CHECK(text == "  t1 [8,2] = tanh(x · D.w)\n  result [3,2] = xᵀ · (1 - t1 * t1)\n");
}

TEST_CASE("parentheses stand where the order needs them, and a draw is a name") {
  Graph graph;
  Builder b(graph);
  const Type type{DType::f32, {4}};
  const NodeId a = b.input("variable/a", type);
  const NodeId z = b.draw(b.unary(Op::exponential, a), "draw/D/z");
  const NodeId difference = b.subtract(a, b.subtract(z, b.negate(a)));
  const NodeId result = b.reduce_sum(b.divide(difference, b.add(a, z)), {0});
  b.output("out", result);
  CHECK(mathematics(graph, result, "out", Sources()) == "  out [] = Σ((a - (z - -a)) / (a + z))\n");
}
