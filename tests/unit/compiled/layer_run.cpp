#include "tests/unit/compiled/layer_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/autodiff/differentiate.h"
#include "compiler/rewrite/rewrite.h"

namespace ganc::test {
namespace {

// Loss, gradients and the new weight behind y = layer(x, w).
void finish(Builder& b, NodeId x, NodeId w, NodeId y, Activation activation) {
  const Shape& shape = b.shape(y);
  const std::int64_t channels = shape[1];
  const NodeId bias = b.input("variable/bias", {b.dtype(y), {channels}});
  y = b.add(y, b.broadcast_in_dim(bias, shape, {1}));
  if (activation == Activation::leaky) y = b.maximum(y, b.multiply(y, b.like(y, 0.2)));
  if (activation == Activation::smooth) y = b.unary(Op::tanh, b.multiply(y, b.like(y, 0.1)));
  const NodeId c = b.input("data/c", b.type(y));
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  const NodeId loss = b.reduce_sum(b.multiply(y, c), axes);
  const NodeId dw = b.grad(loss, w), dx = b.grad(loss, x), dbias = b.grad(loss, bias);
  b.output("out/y", y);
  b.output("loss/D", loss);
  b.output("out/dx", dx);
  b.output("grad/D/w", dw);
  b.output("variable/w", b.subtract(w, b.multiply(dw, b.like(dw, 0.01))));
  b.output("variable/bias", b.subtract(bias, b.multiply(dbias, b.like(dbias, 0.01))));
}

}  // namespace

LayerProgram layer_program(const LayerShape& shape, Activation activation, DType real) {
  Graph graph;
  Builder b(graph);
  const Type weight = weight_type(shape, real);
  const NodeId x = b.input("data/x", data_type(shape, real)), w = b.input("variable/w", weight);
  finish(b, x, w, add_layer(b, shape, x, w), activation);
  LayerProgram layer{rewrite(differentiate(graph)), {}};
  layer.variables.push_back({.name = "w", .kind = VariableKind::weight, .type = weight});
  layer.variables.push_back(
      {.name = "bias", .kind = VariableKind::weight, .type = {real, {shape.out}}});
  return layer;
}

Values random_inputs(Random& random, const Graph& graph) {
  Values values;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::input) continue;
    Value v = random_value(random, node.type);
    for (double& x : v.data) x = static_cast<float>(x);
    values[node.attributes.name] = std::move(v);
  }
  return values;
}

Outcome run(const LayerProgram& layer, const Plan& plan, const PlanRun::Execute& execute,
            const Values& inputs, Random* split) {
  PlanRun run(plan, execute);
  for (const Variable& v : layer.variables)
    if (inputs.contains("variable/" + v.name))
      run.set_variable(v.name, inputs.at("variable/" + v.name));
  Outcome outcome{run.run(0, inputs, split), {}};
  for (const Variable& v : layer.variables)
    outcome.variables["variable/" + v.name] = run.variable(v.name);
  return outcome;
}

double relative_error(const Value& expected, const Value& actual, double least_norm) {
  if (expected.type != actual.type) return std::numeric_limits<double>::infinity();
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    const double d = actual.data[i] - expected.data[i];
    difference += d * d;
    size += expected.data[i] * expected.data[i];
  }
  return std::sqrt(difference) / std::max(std::sqrt(size), least_norm);
}

}  // namespace ganc::test
