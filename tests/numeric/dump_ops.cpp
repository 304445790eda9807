// dump_ops [SEED]: every sample of every op, and random convolutions, as JSON lines on standard
// output: inputs, value, and derivatives of first and second order as ganc's gradient rules and
// interpreter have them (see sample_graphs.h). ops_against_torch.py computes them anew.
#include <cstdlib>

#include <fmt/format.h>

#include "compiler/autodiff/differentiate.h"
#include "compiler/interpret/interpret.h"
#include "tests/unit/ops/sample_graphs.h"

namespace ganc::test {
namespace {

std::string json(const std::vector<std::int64_t>& numbers) {
  return to_string(numbers);
}

std::string json(const Value& value) {
  std::string data;
  for (double x : value.data) {
    if (!data.empty()) data += ',';
    data += std::isnan(x)   ? "NaN"
            : std::isinf(x) ? (x < 0 ? "-Infinity" : "Infinity")
                            : fmt::format("{}", x);
  }
  return fmt::format(R"({{"dtype":"{}","shape":{},"data":[{}]}})", name(value.type.dtype),
                     json(value.type.shape), data);
}

std::string json(const std::map<std::string, Value>& values) {
  std::string text;
  for (const auto& [key, value] : values) {
    text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", key, json(value));
  }
  return '{' + text + '}';
}

std::string json(const Attributes& a) {
  std::string windows;
  for (const Window& w : a.windows) {
    if (!windows.empty()) windows += ',';
    windows += json({w.stride, w.pad_low, w.pad_high, w.lhs_dilation, w.rhs_dilation});
  }
  return fmt::format(
      R"({{"axes":{},"start":{},"limit":{},"stride":{},"low":{},"high":{},"interior":{},"lhs_batch":{},)"
      R"("rhs_batch":{},"lhs_contract":{},"rhs_contract":{},"windows":[{}],"groups":{},"batch":{},"size":{},)"
      R"("comparison":"{}","values":[{}]}})",
      json(a.axes), json(a.start), json(a.limit), json(a.stride), json(a.low), json(a.high),
      json(a.interior), json(a.lhs_batch), json(a.rhs_batch), json(a.lhs_contract),
      json(a.rhs_contract), windows, a.groups, a.batch, a.size, name(a.comparison),
      fmt::join(a.values, ","));
}

void dump(Op op, const Sample& sample, Random& random) {
  const SampleGraph first = first_order(op, sample, random);
  const auto results = interpret(differentiate(first.graph), first.values);
  std::string second = "null";
  if (!first.reals.empty()) {
    const SampleGraph made = second_order(first, random);
    second = fmt::format(R"({{"inputs":{},"results":{}}})", json(made.values),
                         json(interpret(differentiate(made.graph), made.values)));
  }
  fmt::print(R"({{"op":"{}","attributes":{},"inputs":{},"results":{},"second":{}}})"
             "\n",
             definition(op).name, json(sample.attributes), json(first.values), json(results),
             second);
}

}  // namespace
}  // namespace ganc::test

int main(int argc, char** argv) {
  using namespace ganc::test;
  Random random(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1);
  for (const ganc::OpDefinition* op : ganc::all_ops()) {
    for (const ganc::Sample& sample : op->samples) dump(op->op, sample, random);
  }
  for (int i = 0; i < 100; ++i) dump(ganc::Op::convolution, random_convolution(random), random);
}
