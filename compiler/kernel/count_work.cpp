#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "compiler/graph/comparison.h"
#include "compiler/kernel/verify_values.h"
#include "compiler/kernel/work.h"

namespace ganc::kernel {
namespace {

// Whether an op on real numbers computes one, rather than choosing or converting.
bool is_arithmetic(Op op) {
  switch (op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::maximum:
    case Op::minimum:
    case Op::power:
    case Op::modulo:
    case Op::negate:
    case Op::abs:
    case Op::sign:
    case Op::floor:
    case Op::round_nearest_even:
    case Op::exponential:
    case Op::exponential_minus_one:
    case Op::log:
    case Op::log_plus_one:
    case Op::logistic:
    case Op::tanh:
    case Op::softplus:
    case Op::sine:
    case Op::cosine:
    case Op::erf:
    case Op::sqrt:
    case Op::rsqrt:
      return true;
    case Op::input:
    case Op::constant:
    case Op::iota:
    case Op::random_bits:
    case Op::logical_not:
    case Op::logical_and:
    case Op::logical_or:
    case Op::shift_right_logical:
    case Op::convert:
    case Op::compare:
    case Op::select:
    case Op::stop:
    case Op::draw:
    case Op::broadcast_in_dim:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
    case Op::pad:
    case Op::concatenate:
    case Op::reverse:
    case Op::reduce_sum:
    case Op::reduce_max:
    case Op::dot_general:
    case Op::convolution:
    case Op::gather:
    case Op::scatter_add:
    case Op::grad:
      return false;
  }
  std::abort();
}

// Walks the loops with the number of times that each body runs. Extents that depend on outer loops
// (the rests of blocks, taps near borders) count with their mean over those loops: the axes of an
// index are independent, so that products of means are means of products.
class Counter {
 public:
  explicit Counter(const Kernel& kernel)
      : kernel_(kernel),
        of_indices_(made_of_indices(kernel)),
        extents_(kernel.variable_count, 1),
        loads_(kernel.buffers.size()),
        stores_(kernel.buffers.size()) {
    scopes_.push_back({std::nullopt, 1, {}});
  }

  Work run() {
    walk(kernel_.body);
    for (std::size_t i = 0; i < kernel_.buffers.size(); ++i) {
      const Buffer& buffer = kernel_.buffers[i];
      const auto elements = static_cast<double>(buffer.local ? 0 : buffer.elements);
      work_.read.push_back(std::min(elements, loads_[i]));
      work_.written.push_back(std::min(elements, stores_[i]));
    }
    return std::move(work_);
  }

 private:
  struct Scope {
    std::optional<std::uint32_t> variable;
    double runs;
    std::set<std::uint32_t> counted;
  };

  const Value& value(ValueId id) const { return kernel_.values[id.index]; }

  // --- extents -------------------------------------------------------------------------------

  void collect_variables(ValueId id, std::set<std::uint32_t>& into) const {
    if (value(id).kind == ValueKind::loop_variable) into.insert(value(id).variable.index);
    for (ValueId operand : value(id).operands) collect_variables(operand, into);
  }

  std::int64_t evaluate(ValueId id, const std::map<std::uint32_t, std::int64_t>& at) const {
    const Value& v = value(id);
    const auto operand = [&](std::size_t i) { return evaluate(v.operands[i], at); };
    switch (v.kind) {
      case ValueKind::index_constant:
        return v.integer;
      case ValueKind::loop_variable:
        return at.at(v.variable.index);
      case ValueKind::index_add:
        return operand(0) + operand(1);
      case ValueKind::index_scale:
        return operand(0) * v.integer;
      case ValueKind::index_floor_divide:
        return operand(0) / v.integer;
      case ValueKind::index_modulo:
        return operand(0) % v.integer;
      case ValueKind::index_clamp:
        return std::clamp<std::int64_t>(operand(0), 0, v.integer - 1);
      case ValueKind::index_minimum:
        return std::min(operand(0), operand(1));
      case ValueKind::index_compare:
        return holds(v.comparison, static_cast<double>(operand(0)),
                     static_cast<double>(operand(1)));
      case ValueKind::apply:
        if (v.op == Op::logical_not) return 1 - operand(0);
        if (v.op == Op::logical_and) return operand(0) * operand(1);
        if (v.op == Op::logical_or) return std::max(operand(0), operand(1));
        std::abort();
      case ValueKind::constant:
      case ValueKind::to_index:
      case ValueKind::from_index:
      case ValueKind::load:
      case ValueKind::philox:
      case ValueKind::pair:
      case ValueKind::accumulator:
      case ValueKind::contraction:
        std::abort();  // neither an extent nor of indices: verify() sees to it
    }
    std::abort();
  }

