#include "tests/unit/ops/gradient_check.h"

#include <fmt/format.h>

#include "compiler/autodiff/differentiate.h"
#include "compiler/graph/verify.h"
#include "compiler/interpret/interpret.h"

namespace ganc::test {
namespace {

constexpr double eps = 1e-6, atol = 1e-5, rtol = 1e-3;
constexpr int most_elements = 24;  // checked of each operand

void compare(const std::string& what, SampleGraph& made, Random& random,
             std::vector<std::string>& wrong) {
  const Graph graph = differentiate(made.graph);
  for (const std::string& sentence : verify(graph)) wrong.push_back(what + sentence);
  Graph forward = graph;
  std::erase_if(forward.outputs, [](const Output& output) { return output.name != "f"; });
  const auto derivatives = interpret(graph, made.values);
  for (const std::string& name : made.reals) {
    std::vector<double>& x = made.values[name].data;
    const Value& derivative = derivatives.at("d " + name);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!random.chance(static_cast<double>(most_elements) / static_cast<double>(x.size())))
        continue;
      const double at = x[i];
      x[i] = at + eps;
      const double above = interpret(forward, made.values).at("f").data[0];
      x[i] = at - eps;
      const double below = interpret(forward, made.values).at("f").data[0];
      x[i] = at;
      const double expected = (above - below) / (2 * eps), got = derivative.data[i];
      if (!(std::fabs(got - expected) <= atol + rtol * std::fabs(expected))) {
        wrong.push_back(fmt::format("{}d {}[{}] at {} is {}, but the difference quotient {}", what,
                                    name, i, at, got, expected));
      }
    }
  }
}

}  // namespace

std::vector<std::string> check_gradients(Op op, const Sample& sample, Random& random) {
  std::vector<std::string> wrong;
  SampleGraph first = first_order(op, sample, random);
  if (first.reals.empty()) return wrong;
  const std::string name(definition(op).name);
  compare(name + ": ", first, random, wrong);
  if (!wrong.empty()) return wrong;
  SampleGraph second = second_order(first, random);
  compare(name + ", second order: ", second, random, wrong);
  return wrong;
}

}  // namespace ganc::test
