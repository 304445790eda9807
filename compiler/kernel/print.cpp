#include <fmt/format.h>

#include <iterator>

#include "compiler/kernel/kernel.h"
#include "compiler/ops/op.h"

namespace ganc::kernel {
namespace {

// A value with several users is printed once, as `%n = ...` before the first statement that needs
// it; others stand where they are used.
class Printer {
 public:
  explicit Printer(const Kernel& kernel)
      : kernel_(kernel), uses_(kernel.values.size(), 0), printed_(kernel.values.size(), false) {
    for (const Value& v : kernel.values)
      for (ValueId operand : v.operands) ++uses_[operand.index];
    count(kernel.body);
  }

  std::string run() {
    line("kernel {} units {} {{", kernel_.name, kernel_.units);
    ++indent_;
    for (std::size_t i = 0; i < kernel_.buffers.size(); ++i) {
      const Buffer& b = kernel_.buffers[i];
      line("buffer {}: {}[{}]{}{}{}", buffer(static_cast<std::uint32_t>(i)), ganc::name(b.dtype),
           b.elements, b.read ? " read" : "", b.written ? " written" : "", b.local ? " local" : "");
    }
    for (std::size_t i = 0; i < kernel_.tables.size(); ++i) table(i);
    block(kernel_.body);
    --indent_;
    line("}}");
    return std::move(out_);
  }

 private:
  void count(std::initializer_list<ValueId> used) {
    for (ValueId id : used)
      if (id) ++uses_[id.index];
  }
  void count(const Block& statements) {
    for (const Statement& s : statements) std::visit([&](const auto& x) { count(x); }, s.node);
  }
  void count(const Loop& x) {
    count({x.extent});
    count(x.body);
  }
  void count(const Store& x) { count({x.index, x.value, x.predicate}); }
  void count(const Accumulator& x) { count(x.body); }
  void count(const Accumulate& x) { count({x.value}); }
  void count(const Contraction& x) {
    count({x.m_count, x.v_count, x.a_base, x.b_base, x.initial});
    for (const TapAxis& tap : x.taps) count({tap.row});
    count(x.epilogue);
  }

  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    out_.append(static_cast<std::size_t>(indent_) * 2, ' ');
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }

  std::string buffer(std::uint32_t i) const {
    return fmt::format("{}.{}", kernel_.buffers[i].name, i);
  }
  static std::string variable(VarId v) { return fmt::format("i{}", v.index); }

  void table(std::size_t i) {
    std::string rows;
    for (const auto& row : kernel_.tables[i].rows) {
      rows += rows.empty() ? "" : " |";
      for (const auto& [a, b] : row) rows += fmt::format(" {}:{}", a, b);
    }
    line("table t{} = [{} ]", i, rows);
  }

  static std::string_view symbol(Comparison comparison) {
    switch (comparison) {
      case Comparison::equal:
        return "==";
      case Comparison::not_equal:
        return "!=";
      case Comparison::less:
        return "<";
      case Comparison::less_equal:
        return "<=";
      case Comparison::greater:
        return ">";
      case Comparison::greater_equal:
        return ">=";
    }
    std::abort();
  }

  static bool trivial(const Value& v) {
    return v.kind == ValueKind::constant || v.kind == ValueKind::index_constant ||
           v.kind == ValueKind::loop_variable || v.kind == ValueKind::accumulator ||
           v.kind == ValueKind::contraction;
  }

  // The text of `id` where it is used; what it needs printed before is printed now.
  std::string use(ValueId id) {
    const Value& v = kernel_.values[id.index];
    if (trivial(v) || uses_[id.index] < 2) return text(v);
    if (!printed_[id.index]) {
      const std::string definition_text = text(v);
      line("%{} = {}", id.index, definition_text);
      printed_[id.index] = true;
    }
    return fmt::format("%{}", id.index);
  }

  std::string arguments(const Value& v) {
    std::string list;
    for (ValueId operand : v.operands) list += (list.empty() ? "" : ", ") + use(operand);
    return list;
  }

  std::string apply(const Value& v) {
    std::string head(definition(v.op).name);
    if (v.op == Op::compare) head += fmt::format(".{}", ganc::name(v.comparison));
    if (v.op == Op::convert) head += fmt::format(".{}", ganc::name(v.dtype));
    return fmt::format("{}({})", head, arguments(v));
  }

  std::string load(const Value& v) {
    const std::string index = use(v.operands[0]);
    if (v.operands.size() == 1) return fmt::format("{}[{}]", buffer(v.buffer), index);
    return fmt::format("{}[{} if {}]", buffer(v.buffer), index, use(v.operands[1]));
  }

