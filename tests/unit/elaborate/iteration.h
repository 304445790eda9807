#pragma once

#include "tests/unit/elaborate/forward.h"

namespace ganc::testing {

// The iteration of a program's train block, run step by step over its own variables.
struct Iteration {
  explicit Iteration(const std::string& text, std::size_t which = 0) : program(text) {
    INFO(program.messages());
    REQUIRE_FALSE(program.diagnostics.has_error());
    REQUIRE(program.model.trains.size() > which);
    train = &program.model.trains[which];
    graph = differentiate(train->iteration);
    Values seed;
    seed["seed"] = value_of({DType::u32, {2}}, {7, 0});
    variables = interpret(program.model.init, seed);
  }

  // A variable's value; and all elements of it.
  Numbers get(const std::string& name) const {
    INFO(name);
    REQUIRE(variables.contains("variable/" + name));
    return variables.at("variable/" + name).data;
  }
  void set(const std::string& name, Numbers data) {
    INFO(name);
    REQUIRE(variables.contains("variable/" + name));
    variables["variable/" + name].data = std::move(data);
  }
  // One iteration; its results, and its new variables in place of the old ones.
  Values run(Values values = {}) {
    for (const Node& node : graph.nodes) {
      if (node.op != Op::input || values.contains(node.attributes.name)) continue;
      const std::string& name = node.attributes.name;
      if (variables.contains(name)) {
        values[name] = variables.at(name);
      } else {
        const double value = name == "step" || name == "random_step"
                                 ? static_cast<double>(step)
                                 : (name == "gradients" ? 1 : 0);
        values[name] = value_of(
            node.type, Numbers(static_cast<std::size_t>(element_count(node.type.shape)), value));
      }
    }
    Values results = interpret(graph, values);
    for (auto& [name, value] : results) {
      if (name.starts_with("variable/")) variables[name] = value;
    }
    ++step;
    return results;
  }
  Values with_data(const std::string& field, const Numbers& data) const {
    for (const Node& node : graph.nodes) {
      if (node.op == Op::input && node.attributes.name == field)
        return {{field, value_of(node.type, data)}};
    }
    FAIL("no input " << field);
    return {};
  }
  bool has_input(const std::string& name) const {
    for (const Node& node : graph.nodes) {
      if (node.op == Op::input && node.attributes.name == name) return true;
    }
    return false;
  }
  const Draw* draw(const std::string& name) const {
    for (const Draw& d : train->draws) {
      if (d.name == name) return &d;
    }
    return nullptr;
  }

  Elaborated program;
  const Train* train = nullptr;
  Graph graph;
  Values variables;
  std::int64_t step = 0;
};

}  // namespace ganc::testing
