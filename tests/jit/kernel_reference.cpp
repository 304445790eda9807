#include "tests/jit/kernel_reference.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "compiler/ops/op.h"
#include "compiler/ops/philox.h"

namespace ganc {

using kernel::ValueId;
using kernel::ValueKind;

double rounded_to(DType dtype, double x) {
  switch (dtype) {
    case DType::f32:
      return static_cast<float>(x);
    case DType::f64:
      return x;
    case DType::bf16: {
      const auto narrow = static_cast<float>(x);
      std::uint32_t bits = 0;
      std::memcpy(&bits, &narrow, 4);
      if (std::isnan(narrow))
        bits |= 0x400000;
      else
        bits += 0x7fff + (bits >> 16 & 1);
      bits &= 0xffff0000;
      float result = 0;
      std::memcpy(&result, &bits, 4);
      return result;
    }
    case DType::i32:
    case DType::u32:
    case DType::pred:
      return x;
  }
  std::abort();
}

namespace {

// A number in `real`, an index in `integer`.
struct Scalar {
  double real = 0;
  std::int64_t integer = 0;
};

class Machine {
 public:
  Machine(const kernel::Kernel& kernel, Contents& contents)
      : kernel_(kernel),
        contents_(contents),
        variables_(kernel.variable_count),
        accumulators_(kernel.accumulator_count) {}

  void block(const kernel::Block& statements) {
    for (const kernel::Statement& s : statements)
      std::visit([&](const auto& x) { run(x); }, s.node);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    std::fprintf(stderr, "kernel %s: %s\n%s", kernel_.name.c_str(), what.c_str(),
                 print(kernel_).c_str());
    std::abort();
  }

  double& element(std::uint32_t buffer, std::int64_t index) {
    std::vector<double>& data = contents_[buffer];
    if (index < 0 || index >= static_cast<std::int64_t>(data.size()))
      fail("index " + std::to_string(index) + " outside " + kernel_.buffers[buffer].name);
    return data[static_cast<std::size_t>(index)];
  }

  bool holds(const Scalar& a, const Scalar& b, Comparison comparison) const {
    switch (comparison) {
      case Comparison::equal:
        return a.integer == b.integer;
      case Comparison::not_equal:
        return a.integer != b.integer;
      case Comparison::less:
        return a.integer < b.integer;
      case Comparison::less_equal:
        return a.integer <= b.integer;
      case Comparison::greater:
        return a.integer > b.integer;
      case Comparison::greater_equal:
        return a.integer >= b.integer;
    }
    std::abort();
  }

  double apply(const kernel::Value& v) {
    Node node{.op = v.op, .type = {v.dtype, {}}, .operands = {}, .attributes = {}};
    node.attributes.comparison = v.comparison;
    std::vector<ganc::Value> values;
    for (ValueId operand : v.operands)
      values.push_back({{kernel_.values[operand.index].dtype, {}}, {evaluate(operand).real}});
    std::vector<const ganc::Value*> operands;
    for (const ganc::Value& value : values) operands.push_back(&value);
    return definition(v.op).reference(node, operands).data[0];
  }

  double philox(const kernel::Value& v) {
    const auto word = [&](std::size_t i) {
      return static_cast<std::uint32_t>(evaluate(v.operands[i]).real);
    };
    const auto element = static_cast<std::uint64_t>(evaluate(v.operands[3]).integer);
    const std::uint64_t group = element / 4;
    return philox4x32_10(
        {static_cast<std::uint32_t>(group), static_cast<std::uint32_t>(group >> 32),
         static_cast<std::uint32_t>(v.integer), word(2)},
        {word(0), word(1)})[element % 4];
  }

  double pair(const kernel::Value& v) {
    std::uint32_t halves[2];
    for (std::size_t i = 0; i < 2; ++i) {
      double x = evaluate(v.operands[i]).real;
      if (v.integer == 1) x -= rounded_to(DType::bf16, x);
      halves[i] =
          std::bit_cast<std::uint32_t>(static_cast<float>(rounded_to(DType::bf16, x))) >> 16;
    }
    return halves[0] | halves[1] << 16;
  }

  // A load of what the kernel writes happens once an iteration of the innermost loop; see kernel.h.
  Scalar load(ValueId id, const kernel::Value& v, std::int64_t index) {
    if (!kernel_.buffers[v.buffer].written) return {element(v.buffer, index)};
    for (std::size_t s = iterations_.size(); s-- > 0;)
      if (const auto it = iterations_[s].find(id.index); it != iterations_[s].end())
        return {it->second};
    return {iterations_.back()[id.index] = element(v.buffer, index)};
  }

  Scalar evaluate(ValueId id) {
    const kernel::Value& v = kernel_.values[id.index];
    const auto index = [&](std::size_t i) { return evaluate(v.operands[i]).integer; };
    const auto whole = [](std::int64_t x) { return Scalar{.integer = x}; };
    switch (v.kind) {
      case ValueKind::constant:
        return {rounded_to(v.dtype, v.number)};
      case ValueKind::index_constant:
        return whole(v.integer);
      case ValueKind::loop_variable:
        return whole(variables_[v.variable.index]);
      case ValueKind::index_add:
        return whole(index(0) + index(1));
      case ValueKind::index_scale:
        return whole(index(0) * v.integer);
      case ValueKind::index_floor_divide:
        return whole(index(0) / v.integer);
      case ValueKind::index_modulo:
        return whole(index(0) % v.integer);
      case ValueKind::index_clamp:
        return whole(std::min(std::max<std::int64_t>(index(0), 0), v.integer - 1));
      case ValueKind::index_minimum:
        return whole(std::min(index(0), index(1)));
      case ValueKind::index_compare:
        return {double(holds(evaluate(v.operands[0]), evaluate(v.operands[1]), v.comparison))};
      case ValueKind::to_index:
        return whole(static_cast<std::int64_t>(evaluate(v.operands[0]).real));
      case ValueKind::from_index:
        return {rounded_to(v.dtype, static_cast<double>(index(0)))};
      case ValueKind::apply:
        return {apply(v)};
      case ValueKind::load:
        if (v.operands.size() == 2 && evaluate(v.operands[1]).real == 0) return {};
        return load(id, v, index(0));
      case ValueKind::philox:
        return {philox(v)};
      case ValueKind::pair:
        return {pair(v)};
      case ValueKind::accumulator:
        return {accumulators_[v.accumulator].value};
      case ValueKind::contraction:
        return {sum_};
    }
    std::abort();
  }

