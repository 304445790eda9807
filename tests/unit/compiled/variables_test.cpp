#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "compiler/graph/builder.h"
#include "compiler/interpret/interpret.h"
#include "tests/unit/compiled/plan_run.h"

// Variables that change in place: whoever reads an old value reads it before it is gone.

using namespace ganc;
using namespace ganc::test;

namespace {

struct TestProgram {
  Graph graph;
  std::vector<Variable> variables;
};

TestProgram program(
    const std::vector<std::pair<std::string, Shape>>& variables,
    const std::function<void(Builder&, const std::function<NodeId(const std::string&)>&)>& body) {
  TestProgram p;
  for (const auto& [name, shape] : variables)
    p.variables.push_back(
        {.name = name, .kind = VariableKind::weight, .type = {DType::f64, shape}});
  Builder b(p.graph);
  body(b, [&](const std::string& name) {
    for (const Variable& v : p.variables)
      if (v.name == name) return b.input("variable/" + name, v.type);
    std::abort();
  });
  return p;
}

Values initial(const TestProgram& p) {
  Values values;
  double next = 1;
  for (const Variable& v : p.variables) {
    Value value{v.type, {}};
    for (std::int64_t i = 0; i < element_count(v.type.shape); ++i)
      value.data.push_back(next += 0.5);
    values["variable/" + v.name] = value;
  }
  return values;
}

// Three iterations, fused and not, by the interpreter and by the plan.
void check(const TestProgram& p, const std::vector<Values>& inputs) {
  for (const bool fuse : {true, false}) {
    INFO((fuse ? "fused" : "-O0"));
    const Graph* graphs[] = {&p.graph};
    const Plan plan = schedule(p.variables, graphs, {.fuse = fuse});
    REQUIRE(problems(plan) == "");
    Jit jit;
    for (const auto& execute : {by_reference(), compiled(jit, plan, {.isa = best_isa()})}) {
      PlanRun run(plan, execute);
      Values state = initial(p);
      for (const Variable& v : p.variables)
        run.set_variable(v.name, state.at("variable/" + v.name));
      for (const Values& step : inputs) {
        Values all = state;
        all.insert(step.begin(), step.end());
        const Values expected = interpret(p.graph, all);
        const Values actual = run.run(0, step);
        for (const auto& [name, value] : expected) {
          INFO(name);
          if (name.starts_with("variable/")) {
            state[name] = value;
            CHECK(difference(value, run.variable(name.substr(9))) <= 1e-12);
          } else {
            CHECK(difference(value, actual.at(name)) <= 1e-12);
          }
        }
        // What no output names stays.
        for (const Variable& v : p.variables)
          CHECK(difference(state.at("variable/" + v.name), run.variable(v.name)) <= 1e-12);
      }
    }
  }
}

Value number(double x) {
  return {{DType::f64, {}}, {x}};
}
Values steps(double x) {
  return {{"step", number(x)}};
}
NodeId every(Builder& b, NodeId step, double n) {
  return b.compare(Comparison::equal, b.binary(Op::modulo, step, b.like(step, n)), b.like(step, 0));
}

}  // namespace

TEST_CASE("two variables swap, three rotate") {
  check(program({{"x", {5}}, {"y", {5}}},
                [](Builder& b, const auto& v) {
                  b.output("variable/x", v("y"));
                  b.output("variable/y", v("x"));
                }),
        {{}, {}, {}});
  check(program({{"x", {5}}, {"y", {5}}, {"z", {5}}},
                [](Builder& b, const auto& v) {
                  b.output("variable/x", b.add(v("y"), v("x")));
                  b.output("variable/y", v("z"));
                  b.output("variable/z", v("x"));
                }),
        {{}, {}, {}});
}