  // Every `step`th value of each variable.
  double mean(ValueId id, const std::function<double(std::int64_t)>& of,
              std::int64_t step = 1) const {
    std::set<std::uint32_t> variables;
    collect_variables(id, variables);
    std::map<std::uint32_t, std::int64_t> at;
    for (std::uint32_t v : variables) at[v] = 0;
    double sum = 0, count = 0;
    while (true) {
      sum += of(evaluate(id, at));
      ++count;
      auto it = at.begin();
      while (it != at.end() && (it->second += step) >= extents_[it->first]) it->second = 0, ++it;
      if (it == at.end()) return sum / count;
    }
  }
  double mean(ValueId id) const {
    return mean(id, [](std::int64_t x) { return static_cast<double>(x); });
  }
  std::int64_t most(ValueId id) const {
    std::int64_t largest = 1;
    (void)mean(id, [&](std::int64_t x) {
      largest = std::max(largest, x);
      return 0.0;
    });
    return largest;
  }

  // --- choices -------------------------------------------------------------------------------

  // Whether the loop that the select stands in takes one side of it or the other.
  bool is_choice(const Value& v) const {
    if (v.kind != ValueKind::apply || v.op != Op::select || !of_indices_[v.operands[0].index])
      return false;
    std::set<std::uint32_t> variables;
    collect_variables(v.operands[0], variables);
    return scopes_.back().variable && !variables.contains(*scopes_.back().variable);
  }
  // Of a predicate of indices, how often it holds: by cases that lie evenly where there are many.
  double share_of(ValueId id) const {
    constexpr double most_counted = 512;
    std::set<std::uint32_t> variables;
    collect_variables(id, variables);
    double cases = 1;
    for (std::uint32_t v : variables) cases *= static_cast<double>(extents_[v]);
    const double part =
        std::pow(std::min(1.0, most_counted / std::max(cases, 1.0)),
                 1.0 / static_cast<double>(std::max<std::size_t>(variables.size(), 1)));
    const auto step = static_cast<std::int64_t>(std::ceil(1 / part));
    return mean(id, [](std::int64_t x) { return static_cast<double>(x); }, step);
  }
  void count_side(ValueId id, double runs) {
    const std::size_t around = std::exchange(side_, scopes_.size());
    scopes_.push_back({scopes_.back().variable, runs, {}});
    (void)count(id);
    scopes_.pop_back();
    side_ = around;
  }

  // --- values --------------------------------------------------------------------------------

  // Counts what is needed for `id` where it was not yet; the scope in which it is computed.
  std::size_t count(ValueId id) {
    for (std::size_t s = scopes_.size(); s-- > 0;)
      if (scopes_[s].counted.contains(id.index)) return s;
    const Value& v = value(id);
    std::size_t scope = 0;
    if (is_choice(v)) {
      const double runs = scopes_.back().runs, share = share_of(v.operands[0]);
      count_side(v.operands[1], runs * share);
      count_side(v.operands[2], runs * (1 - share));
      scope = scopes_.size() - 1;
    } else {
      for (ValueId operand : v.operands) scope = std::max(scope, count(operand));
    }
    switch (v.kind) {
      case ValueKind::loop_variable:
        for (std::size_t s = 0; s < scopes_.size(); ++s)
          if (scopes_[s].variable == v.variable.index) {
            scope = s;
            break;
          }
        break;
      case ValueKind::load:
        scope = std::max(scope, side_);
        if (kernel_.buffers[v.buffer].written) scope = scopes_.size() - 1;
        break;
      case ValueKind::accumulator:
      case ValueKind::contraction:
        scope = scopes_.size() - 1;
        break;
      case ValueKind::constant:
      case ValueKind::index_constant:
      case ValueKind::index_add:
      case ValueKind::index_scale:
      case ValueKind::index_floor_divide:
      case ValueKind::index_modulo:
      case ValueKind::index_clamp:
      case ValueKind::index_minimum:
      case ValueKind::index_compare:
      case ValueKind::to_index:
      case ValueKind::from_index:
      case ValueKind::apply:
      case ValueKind::philox:
      case ValueKind::pair:
        break;
    }
    Scope& in = scopes_[scope];
    in.counted.insert(id.index);
    if (v.kind == ValueKind::load) loads_[v.buffer] += in.runs;
    if (v.kind == ValueKind::apply && is_real(v.dtype) && is_arithmetic(v.op))
      work_.flop += in.runs;
    work_.operations += in.runs * work_of(v) * (v.dtype == DType::f64 ? 2 : 1);
    return scope;
  }