  void run(const kernel::Loop& x) {
    const std::int64_t extent = evaluate(x.extent).integer;
    for (std::int64_t i = 0; i < extent; ++i) {
      variables_[x.variable.index] = i;
      iterations_.emplace_back();
      block(x.body);
      iterations_.pop_back();
    }
  }

  void run(const kernel::Store& x) {
    if (x.predicate && evaluate(x.predicate).real == 0) return;
    const double value = evaluate(x.value).real;
    double& place = element(x.buffer, evaluate(x.index).integer);
    place = rounded_to(kernel_.buffers[x.buffer].dtype, x.add ? place + value : value);
  }

  void run(const kernel::Accumulator& x) {
    const bool sum = x.combine == kernel::Accumulator::Combine::sum;
    double identity = -std::numeric_limits<double>::infinity();
    if (x.dtype == DType::i32) identity = INT32_MIN;
    if (x.dtype == DType::u32 || sum) identity = 0;
    accumulators_[x.id] = {sum, identity};
    block(x.body);
  }

  void run(const kernel::Accumulate& x) {
    const double value = evaluate(x.value).real;
    AccumulatorState& state = accumulators_[x.accumulator];
    if (state.sum)
      state.value += value;
    else if (std::isnan(value) || value > state.value)
      state.value = value;
  }

  static double product(double a, double b, bool pairs) {
    if (!pairs) return a * b;
    const auto x = static_cast<std::uint32_t>(a), y = static_cast<std::uint32_t>(b);
    const auto number = [](std::uint32_t bits) { return double{std::bit_cast<float>(bits)}; };
    return number(x << 16) * number(y << 16) + number(x & 0xffff0000) * number(y & 0xffff0000);
  }

  void add_axes(const kernel::Contraction& c, std::size_t i, std::int64_t a, std::int64_t b) {
    if (i == c.axes.size()) {
      sum_ += product(element(c.a_buffer, a), element(c.b_buffer, b),
                      kernel_.buffers[c.a_buffer].dtype == DType::u32);
      return;
    }
    for (std::int64_t k = 0; k < c.axes[i].extent; ++k)
      add_axes(c, i + 1, a + k * c.axes[i].a_stride, b + k * c.axes[i].b_stride);
  }
  void add_taps(const kernel::Contraction& c, std::size_t i, std::int64_t a, std::int64_t b) {
    if (i == c.taps.size()) return add_axes(c, 0, a, b);
    const auto row = static_cast<std::size_t>(evaluate(c.taps[i].row).integer);
    for (const auto& [at_a, at_b] : kernel_.tables[c.taps[i].table].rows.at(row))
      add_taps(c, i + 1, a + at_a * c.taps[i].a_stride, b + at_b * c.taps[i].b_stride);
  }

  // As far as tiles may read: aborts where that is no memory.
  void read_last_tile(const kernel::Contraction& c, std::int64_t m_count, std::int64_t v_count) {
    const std::int64_t column = (v_count - 1) / 16 * 16 + 15;
    add_taps(
        c, 0, evaluate(c.a_base).integer + (m_count - 1 + 15) * c.a_m_stride,
        evaluate(c.b_base).integer +
            (c.b_panel == 0 ? column : column / c.b_panel * c.b_panel_stride + column % c.b_panel));
  }

  void run(const kernel::Contraction& c) {
    const std::int64_t m_count = evaluate(c.m_count).integer, v_count = evaluate(c.v_count).integer;
    if (c.tiles && m_count > 0 && v_count > 0) read_last_tile(c, m_count, v_count);
    for (std::int64_t m = 0; m < m_count; ++m) {
      for (std::int64_t v = 0; v < v_count; ++v) {
        variables_[c.m_variable.index] = m;
        variables_[c.v_variable.index] = v;
        iterations_.emplace_back();
        const double initial = c.initial ? evaluate(c.initial).real : 0;
        sum_ = 0;
        const std::int64_t column =
            c.b_panel == 0 ? v * c.b_v_stride : v / c.b_panel * c.b_panel_stride + v % c.b_panel;
        add_taps(c, 0, evaluate(c.a_base).integer + m * c.a_m_stride + v * c.a_v_stride,
                 evaluate(c.b_base).integer + m * c.b_m_stride + column);
        sum_ += initial;
        block(c.epilogue);
        iterations_.pop_back();
      }
    }
  }

  struct AccumulatorState {
    bool sum = true;
    double value = 0;
  };
  const kernel::Kernel& kernel_;
  Contents& contents_;
  std::vector<std::int64_t> variables_;
  std::vector<AccumulatorState> accumulators_;
  double sum_ = 0;
  std::vector<std::unordered_map<std::uint32_t, double>> iterations_ = {{}};
};

}  // namespace

void run_reference(const kernel::Kernel& kernel, Contents& contents) {
  Machine(kernel, contents).block(kernel.body);
}

}  // namespace ganc
