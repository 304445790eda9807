#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "compiler/autodiff/differentiate.h"
#include "compiler/elaborate/elaborate.h"
#include "compiler/interpret/interpret.h"

namespace ganc::testing {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A program and what elaboration makes of it.
struct Elaborated {
  explicit Elaborated(const std::string& text, ElaborateOptions options = {.real = DType::f64},
                      const std::string& name = "test.gan") {
    file = sources.add(name, text);
    model = elaborate(sources, file, options, diagnostics);
  }
  std::string messages() const {
    std::string all;
    for (const Diagnostic& d : diagnostics.all()) all += render(d, sources, false) + "\n";
    return all;
  }

  Sources sources;
  Diagnostics diagnostics;
  std::uint32_t file = 0;
  Model model;
};

using Values = std::map<std::string, ganc::Value>;

inline ganc::Value value_of(const Type& type, std::vector<double> data) {
  return {type, std::move(data)};
}

// A value for every input of `graph` that `values` lacks: variables from the initial values, the
// counters zero.
inline Values with_inputs(const Model& model, const Graph& graph, Values values) {
  Values variables;
  bool initial = false;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::input || values.contains(node.attributes.name)) continue;
    const std::string& name = node.attributes.name;
    if (name.starts_with("variable/") && !initial) {
      Values seed;
      seed["seed"] = value_of({DType::u32, {2}}, {7, 0});
      variables = interpret(model.init, seed);
      initial = true;
    }
    if (variables.contains(name)) {
      values[name] = variables.at(name);
    } else {
      values[name] = value_of(node.type, std::vector<double>(element_count(node.type.shape), 0));
    }
  }
  return values;
}

inline Values run_graph(const Model& model, const Graph& graph, const Values& values) {
  const Graph plain = differentiate(graph);
  return interpret(plain, with_inputs(model, plain, values));
}

}  // namespace ganc::testing