TEST_CASE(
    "an old value is read elsewhere than where it is written: reversed, rolled, transposed, by a "
    "sum") {
  check(program({{"x", {6}}},
                [](Builder& b, const auto& v) { b.output("variable/x", b.reverse(v("x"), {0})); }),
        {{}, {}, {}});
  check(program({{"x", {6, 3}}},
                [](Builder& b, const auto& v) {
                  const NodeId x = v("x");
                  b.output(
                      "variable/x",
                      b.concatenate({b.slice(x, {1, 0}, {6, 3}), b.slice(x, {0, 0}, {1, 3})}, 0));
                }),
        {{}, {}, {}});
  check(program({{"x", {4, 4}}},
                [](Builder& b, const auto& v) {
                  const NodeId x = v("x");
                  b.output("variable/x", b.add(b.transpose(x, {1, 0}), x));
                  b.output("out", b.reduce_sum(x, {0}));
                }),
        {{}, {}, {}});
  check(program({{"x", {4}}},
                [](Builder& b, const auto& v) {
                  const NodeId x = v("x"), sum = b.reduce_sum(x, {0});
                  b.output("variable/x", b.subtract(x, b.broadcast_scalar(sum, {4})));
                  b.output("old", x);
                }),
        {{}, {}, {}});
}

TEST_CASE("one new value for two variables, and a constant") {
  check(program({{"x", {3}}, {"y", {3}}, {"z", {3}}},
                [](Builder& b, const auto& v) {
                  const NodeId sum = b.add(v("x"), v("y"));
                  b.output("variable/x", sum);
                  b.output("variable/y", sum);
                  b.output("variable/z", b.constant(3, {DType::f64, {3}}));
                  b.output("out", sum);
                  b.output("again", sum);
                }),
        {{}, {}});
}

TEST_CASE("an optimizer's state: three values from one another in one pass") {
  check(program({{"w", {7, 3}}, {"m", {7, 3}}, {"v", {7, 3}}},
                [](Builder& b, const auto& v) {
                  const NodeId w = v("w"), g = b.multiply(w, b.like(w, 2));
                  const NodeId m =
                      b.add(b.multiply(v("m"), b.like(w, 0.9)), b.multiply(g, b.like(w, 0.1)));
                  const NodeId s = b.add(b.multiply(v("v"), b.like(w, 0.99)),
                                         b.multiply(b.multiply(g, g), b.like(w, 0.01)));
                  b.output("variable/m", m);
                  b.output("variable/v", s);
                  b.output(
                      "variable/w",
                      b.subtract(w, b.divide(m, b.add(b.unary(Op::sqrt, s), b.like(w, 1e-8)))));
                }),
        {{}, {}, {}});
}

TEST_CASE("a conditional update leaves the old value where it does not hold") {
  const TestProgram p =
      program({{"x", {40}}, {"y", {40}}, {"count", {}}}, [](Builder& b, const auto& v) {
        const NodeId step = b.input("step", {DType::f64, {}});
        const NodeId third = every(b, step, 3), second = every(b, step, 2);
        const NodeId x = v("x"), y = v("y");
        // Expensive, and needed by the conditional update alone.
        const NodeId sum = b.broadcast_scalar(b.reduce_sum(b.unary(Op::tanh, x), {0}), {40});
        const NodeId fresh = b.add(x, sum);
        b.output("variable/x", b.select(third, fresh, x));
        b.output("variable/y", b.select(second, b.select(third, b.add(fresh, y), y), y));
        b.output("variable/count",
                 b.select(third, v("count"), b.add(v("count"), b.constant(1, {DType::f64, {}}))));
        b.output("ran", b.convert(third, DType::f64));
      });
  check(p, {steps(0), steps(1), steps(2), steps(3), steps(4), steps(6)});
  const Graph* graphs[] = {&p.graph};
  const Plan plan = schedule(p.variables, graphs, {});
  std::set<std::size_t> guards;
  for (const Call& call : plan.programs[0].calls) guards.insert(call.guards.size());
  CHECK(guards == std::set<std::size_t>{0, 1, 2});
}

