#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "compiler/graph/builder.h"
#include "compiler/graph/parse_text.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/ops/op.h"
#include "tests/unit/random_value.h"

namespace ganc {
namespace {

std::string error_of(std::string_view text) {
  const auto read = parse_graph(text);
  if (read) return "no error";
  return "line " + std::to_string(read.error().line) + ": " + read.error().message;
}

// The same but for origins.
void check_same(const Graph& a, const Graph& b) {
  CHECK(a.name == b.name);
  REQUIRE(a.nodes.size() == b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const Node &x = a.nodes[i], &y = b.nodes[i];
    INFO(print_node(a, NodeId{static_cast<std::uint32_t>(i)}));
    CHECK(x.op == y.op);
    CHECK(x.type == y.type);
    CHECK(x.operands == y.operands);
    CHECK(x.attributes == y.attributes);
  }
  REQUIRE(a.outputs.size() == b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    CHECK(a.outputs[i].name == b.outputs[i].name);
    CHECK(a.outputs[i].node == b.outputs[i].node);
  }
}

TEST_CASE("a graph's text is as its header says") {
  Sources sources;
  sources.add("mlp.gan", "one\ntwo\nthree\n");
  Graph graph = {.name = "iteration"};
  Builder b(graph);
  const NodeId x = b.input("data/x", {DType::f32, {64, 100}});
  b.set_origin(Origin{{0, 5, 6}, "D.dense"});
  const NodeId w = b.input("variable/D.w", {DType::f32, {100, 1}});
  const NodeId y = b.dot_general(x, w, {}, {}, {1}, {0});
  b.output("loss/D", y);
  CHECK(print(graph, &sources) ==
        "graph iteration(%0 \"data/x\": f32[64,100], %1 \"variable/D.w\": f32[100,1]) {\n"
        "  %2 = dot_general %0, %1 {lhs_contract=[1], rhs_contract=[0]} : f32[64,1]  # mlp.gan:2 "
        "D.dense\n"
        "  return \"loss/D\": %2\n"
        "}\n");
}

TEST_CASE("every sample of every op survives print and parse") {
  for (const OpDefinition* definition : all_ops()) {
    for (const Sample& sample : definition->samples) {
      Graph graph = {.name = "a name with \"quotes\""};
      Builder b(graph);
      std::vector<NodeId> operands;
      for (const Sample::Operand& operand : sample.operands) {
        operands.push_back(b.input("x" + std::to_string(operands.size()), operand.type));
      }
      b.output("y", b.add_node(definition->op, operands, sample.attributes, sample.type));
      const std::string text = print(graph);
      INFO(text);
      const auto read = parse_graph(text);
      REQUIRE(read.has_value());
      check_same(graph, *read);
      CHECK(print(*read) == text);
    }
  }
}

TEST_CASE("names of any characters, numbers of any kind and inputs at any place survive") {
  Graph graph = {.name = ""};
  Builder b(graph);
  const double infinity = std::numeric_limits<double>::infinity();
  const NodeId c =
      b.constant(std::vector{0.1, -0.0, infinity, -infinity, 5e-324, 1.7976931348623157e308},
                 {DType::f64, {6}});
  const NodeId x = b.input("a \"b\" \\ \n\t\x01 # %3 \xc3\xa4 \xff", {DType::f64, {6}});
  b.output("", b.add(c, x));
  b.output("out\"\n", c);
  b.output("third", x);
  const auto read = parse_graph(print(graph));
  REQUIRE(read.has_value());
  check_same(graph, *read);
  CHECK(std::signbit(read->nodes[0].attributes.values[1]));
  CHECK(print(*read) == print(graph));
}

TEST_CASE("a NaN survives") {
  Graph graph = {.name = "f"};
  Builder b(graph);
  b.output("y", b.constant(std::numeric_limits<double>::quiet_NaN(), {DType::f32, {}}));
  const auto read = parse_graph(print(graph));
  REQUIRE(read.has_value());
  CHECK(std::isnan(read->nodes[0].attributes.values.at(0)));
}

TEST_CASE("text by hand may leave out names and types") {
  const auto read = parse_graph(R"(
    # a comment
    graph f(%x: f32[4]) {
      %half = constant {values=[0.5]} : f32[4]
      %p = multiply %x, %half
      %q = compare %p, %x {comparison=less_equal}
      return %p, "less": %q
    })");
  REQUIRE(read.has_value());
  CHECK(verify(*read).empty());
  CHECK(read->nodes[0].attributes.name == "x");
  CHECK(read->nodes[3].type == Type{DType::pred, {4}});
  CHECK(read->outputs[0].name == "0");
  CHECK(read->outputs[1].name == "less");
}

TEST_CASE("windows are written by what differs from the default") {
  const auto read = parse_graph(
      "graph f(%x: f32[1,1,8,8], %w: f32[1,1,3,3]) {\n"
      "%y = convolution %x, %w {windows=[{stride=2, pad_low=-1}, {}]}\n return %y }");
  REQUIRE(read.has_value());
  CHECK(read->nodes[2].attributes.windows == std::vector<Window>{{.stride = 2, .pad_low = -1}, {}});
  CHECK(print_node(*read, NodeId{2}) ==
        "%2 = convolution %0, %1 {windows=[{stride=2, pad_low=-1}, {}]} : f32[1,1,3,6]");
}

TEST_CASE("what is no graph gets an error with its line") {
  CHECK(error_of("") == "line 1: a name is missing before the end");
  CHECK(error_of("\n\nnet") == "line 3: a graph begins with `graph`");
  CHECK(error_of("graph f(%x: f32[4]) {\n%y = negat %x\n") == "line 2: `negat` is no op");
  CHECK(error_of("graph f(%x: f16[4]) {") == "line 1: `f16` is no dtype");
  CHECK(error_of("graph f() {\n\n%y = negate %x\n") == "line 3: %x is not defined above");
  CHECK(error_of("graph f(%x: f32[], %x: f32[])") == "line 1: %x stands twice");
  CHECK(error_of("graph f(%x: u32[]) {\n %y = tanh %x\n") ==
        "line 2: tanh: needs reals, but got u32[]");
  CHECK(error_of("graph f(%x: f32[]) {\n %y = stop %x {axis=[1]} : f32[]") ==
        "line 2: `axis` is no attribute");
  CHECK(error_of("graph f(%x: f32[]) { %y = compare %x, %x {comparison=more}") ==
        "line 1: `more` is no comparison");
  CHECK(error_of("graph f(%x: f32[]) { %y = convolution %x, %x {windows=[{pad=1}]}") ==
        "line 1: `pad` is nothing of a window");
  CHECK(error_of("graph f(%x: f32[99999999999999999999])") ==
        "line 1: a number is missing or too large before \"999999999999\"");
  CHECK(error_of("graph f(%x \"abc: f32[])") == "line 1: a string does not end");
  CHECK(error_of("graph f(%x \"a\\n\": f32[])") ==
        "line 1: an escape is \\\", \\\\ or \\x with two digits");
  CHECK(error_of("graph f(%x: f32[]) { %y = constant {values=[1 2]} : f32[2]") ==
        "line 1: `]` is missing before \"2]}\"");
  CHECK(error_of("graph f(%x: f32[]) {\n return %x\n}\ngraph") ==
        "line 4: the text should end before \"graph\"");
  CHECK(error_of("graph f(%x: f32[]) {\n }") == "line 2: a name is missing before \"}\"");
}

TEST_CASE("garbage is answered, by an error or a graph that can be verified") {
  const std::string good =
      "graph f(%0 \"x\": f32[2,3], %1 \"i\": i32[4], %2 \"s\": u32[2], %3 \"t\": u32[]) {\n"
      "  %4 = gather %0, %1 {axes=[1]} : f32[2,4]\n"
      "  %5 = pad %4, %6 {low=[0, -1], high=[2, 1], interior=[1, 0]} : f32[5,4]\n"
      "  %6 = constant {values=[0.5]} : f32[]\n"
      "  %7 = random_bits %2, %3 {stream=3} : u32[2,2]\n"
      "  %8 = convolution %4, %4 {windows=[{stride=2}], groups=2} : f32[2]\n"
      "  %9 = slice %0 {start=[0, 1], limit=[2, 3], stride=[1, 2]} : f32[2,1]\n"
      "  %10 = dot_general %0, %0 {lhs_contract=[1], rhs_contract=[1]} : f32[2,2]\n"
      "  return \"loss/D\": %5, \"\": %10\n}\n";
  const int count = test::repeats("GANC_GRAPH_TEXTS", 4000);
  test::Random random(7);
  const std::string pieces = "%{}[]():=,#\"\\ \n0123456789-.einfNaN";
  for (int i = 0; i < count; ++i) {
    std::string text = good;
    for (auto edits = random.integer(1, 4); edits > 0 && !text.empty(); --edits) {
      const auto at =
          static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(text.size()) - 1));
      switch (random.integer(0, 4)) {
        case 0:
          text[at] = pieces[random.integer(0, static_cast<std::int64_t>(pieces.size()) - 1)];
          break;
        case 1:
          text.erase(at, static_cast<std::size_t>(random.integer(1, 9)));
          break;
        case 2:
          text.insert(at, 1,
                      pieces[random.integer(0, static_cast<std::int64_t>(pieces.size()) - 1)]);
          break;
        case 3:
          text.insert(at, "99999999999");
          break;
        case 4:
          text.resize(std::max<std::size_t>(at, 1));
          break;
      }
    }
    if (const auto read = parse_graph(text)) {
      verify(*read);
      CHECK(parse_graph(print(*read)).has_value());
    } else {
      CHECK(!read.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace ganc
