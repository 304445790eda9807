#include <catch2/catch.hpp>

#include <limits>

#include "compiler/graph/builder.h"
#include "compiler/graph/verify.h"

namespace ganc {
namespace {

const Type vector3 = {DType::f32, {3}};

TEST_CASE("equal nodes are one node, different ones are not") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", vector3), y = b.input("y", vector3);
  CHECK(x != y);
  CHECK(b.input("x", vector3) == x);
  CHECK(b.add(x, y) == b.add(x, y));
  CHECK(b.add(x, y) != b.add(y, x));
  CHECK(b.compare(Comparison::less, x, y) != b.compare(Comparison::greater, x, y));
  CHECK(b.draw(x, "draw/a") != b.draw(x, "draw/b"));
  CHECK(b.constant(1.0, vector3) != b.constant(1.0, {DType::f64, {3}}));
  CHECK(verify(graph).empty());
}

TEST_CASE("constants are compared by their bits") {
  Graph graph;
  Builder b(graph);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(b.constant(0.0, vector3) != b.constant(-0.0, vector3));
  CHECK(b.constant(nan, vector3) == b.constant(nan, vector3));
  CHECK(b.constant(std::vector{2.0, 2.0, 2.0}, vector3) == b.constant(2.0, vector3));
  CHECK(b.constant(std::vector{2.0, 0.0, 2.0}, vector3) !=
        b.constant(std::vector{2.0, -0.0, 2.0}, vector3));
}

TEST_CASE("what changes nothing adds no node") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", vector3);
  CHECK(b.reshape(x, {3}) == x);
  CHECK(b.convert(x, DType::f32) == x);
  CHECK(b.reduce_sum(x, {}) == x);
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("a builder over a graph knows the nodes that are there") {
  Graph graph;
  NodeId sum;
  {
    Builder b(graph);
    sum = b.add(b.input("x", vector3), b.input("y", vector3));
  }
  Builder b(graph);
  CHECK(b.add(b.input("x", vector3), b.input("y", vector3)) == sum);
}

TEST_CASE("nodes have the origin that was set when they were added") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", vector3);
  b.set_origin(Origin{{0, 4, 9}, "G.dense"});
  const NodeId y = b.negate(x);
  b.set_origin(Origin{{0, 4, 9}, "G.dense"});
  CHECK(b.origin() == graph[y].origin);
  CHECK(graph[x].origin == 0);
  CHECK(graph.origins[graph[y].origin].path == "G.dense");
  CHECK(graph.origins.size() == 2);
}

TEST_CASE("names of dtypes, comparisons and types") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u32, DType::pred}) {
    CHECK(dtype_named(name(dtype)) == dtype);
  }
  CHECK(!dtype_named("f16"));
  CHECK(comparison_named("less_equal") == Comparison::less_equal);
  CHECK(!comparison_named("lesser"));
  CHECK(to_string(Type{DType::f32, {64, 100}}) == "f32[64,100]");
  CHECK(to_string(Type{DType::u32, {}}) == "u32[]");
}

TEST_CASE("the number of elements does not overflow") {
  const std::int64_t large = std::int64_t{1} << 40;
  CHECK(element_count({large, large}) == std::numeric_limits<std::int64_t>::max());
  CHECK(element_count({large, large, 0}) == 0);
  CHECK(element_count({}) == 1);
}

}  // namespace
}  // namespace ganc
