#pragma once

#include "compiler/elaborate/model.h"
#include "tests/layers/layer_shape.h"
#include "tests/unit/compiled/plan_run.h"

// Layers as they stand in a program, run from a plan and compared.
namespace ganc::test {

enum class Activation { none, leaky, smooth };

struct LayerProgram {
  Graph graph;
  std::vector<Variable> variables;
};
// The layer with bias and activation; the gradients of its sum, weighted by `data/c`, by data and
// weight; the step of weight and bias.
LayerProgram layer_program(const LayerShape& shape, Activation activation, DType real = DType::f32);

// Of every input of the graph, exact in f32.
Values random_inputs(Random& random, const Graph& graph);

struct Outcome {
  Values results, variables;
  const Value& value(const std::string& name) const {
    return (name.starts_with("variable/") ? variables : results).at(name);
  }
};
Outcome run(const LayerProgram& layer, const Plan& plan, const PlanRun::Execute& execute,
            const Values& inputs, Random* split);

// Euclidean norms: of the difference, over that of `expected`, or over `least_norm` if that is
// more.
double relative_error(const Value& expected, const Value& actual, double least_norm = 0);

}  // namespace ganc::test