TEST_CASE("what a chosen value needs is computed only if it is chosen") {
  const TestProgram p = program({{"x", {50}}}, [](Builder& b, const auto& v) {
    const NodeId step = b.input("step", {DType::f64, {}});
    const NodeId x = v("x");
    const NodeId penalty = b.reduce_sum(b.exponential(b.negate(x)), {0});
    const NodeId loss =
        b.add(b.reduce_sum(x, {0}), b.select(every(b, step, 4), penalty, b.like(penalty, 0)));
    b.output("loss/D", loss);
    b.output("variable/x", b.add(x, b.broadcast_scalar(loss, {50})));
  });
  check(p, {steps(0), steps(1), steps(4)});
  const Graph* graphs[] = {&p.graph};
  const Plan plan = schedule(p.variables, graphs, {});
  int guarded = 0;
  for (const Call& call : plan.programs[0].calls) guarded += call.guards.empty() ? 0 : 1;
  CHECK(guarded == 1);
}

TEST_CASE("a second conditional update of a variable builds on the first") {
  check(program({{"x", {9}}},
                [](Builder& b, const auto& v) {
                  const NodeId step = b.input("step", {DType::f64, {}});
                  const NodeId x = v("x");
                  const NodeId once = b.select(every(b, step, 2), b.add(x, b.like(x, 1)), x);
                  b.output("variable/x",
                           b.select(every(b, step, 3), b.multiply(once, b.like(x, 2)), once));
                }),
        {steps(0), steps(1), steps(2), steps(3), steps(6)});
}

// Whether a call has one place for what it reads and what it writes.
bool writes_over(const Plan& plan, const Call& call) {
  return std::ranges::any_of(plan.kernels[call.kernel].buffers,
                             [](const kernel::Buffer& b) { return b.read && b.written; });
}

TEST_CASE("a reduction's results take the place of what they are made of, not of what is reduced") {
  const TestProgram p =
      program({{"x", {40}}, {"y", {40}}, {"s", {40, 40}}}, [](Builder& b, const auto& v) {
        const NodeId sum = b.reduce_sum(v("s"), {1});
        b.output("variable/x", b.add(v("x"), sum));
        // y is reduced as well, along another axis.
        const NodeId rows = b.broadcast_in_dim(v("y"), {40, 40}, {1});
        b.output("variable/y", b.add(v("y"), b.reduce_sum(b.multiply(rows, v("s")), {1})));
      });
  check(p, {{}, {}});
  const Graph* graphs[] = {&p.graph};
  const Plan plan = schedule(p.variables, graphs, {});
  int over = 0;
  for (const Call& call : plan.programs[0].calls) over += writes_over(plan, call);
  CHECK(plan.programs[0].calls.size() == 2);  // both at once, of y a new value first
  CHECK(over == 1);
}

TEST_CASE("sums of what a product makes, of operands that its results may not take the place of") {
  for (const std::int64_t n : {5, 70}) {
    const TestProgram p = program({{"w", {n, n}}, {"x", {n, n}}}, [&](Builder& b, const auto& v) {
      const NodeId x = b.unary(Op::tanh, v("x"));
      const NodeId y = b.add(x, b.dot_general(x, v("w"), {}, {}, {1}, {0}));
      const NodeId squares = b.multiply(y, y);
      b.output("out", y);  // stored last, of all results: might lie where x does
      b.output("loss/D", b.reduce_sum(squares, {0, 1}));
      b.output("most", b.reduce_max(y, {0, 1}));
      b.output("variable/x", b.multiply(y, b.like(y, 0.01)));
      const NodeId asked = b.input("gradients", {DType::pred, {}});
      b.output("grad/D/x", b.select(asked, squares, b.like(y, 0)));
    });
    const Values asked = {{"gradients", {{DType::pred, {}}, {1}}}};
    check(p, {asked, asked});
  }
}

