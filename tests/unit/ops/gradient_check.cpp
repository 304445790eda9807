#include "tests/unit/ops/gradient_check.h"

#include <fmt/format.h>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/builder.h"
#include "compiler/graph/verify.h"
#include "compiler/interpret/interpret.h"

namespace ganc::test {
namespace {

using Values = std::map<std::string, Value>;
constexpr double eps = 1e-6, atol = 1e-5, rtol = 1e-3;
constexpr int most_elements = 24;  // checked of each operand

struct Case {
  Graph graph;                    // outputs "f" (a number) and "d <input>" for each real input
  std::vector<std::string> reals;
  Values values;
};

// f = sum(y * weights): the op under test, seen through random weights.
Case first_order(Op op, const Sample& sample, Random& random) {
  Case made;
  Builder b(made.graph);
  std::vector<NodeId> operands, reals;
  for (const Sample::Operand& operand : sample.operands) {
    const std::string name = fmt::format("x{}", operands.size());
    operands.push_back(b.input(name, operand.type));
    made.values[name] = random_value(random, operand.type, operand.low, operand.high);
    if (!is_real(operand.type.dtype)) continue;
    reals.push_back(operands.back());
    made.reals.push_back(name);
  }
  NodeId y = b.add_node(op, operands, sample.attributes, sample.type);
  if (!is_real(b.dtype(y))) return {};
  const NodeId weights = b.input("weights", Type(b.type(y)));
  made.values["weights"] = random_value(random, b.type(y), -1, 1);
  NodeId f = b.multiply(y, weights);
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < b.shape(f).size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  f = b.reduce_sum(f, axes);
  b.output("f", f);
  for (std::size_t i = 0; i < reals.size(); ++i) b.output("d " + made.reals[i], b.grad(f, reals[i]));
  return made;
}

// f = sum over i of sum(d_i * v_i): its derivative is a row of second derivatives.
Case second_order(const Case& first, Random& random) {
  Case made = {.graph = first.graph, .reals = first.reals, .values = first.values};
  made.graph.outputs.clear();
  Builder b(made.graph);
  NodeId f;
  std::vector<NodeId> reals;
  for (const std::string& name : first.reals) {
    for (const Output& output : first.graph.outputs) {
      if (output.name != "d " + name) continue;
      const NodeId v = b.input("v " + name, Type(b.type(output.node)));
      made.values["v " + name] = random_value(random, b.type(v), -1, 1);
      std::vector<std::int64_t> axes;
      for (std::size_t i = 0; i < b.shape(v).size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
      const NodeId part = b.reduce_sum(b.multiply(output.node, v), axes);
      f = f ? b.add(f, part) : part;
    }
    for (std::uint32_t i = 0; i < made.graph.nodes.size(); ++i) {
      const Node& node = made.graph.nodes[i];
      if (node.op == Op::input && node.attributes.name == name) reals.push_back(NodeId{i});
    }
  }
  b.output("f", f);
  for (std::size_t i = 0; i < reals.size(); ++i) b.output("d " + first.reals[i], b.grad(f, reals[i]));
  return made;
}

void compare(const std::string& what, Case& made, Random& random, std::vector<std::string>& wrong) {
  const Graph graph = differentiate(made.graph);
  for (const std::string& sentence : verify(graph)) wrong.push_back(what + sentence);
  Graph forward = graph;
  std::erase_if(forward.outputs, [](const Output& output) { return output.name != "f"; });
  Values derivatives = interpret(graph, made.values);
  for (const std::string& name : made.reals) {
    std::vector<double>& x = made.values[name].data;
    const Value& derivative = derivatives.at("d " + name);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!random.chance(static_cast<double>(most_elements) / static_cast<double>(x.size()))) continue;
      const double at = x[i];
      x[i] = at + eps;
      const double above = interpret(forward, made.values).at("f").data[0];
      x[i] = at - eps;
      const double below = interpret(forward, made.values).at("f").data[0];
      x[i] = at;
      const double expected = (above - below) / (2 * eps), got = derivative.data[i];
      if (!(std::fabs(got - expected) <= atol + rtol * std::fabs(expected))) {
        wrong.push_back(fmt::format("{}d {}[{}] at {} is {}, but the difference quotient {}", what, name, i,
                                    at, got, expected));
      }
    }
  }
}

}  // namespace

std::vector<std::string> check_gradients(Op op, const Sample& sample, Random& random) {
  std::vector<std::string> wrong;
  Case first = first_order(op, sample, random);
  if (first.reals.empty()) return wrong;
  const std::string name(definition(op).name);
  compare(name + ": ", first, random, wrong);
  if (!wrong.empty()) return wrong;
  Case second = second_order(first, random);
  compare(name + ", second order: ", second, random, wrong);
  return wrong;
}

Sample random_convolution(Random& random) {
  const std::int64_t groups = random.chance(0.4) ? random.integer(2, 3) : 1;
  const std::int64_t rank = random.integer(1, 3), channels = random.integer(1, 2);
  Shape lhs = {random.integer(1, 2), groups * channels};
  Shape rhs = {groups * random.integer(1, 2), channels};
  Attributes attributes = {.groups = groups};
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    lhs.push_back(random.integer(rank == 1 ? 0 : 1, 7));
    rhs.push_back(random.integer(1, 4));
    attributes.windows.push_back({.stride = random.integer(1, 3),
                                  .pad_low = random.integer(-2, 4),
                                  .pad_high = random.integer(-2, 4),
                                  .lhs_dilation = random.integer(1, 3),
                                  .rhs_dilation = random.integer(1, 3)});
  }
  return {{{{DType::f32, lhs}}, {{DType::f32, rhs}}}, attributes};
}

}  // namespace ganc::test
