#include <cstring>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {
namespace {

// The kernel's bytes in the order in which its body reaches them, so that names, the numbering of
// values, variables and accumulators, and values that nothing uses do not count. Bytes, not a hash:
// different kernels never meet.
class Key {
 public:
  explicit Key(const Kernel& kernel)
      : kernel_(kernel),
        values_(kernel.values.size(), unseen),
        variables_(kernel.variable_count, unseen),
        accumulators_(kernel.accumulator_count, unseen),
        tables_(kernel.tables.size(), unseen) {}

  std::string run() {
    number(kernel_.units);
    number(static_cast<std::int64_t>(kernel_.buffers.size()));
    for (const Buffer& b : kernel_.buffers) {
      number(static_cast<int>(b.dtype) * 16 + (b.local ? 8 : 0) + (b.read ? 4 : 0) +
             (b.written ? 2 : 0) + (b.elements == 0));
      if (b.local) number(b.elements);  // places the next one
    }
    block(kernel_.body);
    return std::move(out_);
  }

 private:
  static constexpr std::uint32_t unseen = UINT32_MAX;

  // Seven bits a byte, the sign in the lowest bit.
  void number(std::int64_t x) {
    auto rest = static_cast<std::uint64_t>(x) << 1 ^ static_cast<std::uint64_t>(x >> 63);
    while (rest >= 128) {
      out_ += static_cast<char>(rest | 128);
      rest >>= 7;
    }
    out_ += static_cast<char>(rest);
  }

  std::uint32_t renumbered(std::vector<std::uint32_t>& numbers, std::uint32_t& next,
                           std::uint32_t i) {
    if (numbers[i] == unseen) numbers[i] = next++;
    return numbers[i];
  }
  void variable(VarId v) { number(renumbered(variables_, next_variable_, v.index)); }
  void accumulator(std::uint32_t id) { number(renumbered(accumulators_, next_accumulator_, id)); }

  void value(ValueId id) {
    if (!id) return number(0);
    if (values_[id.index] != unseen) return number(values_[id.index] + 2);
    const Value& v = kernel_.values[id.index];
    number(1);
    number(static_cast<int>(v.kind));
    number(static_cast<int>(v.dtype));
    fields(v);
    number(static_cast<std::int64_t>(v.operands.size()));
    for (ValueId operand : v.operands) value(operand);
    values_[id.index] = next_value_++;
  }

  void fields(const Value& v) {
    std::int64_t bits = 0;
    switch (v.kind) {
      case ValueKind::constant:
        static_assert(sizeof bits == sizeof v.number);
        std::memcpy(&bits, &v.number, sizeof bits);
        return number(bits);
      case ValueKind::loop_variable:
        return variable(v.variable);
      case ValueKind::load:
        return number(v.buffer);
      case ValueKind::accumulator:
        return accumulator(v.accumulator);
      case ValueKind::apply:
        number(static_cast<int>(v.op));
        [[fallthrough]];
      case ValueKind::index_compare:
        return number(static_cast<int>(v.comparison));
      case ValueKind::index_constant:
      case ValueKind::index_scale:
      case ValueKind::index_floor_divide:
      case ValueKind::index_modulo:
      case ValueKind::index_clamp:
      case ValueKind::philox:
      case ValueKind::pair:
        return number(v.integer);
      case ValueKind::index_add:
      case ValueKind::index_minimum:
      case ValueKind::to_index:
      case ValueKind::from_index:
      case ValueKind::contraction:
        return;
    }
    std::abort();
  }

  void table(std::uint32_t i) {
    if (tables_[i] != unseen) return number(tables_[i] + 1);
    number(0);
    tables_[i] = next_table_++;
    number(static_cast<std::int64_t>(kernel_.tables[i].rows.size()));
    for (const auto& row : kernel_.tables[i].rows) {
      number(static_cast<std::int64_t>(row.size()));
      for (const auto& [a, b] : row) number(a), number(b);
    }
  }

  void block(const Block& statements) {
    number(static_cast<std::int64_t>(statements.size()));
    for (const Statement& s : statements) {
      number(static_cast<std::int64_t>(s.node.index()));
      std::visit([&](const auto& x) { statement(x); }, s.node);
    }
  }

  void statement(const Loop& x) {
    number(static_cast<int>(x.kind));
    variable(x.variable);
    value(x.extent);
    block(x.body);
  }
  void statement(const Store& x) {
    number(x.buffer * 2 + (x.add ? 1 : 0));
    value(x.index);
    value(x.value);
    value(x.predicate);
  }
  void statement(const Accumulator& x) {
    accumulator(x.id);
    number(static_cast<int>(x.combine));
    number(static_cast<int>(x.dtype));
    block(x.body);
  }
  void statement(const Accumulate& x) {
    accumulator(x.accumulator);
    value(x.value);
  }
  void statement(const Contraction& x) {
    variable(x.m_variable);
    variable(x.v_variable);
    for (ValueId id : {x.m_count, x.v_count, x.a_base, x.b_base}) value(id);
    for (std::int64_t n :
         {x.m_limit, x.v_limit, std::int64_t{x.a_buffer}, std::int64_t{x.b_buffer}, x.a_m_stride,
          x.a_v_stride, x.b_m_stride, x.b_v_stride, std::int64_t{x.dot}, x.b_panel,
          x.b_panel_stride, x.a_ahead, x.b_ahead, std::int64_t{x.m_outer}, std::int64_t{x.tiles}})
      number(n);
    number(static_cast<std::int64_t>(x.taps.size()));
    for (const TapAxis& tap : x.taps) {
      table(tap.table);
      value(tap.row);
      number(tap.a_stride);
      number(tap.b_stride);
    }
    number(static_cast<std::int64_t>(x.axes.size()));
    for (const ReduceAxis& axis : x.axes)
      number(axis.extent), number(axis.a_stride), number(axis.b_stride);
    value(x.initial);
    block(x.epilogue);
  }

  const Kernel& kernel_;
  std::string out_;
  std::vector<std::uint32_t> values_, variables_, accumulators_, tables_;
  std::uint32_t next_value_ = 0, next_variable_ = 0, next_accumulator_ = 0, next_table_ = 0;
};

}  // namespace

std::string structural_key(const Kernel& kernel) {
  return Key(kernel).run();
}

}  // namespace ganc::kernel