TEST_CASE("a gradient that is clipped by its norm is stored once, asked for or not") {
  const TestProgram p = program({{"w", {30, 20}}, {"x", {10, 30}}}, [](Builder& b, const auto& v) {
    const NodeId y = b.unary(Op::tanh, b.dot_general(v("x"), v("w"), {}, {}, {1}, {0}));
    const NodeId g = b.dot_general(v("x"), y, {}, {}, {0}, {0});
    const NodeId norm = b.sqrt(b.reduce_sum(b.multiply(g, g), {0, 1}));
    b.output("variable/w",
             b.subtract(v("w"), b.binary(Op::divide, g, b.broadcast_scalar(norm, {30, 20}))));
    const NodeId asked = b.input("gradients", {DType::pred, {}});
    b.output("grad/D/w", b.select(asked, g, b.like(g, 0)));
  });
  const Values asked = {{"gradients", {{DType::pred, {}}, {1}}}};
  check(p, {asked, asked});
  const Graph* graphs[] = {&p.graph};
  const Plan plan = schedule(p.variables, graphs, {});
  for (const Call& call : plan.programs[0].calls)
    for (const kernel::Buffer& buffer : plan.kernels[call.kernel].buffers)
      CHECK(buffer.dtype != DType::pred);
}

TEST_CASE("a gradient that is 0 under a condition of its own is so where it is asked for") {
  const TestProgram p = program({{"w", {30}}, {"x", {30, 8}}}, [](Builder& b, const auto& v) {
    const NodeId step = b.input("step", {DType::f64, {}});
    const NodeId sum = b.reduce_sum(v("x"), {1});
    const NodeId g = b.select(every(b, step, 2), sum, b.like(sum, 0));
    const NodeId asked = b.input("gradients", {DType::pred, {}});
    const NodeId update = every(b, step, 3);
    b.output("variable/w", b.select(update, b.subtract(v("w"), g), v("w")));
    b.output("variable/x", b.add(v("x"), v("x")));
    // What other calls leave in the arena.
    b.output("out", b.unary(Op::tanh, b.transpose(v("x"), {1, 0})));
    b.output("grad/D/w", b.select(update, b.select(asked, g, b.like(g, 0)), b.like(g, 0)));
  });
  Values first = steps(0), second = steps(3);
  for (Values* step : {&first, &second}) (*step)["gradients"] = {{DType::pred, {}}, {1}};
  check(p, {first, second, first});
}

TEST_CASE("a fed draw replaces its kernel and nothing else computes it") {
  Graph graph;
  Builder b(graph);
  const NodeId bits = b.random_bits(b.input("seed", {DType::u32, {2}}),
                                    b.input("random_step", {DType::u32, {}}), 3, {4, 5});
  const NodeId uniform =
      b.multiply(b.convert(b.binary(Op::shift_right_logical, bits, b.like(bits, 8)), DType::f32),
                 b.constant(0x1p-24, {DType::f32, {4, 5}}));
  const NodeId z = b.draw(uniform, "draw/D/z");
  b.output("out/0", b.add(z, z));
  b.output("out/1", b.reduce_sum(z, {1}));
  b.output("out/2", b.transpose(z, {1, 0}));
  const Values inputs = {{"seed", {{DType::u32, {2}}, {1, 2}}},
                         {"random_step", {{DType::u32, {}}, {7}}}};
  Value fed{{DType::f32, {4, 5}}, std::vector<double>(20, 0.25)};
  const Graph* graphs[] = {&graph};
  for (const bool fuse : {true, false}) {
    const Plan plan = schedule({}, graphs, {.fuse = fuse});
    REQUIRE(plan.programs[0].draws.size() == 1);
    CHECK(plan.programs[0].draws[0].name == "draw/D/z");
    PlanRun run(plan, by_reference());
    for (const Values& feeds : {Values{}, Values{{"draw/D/z", fed}}}) {
      Values all = inputs;
      all.insert(feeds.begin(), feeds.end());
      const Values expected = interpret(graph, all), actual = run.run(0, inputs, nullptr, feeds);
      for (const auto& [name, value] : expected) CHECK(difference(value, actual.at(name)) <= 1e-6);
    }
  }
}
