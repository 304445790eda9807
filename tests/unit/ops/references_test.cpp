// The references against values by hand and against definitions written element by element.
#include <catch2/catch.hpp>

#include <limits>

#include "compiler/graph/builder.h"
#include "compiler/interpret/interpret.h"
#include "tests/unit/ops/gradient_check.h"

namespace ganc::test {
namespace {

using Numbers = std::vector<double>;

// The value of one node over the operands given.
Numbers value_of(Op op, const std::vector<Value>& operands, const Attributes& attributes = {},
                 const Type& type = {}) {
  Graph graph;
  Builder b(graph);
  std::vector<NodeId> ids;
  std::map<std::string, Value> inputs;
  for (const Value& operand : operands) {
    const std::string name = "x" + std::to_string(ids.size());
    ids.push_back(b.input(name, operand.type));
    inputs[name] = operand;
  }
  b.output("y", b.add_node(op, ids, attributes, type));
  return interpret(graph, inputs).at("y").data;
}

Value f64(Shape shape, Numbers data) {
  return {{DType::f64, std::move(shape)}, std::move(data)};
}
Value i32(Shape shape, Numbers data) {
  return {{DType::i32, std::move(shape)}, std::move(data)};
}
Value counting(const Shape& shape) {
  Value value{{DType::f64, shape}, Numbers(static_cast<std::size_t>(element_count(shape)))};
  for (std::size_t i = 0; i < value.data.size(); ++i) value.data[i] = static_cast<double>(i);
  return value;
}

TEST_CASE("movement by hand") {
  CHECK(value_of(Op::transpose, {counting({2, 3})}, {.axes = {1, 0}}) == Numbers{0, 3, 1, 4, 2, 5});
  CHECK(value_of(Op::broadcast_in_dim, {counting({2})}, {.axes = {0}}, {DType::f64, {2, 3}}) ==
        Numbers{0, 0, 0, 1, 1, 1});
  CHECK(value_of(Op::broadcast_in_dim, {counting({1, 2})}, {.axes = {1, 0}},
                 {DType::f64, {2, 3}}) == Numbers{0, 0, 0, 1, 1, 1});
  CHECK(value_of(Op::slice, {counting({7})}, {.start = {1}, .limit = {6}, .stride = {2}}) ==
        Numbers{1, 3, 5});
  const Value nine = f64({}, {9});
  CHECK(value_of(Op::pad, {counting({3}), nine}, {.low = {1}, .high = {2}, .interior = {1}}) ==
        Numbers{9, 0, 9, 1, 9, 2, 9, 9});
  CHECK(value_of(Op::pad, {counting({3}), nine}, {.low = {-1}, .high = {1}, .interior = {1}}) ==
        Numbers{9, 1, 9, 2, 9});
  CHECK(value_of(Op::pad, {counting({3}), nine}, {.low = {-4}, .high = {2}, .interior = {0}}) ==
        Numbers{9});
  CHECK(value_of(Op::concatenate, {counting({2, 1}), f64({2, 2}, {5, 6, 7, 8})}, {.axes = {1}}) ==
        Numbers{0, 5, 6, 1, 7, 8});
  CHECK(value_of(Op::reverse, {counting({2, 3})}, {.axes = {1}}) == Numbers{2, 1, 0, 5, 4, 3});
}

TEST_CASE("reductions by hand") {
  CHECK(value_of(Op::reduce_sum, {counting({2, 3})}, {.axes = {1}}) == Numbers{3, 12});
  CHECK(value_of(Op::reduce_sum, {counting({2, 3})}, {.axes = {1, 0}}) == Numbers{15});
  CHECK(value_of(Op::reduce_sum, {counting({2, 0})}, {.axes = {1}}) == Numbers{0, 0});
  CHECK(value_of(Op::reduce_max, {counting({2, 3})}, {.axes = {0}}) == Numbers{3, 4, 5});
  CHECK(value_of(Op::reduce_max, {counting({1, 0})}, {.axes = {1}}) ==
        Numbers{-std::numeric_limits<double>::infinity()});
  CHECK(std::isnan(value_of(Op::reduce_max, {f64({2}, {std::nan(""), 1})}, {.axes = {0}})[0]));
}

TEST_CASE("indexing by hand, clamped at both ends") {
  CHECK(value_of(Op::gather, {counting({3, 2}), i32({4}, {2, 0, -5, 9})}, {.axes = {0}}) ==
        Numbers{4, 5, 0, 1, 0, 1, 4, 5});
  CHECK(value_of(Op::gather, {counting({2, 3}), i32({2}, {2, 1})}, {.axes = {1}, .batch = 1}) ==
        Numbers{2, 4});
  CHECK(value_of(Op::gather, {counting({2, 3}), i32({2}, {2, 1})}, {.axes = {1}}) ==
        Numbers{2, 1, 5, 4});
  CHECK(value_of(Op::scatter_add, {f64({3}, {1, 2, 4}), i32({3}, {1, 1, 7})},
                 {.axes = {0}, .size = 3}) == Numbers{0, 3, 4});
  CHECK(value_of(Op::scatter_add, {f64({2}, {1, 2}), i32({2}, {1, 0})},
                 {.axes = {1}, .batch = 1, .size = 2}) == Numbers{0, 1, 2, 0});
}

TEST_CASE("conversions") {
  const Value x = f64({6}, {2.9, -2.9, 1e20, -1e20, std::nan(""), 0});
  CHECK(value_of(Op::convert, {x}, {}, {DType::i32, {}}) ==
        Numbers{2, -2, 2147483647, -2147483648.0, 0, 0});
  CHECK(value_of(Op::convert, {x}, {}, {DType::u32, {}}) == Numbers{2, 0, 4294967295, 0, 0, 0});
  CHECK(value_of(Op::convert, {x}, {}, {DType::pred, {}}) == Numbers{1, 1, 1, 1, 1, 0});
  CHECK(value_of(Op::convert, {i32({2}, {-1, 5})}, {}, {DType::u32, {}}) == Numbers{4294967295, 5});
}

TEST_CASE("elementwise corners") {
  CHECK(value_of(Op::round_nearest_even, {f64({5}, {0.5, 1.5, 2.5, -0.5, -1.5})}) ==
        Numbers{0, 2, 2, 0, -2});
  CHECK(value_of(Op::modulo, {f64({4}, {5, -5, 5, -5}), f64({4}, {3, 3, -3, -3})}) ==
        Numbers{2, 1, -1, -2});
  CHECK(value_of(Op::modulo, {i32({4}, {5, -5, 5, -5}), i32({4}, {3, 3, -3, -3})}) ==
        Numbers{2, 1, -1, -2});
  CHECK(value_of(Op::multiply, {i32({1}, {65536}), i32({1}, {65537})}) == Numbers{65536});
  CHECK(value_of(Op::softplus, {f64({3}, {1000, -1000, 0})}) == Numbers{1000, 0, std::log(2.0)});
  CHECK(std::isnan(value_of(Op::maximum, {f64({1}, {1}), f64({1}, {std::nan("")})})[0]));
}

// y[n, o, p] = sum over c, k of x[n, c, q] w[o, c, k] where the dilated, padded input has x[q] at
// the place.
double tap(const Value& x, const Value& w, const Node& node, const Shape& at) {
  const Attributes& a = node.attributes;
  const std::size_t spatial = a.windows.size();
  const std::int64_t per_group = w.type.shape[0] / a.groups;
  const auto kernel = [&](std::size_t axis) { return w.type.shape[axis + 2]; };
  std::int64_t positions = 1;
  for (std::size_t axis = 0; axis < spatial; ++axis) positions *= kernel(axis);
  double sum = 0;
  for (std::int64_t c = 0; c < w.type.shape[1]; ++c) {
    for (std::int64_t position = 0; position < positions; ++position) {
      std::int64_t rest = position, scale = positions;
      std::int64_t from = at[0] * x.type.shape[1] + at[1] / per_group * w.type.shape[1] + c;
      bool inside = true;
      for (std::size_t axis = 0; axis < spatial; ++axis) {
        scale /= kernel(axis);
        const std::int64_t k = rest / scale;
        rest %= scale;
        const Window& window = a.windows[axis];
        const std::int64_t place =
            at[axis + 2] * window.stride + k * window.rhs_dilation - window.pad_low;
        const std::int64_t size = x.type.shape[axis + 2];
        inside = inside && place >= 0 && place % window.lhs_dilation == 0 &&
                 place / window.lhs_dilation < size;
        from = from * size + (inside ? place / window.lhs_dilation : 0);
      }
      if (inside)
        sum += x.data[from] * w.data[(at[1] * w.type.shape[1] + c) * positions + position];
    }
  }
  return sum;
}

TEST_CASE("convolution is its definition") {
  const OpDefinition& op = definition(Op::convolution);
  Random random(5);
  const auto check = [&](const Sample& sample) {
    const Value x = random_value(random, sample.operands[0].type),
                w = random_value(random, sample.operands[1].type);
    const Type types[] = {x.type, w.type};
    const TypeOrError type = infer_type(Op::convolution, types, sample.attributes, {});
    REQUIRE(type.type);
    const Node node = {Op::convolution, *type.type, {}, sample.attributes};
    const std::vector<const Value*> operands = {&x, &w};
    const Value y = op.reference(node, operands);
    Shape at(node.type.shape.size(), 0);
    for (std::size_t i = 0; i < y.data.size(); ++i) {
      CHECK(y.data[i] == Approx(tap(x, w, node, at)).margin(1e-12));
      for (std::size_t axis = at.size(); axis-- > 0;) {
        if (++at[axis] < node.type.shape[axis]) break;
        at[axis] = 0;
      }
    }
  };
  for (const Sample& sample : op.samples) check(sample);
  for (int i = 0; i < 60; ++i) check(random_convolution(random));
}

TEST_CASE("dot_general is its definition") {
  const Value a = counting({2, 3, 4}),
              b = counting({4, 2, 5});  // batch 0 with 1, contract 2 with 0
  const Numbers y =
      value_of(Op::dot_general, {a, b},
               {.lhs_batch = {0}, .rhs_batch = {1}, .lhs_contract = {2}, .rhs_contract = {0}});
  REQUIRE(y.size() == 2 * 3 * 5);
  for (int n = 0; n < 2; ++n) {
    for (int m = 0; m < 3; ++m) {
      for (int k = 0; k < 5; ++k) {
        double sum = 0;
        for (int c = 0; c < 4; ++c)
          sum += a.data[(n * 3 + m) * 4 + c] * b.data[(c * 2 + n) * 5 + k];
        CHECK(y[(n * 3 + m) * 5 + k] == sum);
      }
    }
  }
}

TEST_CASE("a draw takes the value fed under its name") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", {DType::f64, {2}});
  b.output("y", b.negate(b.draw(x, "draw/D/z")));
  const Value one = f64({2}, {1, 1}), two = f64({2}, {2, 3});
  CHECK(interpret(graph, {{"x", one}}).at("y").data == Numbers{-1, -1});
  CHECK(interpret(graph, {{"x", one}, {"draw/D/z", two}}).at("y").data == Numbers{-2, -3});
}

TEST_CASE("interpreting keeps what is still needed and computes nothing that is dead") {
  Graph graph;
  Builder b(graph);
  const NodeId x = b.input("x", {DType::f64, {4}}), sum = b.add(x, x);
  const NodeId square = b.reshape(sum, {2, 2}), again = b.reshape(sum, {4, 1});
  b.output("sum", sum);
  b.output("square", square);
  b.output("square again", square);
  b.output("negated", b.negate(again));
  b.negate(b.input("nobody gives this", {DType::f64, {}}));
  const auto values = interpret(graph, {{"x", counting({4})}});
  CHECK(values.at("sum").data == Numbers{0, 2, 4, 6});
  CHECK(values.at("square").data == Numbers{0, 2, 4, 6});
  CHECK(values.at("square").type.shape == Shape{2, 2});
  CHECK(values.at("square again").data == Numbers{0, 2, 4, 6});
  CHECK(values.at("negated").data == Numbers{0, -2, -4, -6});
}

}  // namespace
}  // namespace ganc::test
