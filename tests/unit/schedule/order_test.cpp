#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/graph/builder.h"
#include "compiler/schedule/memory.h"
#include "compiler/schedule/order.h"
#include "compiler/schedule/schedule.h"
#include "tests/unit/schedule/drafts.h"

// The order of calls, and the gaps between rows.

using namespace ganc;
using namespace ganc::planning;

namespace {

Plan plan_of(const Graph& graph, std::span<const Variable> variables = {},
             const ScheduleOptions& options = {}) {
  const Graph* graphs[] = {&graph};
  return schedule(variables, graphs, options);
}

}  // namespace

TEST_CASE("one batch goes through before the next begins") {
  // Tensors 0, 1: inputs. 2, 3: large; 4, 5: what is made of them; 6: the sum.
  ProgramDraft p = program(
      {1, 1, 1000, 1000, 1, 1, 1},
      {draft({0}, {2}), draft({1}, {3}), draft({2}, {4}), draft({3}, {5}), draft({4, 5}, {6})});
  order_drafts(p);
  // The first of each pair waits for nothing and is made where it is read.
  CHECK(names(p) == "2 4 3 5 6");
}

TEST_CASE("an order that needs no less is left alone") {
  ProgramDraft p =
      program({1, 1, 10, 10, 10, 10, 1}, {draft({1}, {3}), draft({0}, {2}), draft({2, 3}, {4}),
                                          draft({2, 3}, {5}), draft({4, 5}, {6})});
  order_drafts(p);
  CHECK(names(p) == "3 2 4 5 6");
}

TEST_CASE("what is summed up dies before more is made") {
  // 1 is large, 2 is made of it; 3 is made of 2 and large, 4 sums up 1.
  ProgramDraft p = program(
      {1, 1000, 1, 1000, 1, 1},
      {draft({0}, {1}), draft({1}, {2}), draft({2}, {3}), draft({1}, {4}), draft({2, 3, 4}, {5})});
  order_drafts(p);
  CHECK(names(p) == "1 2 4 3 5");
}

TEST_CASE("a copy is made where it is read") {
  // 4 is a copy of 1 that 5 reads; 2 and 3 do not, and need the place.
  ProgramDraft p = program(
      {1, 500, 1000, 1, 1000, 1},
      {draft({0}, {1}), draft({1}, {4}), draft({1}, {2}), draft({2}, {3}), draft({3, 4}, {5})});
  p.tensors[4].node = p.tensors[1].node;  // as well
  order_drafts(p);
  CHECK(names(p) == "1 2 3 4 5");
}

TEST_CASE("a result takes no place after it was written") {
  ProgramDraft p = program({1, 1000, 1000, 1}, {draft({0}, {1}), draft({0}, {2}), draft({0}, {3})});
  p.targets.push_back({"grad", {1}, -1});
  const std::vector<Life> lives = find_lives(p);
  CHECK(std::pair(lives[1].birth, lives[1].death) == std::pair<std::int64_t, std::int64_t>(0, 0));
  CHECK(std::pair(lives[3].birth, lives[3].death) == std::pair<std::int64_t, std::int64_t>(2, 2));
  p.targets.push_back({"same", {0}, -1});  // no draft writes it
  p.drafts.clear();
  CHECK(find_lives(p)[0].birth == -1);
  CHECK(find_lives(p)[0].death == -1);
}

TEST_CASE("a value that is read after a variable has changed was made before that") {
  // 0: a variable, 1: its new value, made of the old one; 2: made of the old one; 3: large, made of
  // the new one; 4 reads 2 and 3.
  ProgramDraft p = program({1000, 1000, 1000, 1000, 1},
                           {draft({0}, {2}), draft({0}, {1}), draft({1}, {3}), draft({2, 3}, {4})});
  p.tensors[0].home = Tensor::Home::variable;
  p.tensors[0].variable = 0;
  p.targets.push_back({"variable/x", {1}, 0});
  order_drafts(p);
  const auto place = [&](const char* name) {
    return std::ranges::find(p.drafts, name, [](const Draft& d) { return d.kernel.name; }) -
           p.drafts.begin();
  };
  REQUIRE(p.drafts.size() == 4);
  CHECK(place("2") < place("1"));
  CHECK(place("1") < place("3"));
  CHECK(place("3") < place("4"));
}

TEST_CASE("a filter is transformed again rather than kept through the peak") {
  Graph graph;
  Builder b(graph);
  const auto type = [](Shape shape) { return Type{DType::f32, std::move(shape)}; };
  const Window window{.pad_low = 1, .pad_high = 1};
  const auto convolution = [&](NodeId x, NodeId w) {
    return b.convolution(x, w, {window, window});
  };
  const Variable variables[] = {
      {.name = "w", .kind = VariableKind::weight, .type = type({96, 96, 3, 3})},
      {.name = "v", .kind = VariableKind::weight, .type = type({96, 96, 3, 3})}};
  const NodeId w = b.input("variable/w", variables[0].type),
               v = b.input("variable/v", variables[1].type);
  NodeId x = convolution(b.input("data/x", type({32, 96, 24, 24})), w);
  x = convolution(b.unary(Op::tanh, x), v);
  x = convolution(b.unary(Op::tanh, x), v);
  b.output("out", convolution(x, w));
  const Plan plan = plan_of(graph, variables, {.products = {Products::fewer}, .least_gain = 0});
  const auto reads = [&](std::size_t variable) {
    return std::ranges::count_if(plan.programs[0].calls, [&](const Call& call) {
      return call.offsets.front() == plan.variables[variable].placement.offset;
    });
  };
  CHECK(reads(0) == 2);
  CHECK(reads(1) == 1);
}

TEST_CASE("rows a multiple of 1 KiB long lie a cache line further apart") {
  CHECK(strides_of({512, 512}, {0, 1}, DType::f32) == std::vector<std::int64_t>{528, 1});
  CHECK(strides_of({512, 512}, {1, 0}, DType::f32) == std::vector<std::int64_t>{1, 528});
  CHECK(strides_of({512, 128}, {0, 1}, DType::f64) == std::vector<std::int64_t>{136, 1});
  CHECK(strides_of({512, 100}, {0, 1}, DType::f32) == std::vector<std::int64_t>{100, 1});
  CHECK(strides_of({2, 4, 256}, {0, 1, 2}, DType::f32) == std::vector<std::int64_t>{1088, 272, 1});
  CHECK(strides_of({1, 256}, {0, 1}, DType::f32) == std::vector<std::int64_t>{256, 1});
  CHECK(reach_of({512, 512}, {528, 1}) == 511 * 528 + 512);
  CHECK(reach_of({}, {}) == 1);
  CHECK(reach_of({3, 0}, {1, 3}) == 0);
}

TEST_CASE("a variable's bytes include the gaps between its rows") {
  Graph graph;
  Builder b(graph);
  const Variable v{.name = "w", .kind = VariableKind::weight, .type = {DType::f32, {256, 256}}};
  b.output("out", b.negate(b.input("variable/w", v.type)));
  const Plan plan = plan_of(graph, {&v, 1});
  CHECK(plan.variables[0].placement.strides == std::vector<std::int64_t>{272, 1});
  CHECK(plan.variables[0].placement.bytes == 4 * (255 * 272 + 256));
}
