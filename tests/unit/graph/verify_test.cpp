// One graph for each thing that verify.h says is checked.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "compiler/graph/builder.h"
#include "compiler/graph/verify.h"

namespace ganc {
namespace {

const Type vector3 = {DType::f32, {3}};

Graph good() {
  Graph graph = {.name = "f"};
  Builder b(graph);
  const NodeId x = b.input("x", vector3);
  const NodeId y = b.add(x, b.like(x, 1));
  b.output("y", b.draw(y, "draw/y"));
  return graph;  // %0 input, %1 constant, %2 add, %3 draw
}

std::string found(const Graph& graph) {
  return fmt::format("{}", fmt::join(verify(graph), "; "));
}

TEST_CASE("a right graph has no fault") {
  CHECK(found(good()) == "");
}

TEST_CASE("an op that does not exist") {
  Graph graph = good();
  graph.nodes[2].op = static_cast<Op>(op_count);
  CHECK(found(graph) == "%2 is no op of the set");
}

TEST_CASE("an origin that does not exist") {
  Graph graph = good();
  graph.nodes[2].origin = 1;
  CHECK(found(graph) == "%2 has an origin that does not exist");
}

TEST_CASE("an operand that does not exist") {
  Graph graph = good();
  graph.nodes[2].operands[1] = NodeId{};
  CHECK(found(graph) == "%2 has an operand that is no node");
}

TEST_CASE("an operand behind its user") {
  Graph graph = good();
  graph.nodes[2].operands[1] = NodeId{3};
  CHECK(found(graph) == "%2 uses %3, which does not stand before it");
}

TEST_CASE("a wrong number of operands") {
  Graph graph = good();
  graph.nodes[2].operands.pop_back();
  CHECK(found(graph) == "%2 = add: needs 2 operands, but got 1");
}

TEST_CASE("operands that the op's rule refuses") {
  Graph graph = good();
  graph.nodes[1].type.shape = {4};
  CHECK(found(graph) == "%2 = add: needs equal types, but got f32[3] and f32[4]");
}

TEST_CASE("attributes that the op's rule refuses") {
  Graph graph = good();
  graph.nodes[1].attributes.values = {1, 2};
  CHECK(found(graph) == "%1 = constant: has 2 values for the 3 elements of f32[3]");
}

TEST_CASE("a type that the rule does not give") {
  Graph graph = good();
  graph.nodes[3].type.shape = {1, 3};
  CHECK(found(graph) == "%3 = draw %2 {name=\"draw/y\"} : f32[1,3]: its type should be f32[3]");
}

TEST_CASE("attributes that the op does not read") {
  Graph graph = good();
  graph.nodes[2].attributes.groups = 2;
  CHECK(found(graph) ==
        "%2 = add %0, %1 {groups=2} : f32[3]: it has attributes that the op does not read");
  graph = good();
  graph.nodes[1].attributes.axes = {0};
  CHECK(found(graph).ends_with("it has attributes that the op does not read"));
}

TEST_CASE("two inputs or draws of one name") {
  Graph graph = good();
  graph.nodes[1] = graph.nodes[0];
  CHECK(found(graph) == "%0 and %1 are both called \"x\"");
  graph = good();
  graph.nodes.push_back(graph.nodes[3]);
  CHECK(found(graph) == "%3 and %4 are both called \"draw/y\"");
}

TEST_CASE("outputs without node or name, or with one name") {
  Graph graph = good();
  graph.outputs[0].node = NodeId{4};
  CHECK(found(graph) == "the output \"y\" is no node");
  graph.outputs[0] = {"", NodeId{3}};
  CHECK(found(graph) == "an output has no name");
  graph.outputs = {{"y", NodeId{3}}, {"y", NodeId{2}}};
  CHECK(found(graph) == "two outputs are called \"y\"");
}

TEST_CASE("shapes and numbers out of all proportion") {
  Graph graph = good();
  graph.nodes[0].type.shape = {-1};
  CHECK(found(graph).starts_with("%0 = input: the shape [-1] has a negative axis"));
  graph.nodes[0].type.shape = {std::int64_t{1} << 31};
  CHECK(found(graph).starts_with("%0 = input: the shape [2147483648] has too long an axis"));
  graph.nodes[0].type.shape = {1 << 30, 1 << 30};
  CHECK(found(graph).starts_with(
      "%0 = input: the shape [1073741824,1073741824] has too many elements"));
  graph = good();
  graph.nodes[2].attributes.size = INT64_MIN;
  CHECK(found(graph).starts_with("%2 = add: an attribute is beyond 2^31 - 1"));
}

TEST_CASE("no more than 20 faults are listed") {
  Graph graph = good();
  for (int i = 0; i < 100; ++i) graph.outputs.push_back({"", NodeId{}});
  CHECK(verify(graph).size() <= 22);
}

}  // namespace
}  // namespace ganc