  // --- statements ----------------------------------------------------------------------------

  void enter(VarId variable, ValueId extent, const Block& body) {
    const double runs = scopes_.back().runs * mean(extent);
    extents_[variable.index] = most(extent);
    scopes_.push_back({variable.index, runs, {}});
    walk(body);
    scopes_.pop_back();
  }

  void contraction(const Contraction& c) {
    const double outer = scopes_.back().runs, m = mean(c.m_count), v = mean(c.v_count);
    double terms = 1;
    for (const TapAxis& tap : c.taps)
      terms *= mean(tap.row, [&](std::int64_t row) {
        return static_cast<double>(
            kernel_.tables[tap.table].rows[static_cast<std::size_t>(row)].size());
      });
    for (const ReduceAxis& axis : c.axes) terms *= static_cast<double>(axis.extent);
    const DType dtype = kernel_.buffers[c.a_buffer].dtype;
    work_.flop += (dtype == DType::u32 ? 4 : 2) * outer * m * v * terms;
    work_.operations += outer * m * v * terms * (dtype == DType::f64 ? 2 : 1) / (c.tiles ? 6 : 1);
    loads_[c.a_buffer] += outer * m * terms;
    loads_[c.b_buffer] += outer * v * terms;
    extents_[c.m_variable.index] = most(c.m_count);
    extents_[c.v_variable.index] = most(c.v_count);
    scopes_.push_back({c.m_variable.index, outer * m, {}});
    scopes_.push_back({c.v_variable.index, outer * m * v, {}});
    if (c.initial) (void)count(c.initial);
    walk(c.epilogue);
    scopes_.pop_back();
    scopes_.pop_back();
  }

  // Whether one predicate in memory decides on all of it: an iteration as a rule stores none.
  bool is_asked_for(const Store& store) const {
    if (!store.predicate) return false;
    const Value& predicate = value(store.predicate);
    return predicate.kind == ValueKind::load &&
           value(predicate.operands[0]).kind == ValueKind::index_constant;
  }

  void walk(const Block& block) {
    for (const Statement& s : block) {
      if (const auto* loop = std::get_if<Loop>(&s.node)) {
        enter(loop->variable, loop->extent, loop->body);
      } else if (const auto* store = std::get_if<Store>(&s.node)) {
        if (is_asked_for(*store)) continue;
        const double runs = scopes_.back().runs;
        (void)count(store->index);
        (void)count(store->value);
        if (store->predicate) (void)count(store->predicate);
        stores_[store->buffer] += runs;
        work_.operations += runs;
        if (!store->add) continue;
        loads_[store->buffer] += runs;
        work_.flop += runs;
        work_.operations += runs;
      } else if (const auto* accumulator = std::get_if<Accumulator>(&s.node)) {
        walk(accumulator->body);
      } else if (const auto* accumulate = std::get_if<Accumulate>(&s.node)) {
        (void)count(accumulate->value);
        if (is_real(value(accumulate->value).dtype)) work_.flop += scopes_.back().runs;
        work_.operations += scopes_.back().runs;
      } else if (const auto* c = std::get_if<Contraction>(&s.node)) {
        contraction(*c);
      }
    }
  }

  const Kernel& kernel_;
  const std::vector<bool> of_indices_;  // see made_of_indices()
  std::vector<std::int64_t> extents_;   // of each variable whose loop was entered, the largest
  std::vector<Scope> scopes_;
  std::size_t side_ = 0;                // scope of the innermost side of a choice; 0: none
  std::vector<double> loads_, stores_;  // of each buffer
  Work work_;
};

}  // namespace

Work count_work(const Kernel& kernel) {
  return Counter(kernel).run();
}

}  // namespace ganc::kernel