  std::string text(const Value& v) {
    const auto a = [&] { return use(v.operands[0]); };
    switch (v.kind) {
      case ValueKind::constant:
        return fmt::format("{}:{}", v.number, ganc::name(v.dtype));
      case ValueKind::index_constant:
        return fmt::format("{}", v.integer);
      case ValueKind::loop_variable:
        return variable(v.variable);
      case ValueKind::index_add: {
        const std::string left = a();
        return fmt::format("({} + {})", left, use(v.operands[1]));
      }
      case ValueKind::index_scale:
        return fmt::format("{} * {}", a(), v.integer);
      case ValueKind::index_floor_divide:
        return fmt::format("({} / {})", a(), v.integer);
      case ValueKind::index_modulo:
        return fmt::format("({} % {})", a(), v.integer);
      case ValueKind::index_clamp:
        return fmt::format("clamp({}, 0, {})", a(), v.integer - 1);
      case ValueKind::index_minimum:
        return fmt::format("min({})", arguments(v));
      case ValueKind::index_compare: {
        const std::string left = a();
        return fmt::format("({} {} {})", left, symbol(v.comparison), use(v.operands[1]));
      }
      case ValueKind::to_index:
        return fmt::format("index({})", a());
      case ValueKind::from_index:
        return fmt::format("{}({})", ganc::name(v.dtype), a());
      case ValueKind::apply:
        return apply(v);
      case ValueKind::load:
        return load(v);
      case ValueKind::philox:
        return fmt::format("philox.{}({})", v.integer, arguments(v));
      case ValueKind::pair:
        return fmt::format("{}({})", v.integer == 0 ? "pair" : "pair_rest", arguments(v));
      case ValueKind::accumulator:
        return fmt::format("sum{}", v.accumulator);
      case ValueKind::contraction:
        return "contraction";
    }
    std::abort();
  }

  void block(const Block& statements) {
    for (const Statement& s : statements) std::visit([&](const auto& x) { print(x); }, s.node);
  }

  void print(const Loop& x) {
    static constexpr std::string_view kinds[] = {"parallel", "serial", "vector", "unroll"};
    const std::string extent = use(x.extent);
    line("{} {} < {} {{", kinds[static_cast<std::size_t>(x.kind)], variable(x.variable), extent);
    ++indent_;
    block(x.body);
    --indent_;
    line("}}");
  }

  void print(const Store& x) {
    const std::string index = use(x.index), value = use(x.value);
    const std::string when = x.predicate ? fmt::format(" if {}", use(x.predicate)) : "";
    line("{}[{}{}] {} {}", buffer(x.buffer), index, when, x.add ? "+=" : "=", value);
  }

  void print(const Accumulator& x) {
    line("sum{}: {} {} {{", x.id, ganc::name(x.dtype),
         x.combine == Accumulator::Combine::sum ? "sum" : "maximum");
    ++indent_;
    block(x.body);
    --indent_;
    line("}}");
  }

  void print(const Accumulate& x) {
    const std::string value = use(x.value);
    line("sum{} <- {}", x.accumulator, value);
  }

  void print(const Contraction& x) {
    const std::string m = use(x.m_count), v = use(x.v_count);
    const std::string a = use(x.a_base), b = use(x.b_base);
    line("contraction {} < {} (<= {}), {} < {} (<= {}){} {{", variable(x.m_variable), m, x.m_limit,
         variable(x.v_variable), v, x.v_limit, x.m_outer ? " m outer" : "");
    ++indent_;
    const std::string panels =
        x.b_panel == 0 ? "" : fmt::format(" in panels of {} * {}", x.b_panel, x.b_panel_stride);
    const auto along = [](const std::string& index, std::int64_t stride) {
      if (stride == 0) return std::string();
      return stride == 1 ? " + " + index : fmt::format(" + {} * {}", index, stride);
    };
    const std::string i = variable(x.m_variable), j = variable(x.v_variable);
    line("{}[{} + {} * {}{}] * {}[{}{}{}{}]", buffer(x.a_buffer), a, i, x.a_m_stride,
         along(j, x.a_v_stride), buffer(x.b_buffer), b, along(i, x.b_m_stride),
         along(j, x.b_v_stride), panels);
    if (x.dot) line("dot products");
    for (const TapAxis& tap : x.taps) {
      const std::string row = use(tap.row);
      line("over t{}[{}]: a * {}, b * {}", tap.table, row, tap.a_stride, tap.b_stride);
    }
    for (const ReduceAxis& axis : x.axes)
      line("over {}: a * {}, b * {}", axis.extent, axis.a_stride, axis.b_stride);
    if (x.tiles) line("tiles");
    if (x.a_ahead != 0) line("a ahead {}", x.a_ahead);
    if (x.b_ahead != 0) line("b ahead {}", x.b_ahead);
    if (x.initial) {
      const std::string initial = use(x.initial);
      line("initial {}", initial);
    }
    block(x.epilogue);
    --indent_;
    line("}}");
  }

  const Kernel& kernel_;
  std::string out_;
  int indent_ = 0;
  std::vector<int> uses_;
  std::vector<bool> printed_;
};

}  // namespace

std::string print(const Kernel& kernel) {
  return Printer(kernel).run();
}

}  // namespace ganc::kernel
