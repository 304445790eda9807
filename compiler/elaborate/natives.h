#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/elaborate/value.h"

namespace ganc::elab {

class Elaborator;
struct Frame;

// The arguments of a native, by the place of its parameters; what is not given is None.
struct Arguments {
  std::vector<Value> values;
  std::vector<Span> spans;
  Span call;
  const NativeFunction* function = nullptr;
  ast::ExprId site;

  const Value& operator[](std::size_t i) const { return values[i]; }
  bool given(std::size_t i) const { return !values[i].is<None>(); }
};

using NativeCode = Value (*)(Elaborator&, Frame&, const Arguments&);

Value source_call(Elaborator& elaborator, Frame& frame, const Arguments& arguments);  // sources.cpp

// A name that the compiler itself knows. `signature` is "pad(x, amount, mode = none)"; `rest_`
// takes any number of arguments, as a list.
struct NativeFunction {
  struct Parameter {
    std::string name;
    bool optional;
  };
  std::string name;
  std::vector<Parameter> parameters;
  NativeCode code;
};

struct NativeRow {
  std::string_view signature;
  NativeCode code;
};

// One table a family, each in its own file.
const std::vector<NativeRow>& elementwise_natives();
const std::vector<NativeRow>& reduce_natives();
const std::vector<NativeRow>& movement_natives();
const std::vector<NativeRow>& index_natives();
const std::vector<NativeRow>& contract_natives();
const std::vector<NativeRow>& list_natives();
const std::vector<NativeRow>& batch_natives();
const std::vector<NativeRow>& net_natives();
const std::vector<NativeRow>& distribution_natives();
const std::vector<NativeRow>& special_natives();

// All of them, parsed once.
const std::vector<NativeFunction>& all_natives();
// The calls that are data sources, output forms and metrics.
bool is_source(std::string_view function);
bool is_metric(std::string_view function);

}  // namespace ganc::elab
