#include "tests/unit/ops/sample_graphs.h"

#include <numeric>

#include <fmt/format.h>

#include "compiler/graph/builder.h"

namespace ganc::test {
namespace {

NodeId sum_of_all(Builder& b, NodeId x) {
  std::vector<std::int64_t> axes(b.shape(x).size());
  std::iota(axes.begin(), axes.end(), 0);
  return b.reduce_sum(x, axes);
}

}  // namespace

SampleGraph first_order(Op op, const Sample& sample, Random& random) {
  SampleGraph made;
  Builder b(made.graph);
  std::vector<NodeId> operands, reals;
  for (const Sample::Operand& operand : sample.operands) {
    const std::string name = fmt::format("x{}", operands.size());
    operands.push_back(b.input(name, operand.type));
    made.values[name] = random_value(random, operand.type, operand.low, operand.high);
    if (is_real(operand.type.dtype)) reals.push_back(operands.back());
  }
  const NodeId y = b.add_node(op, operands, sample.attributes, sample.type);
  b.output("y", y);
  if (!is_real(b.dtype(y))) return made;
  const NodeId weights = b.input("weights", Type(b.type(y)));
  made.values["weights"] = random_value(random, b.type(y), -1, 1);
  const NodeId f = sum_of_all(b, b.multiply(y, weights));
  b.output("f", f);
  for (NodeId x : reals) {
    made.reals.push_back(b[x].attributes.name);
    b.output("d " + made.reals.back(), b.grad(f, x));
  }
  return made;
}

SampleGraph second_order(const SampleGraph& first, Random& random) {
  SampleGraph made = {.graph = first.graph, .reals = first.reals, .values = first.values};
  std::map<std::string, NodeId> outputs;
  for (const Output& output : first.graph.outputs) outputs[output.name] = output.node;
  made.graph.outputs = {{"y", outputs.at("y")}};
  Builder b(made.graph);
  NodeId f;
  for (const std::string& name : first.reals) {
    const NodeId derivative = outputs.at("d " + name);
    const NodeId v = b.input("v " + name, Type(b.type(derivative)));
    made.values["v " + name] = random_value(random, b.type(v), -1, 1);
    const NodeId part = sum_of_all(b, b.multiply(derivative, v));
    f = f ? b.add(f, part) : part;
  }
  b.output("f", f);
  for (const std::string& name : first.reals) {
    b.output("d " + name, b.grad(f, b.input(name, first.values.at(name).type)));
  }
  return made;
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
