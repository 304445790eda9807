#include "compiler/schedule/kernel_writer.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>

#include "compiler/kernel/renumber.h"

namespace ganc::planning {

using kernel::ValueId;
using kernel::ValueKind;

namespace {

std::size_t hash(const kernel::Value& v) {
  std::size_t h = static_cast<std::size_t>(v.kind);
  const auto mix = [&](std::size_t x) { h = (h ^ x) * 0x9e3779b97f4a7c15ULL + (h >> 29); };
  mix(static_cast<std::size_t>(v.dtype));
  mix(static_cast<std::size_t>(v.op));
  mix(std::bit_cast<std::uint64_t>(v.number));
  mix(static_cast<std::size_t>(v.integer));
  mix(v.variable.index);
  mix(v.buffer);
  mix(v.accumulator);
  for (ValueId operand : v.operands) mix(operand.index);
  return h;
}

bool same(const kernel::Value& a, const kernel::Value& b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.operands == b.operands &&
         std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number) &&
         a.integer == b.integer && a.variable == b.variable && a.buffer == b.buffer &&
         a.accumulator == b.accumulator && a.op == b.op && a.comparison == b.comparison;
}

}  // namespace

void KernelWriter::bind(std::uint32_t variable, ValueId value) {
  bound_[variable] = value;
  indices_.clear();
  written_.clear();
}

void KernelWriter::give_sum(ValueId value) {
  sum_ = value;
  written_.clear();
}

kernel::VarId KernelWriter::new_variable() {
  return {kernel_.variable_count++};
}

std::uint32_t KernelWriter::accumulator_of(std::size_t i) {
  while (sums_.size() <= i) sums_.push_back(new_accumulator());
  return sums_[i];
}

std::uint32_t KernelWriter::new_table(kernel::TapTable table) {
  kernel_.tables.push_back(std::move(table));
  return static_cast<std::uint32_t>(kernel_.tables.size() - 1);
}

ValueId KernelWriter::value(kernel::Value v) {
  const std::size_t h = hash(v);
  for (auto [it, end] = seen_.equal_range(h); it != end; ++it)
    if (same(kernel_.values[it->second.index], v)) return it->second;
  const ValueId id{static_cast<std::uint32_t>(kernel_.values.size())};
  kernel_.values.push_back(std::move(v));
  seen_.emplace(h, id);
  return id;
}

ValueId KernelWriter::constant(std::int64_t x) {
  return value({.kind = ValueKind::index_constant, .integer = x});
}
ValueId KernelWriter::variable(kernel::VarId v) {
  return value({.kind = ValueKind::loop_variable, .variable = v});
}
ValueId KernelWriter::add(ValueId a, ValueId b) {
  if (!a) return b;
  if (!b) return a;
  return value({.kind = ValueKind::index_add, .operands = {a, b}});
}
ValueId KernelWriter::add(ValueId a, std::int64_t b) {
  if (b == 0 && a) return a;
  return add(a, constant(b));
}
ValueId KernelWriter::scale(ValueId a, std::int64_t factor) {
  if (factor == 1) return a;
  return value({.kind = ValueKind::index_scale, .operands = {a}, .integer = factor});
}
ValueId KernelWriter::quotient(ValueId a, std::int64_t divisor) {
  if (divisor == 1) return a;
  return value({.kind = ValueKind::index_floor_divide, .operands = {a}, .integer = divisor});
}
ValueId KernelWriter::remainder(ValueId a, std::int64_t divisor) {
  if (divisor == 1) return constant(0);
  return value({.kind = ValueKind::index_modulo, .operands = {a}, .integer = divisor});
}
ValueId KernelWriter::minimum(ValueId a, ValueId b) {
  return value({.kind = ValueKind::index_minimum, .operands = {a, b}});
}

ValueId KernelWriter::atom(const Atom& a) {
  switch (a.kind) {
    case Atom::Kind::variable: {
      const auto it = bound_.find(a.source);
      if (it == bound_.end()) broken("an index uses a variable without a loop");
      return it->second;
    }
    case Atom::Kind::quotient:
      return quotient(index(a.of), a.divisor);
    case Atom::Kind::remainder:
      return remainder(index(a.of), a.divisor);
    case Atom::Kind::data: {
      const ValueId number = expression({a.source});
      const ValueId whole = value({.kind = ValueKind::to_index, .operands = {number}});
      return value({.kind = ValueKind::index_clamp, .operands = {whole}, .integer = a.extent});
    }
  }
  __builtin_unreachable();
}

ValueId KernelWriter::index(IndexId id) {
  if (const auto it = indices_.find(id.index); it != indices_.end()) return it->second;
  const Sum& sum = space_[id];
  ValueId result;
  for (const Term& term : sum.terms)
    if (const ValueId a = atom(space_.atom(term.atom)))
      result = add(result, scale(a, term.coefficient));
  if (!result || sum.constant != 0) result = add(result, sum.constant);
  return indices_[id.index] = result;
}

ValueId KernelWriter::expression(ExprId id) {
  if (const auto it = written_.find(id.index); it != written_.end()) return it->second;
  const Expr& e = expressions_[id];
  kernel::Value v{.kind = ValueKind::constant, .dtype = e.dtype};
  for (ExprId operand : e.operands) v.operands.push_back(expression(operand));
  switch (e.kind) {
    case ExprKind::constant:
      v.number = e.number;
      break;
    case ExprKind::apply:
      v.kind = ValueKind::apply;
      v.op = e.op;
      v.comparison = e.comparison;
      break;
    case ExprKind::load:
      v.kind = ValueKind::load;
      v.operands.push_back(index(e.index));
      if (e.mask) v.operands.push_back(expression(e.mask));
      v.buffer = buffer(e.tensor, true, false);
      break;
    case ExprKind::philox:
      v.kind = ValueKind::philox;
      v.integer = e.integer;
      v.operands.push_back(index(e.index));
      break;
    case ExprKind::pair:
      v.kind = ValueKind::pair;
      v.integer = e.integer;
      break;
    case ExprKind::from_index:
      v.kind = ValueKind::from_index;
      v.operands.push_back(index(e.index));
      break;
    case ExprKind::compare_index:
      v.kind = ValueKind::index_compare;
      v.comparison = e.comparison;
      v.operands = {index(e.index), constant(e.integer)};
      break;
    case ExprKind::accumulator:
      v.kind = ValueKind::accumulator;
      v.accumulator = static_cast<std::uint32_t>(e.integer);
      break;
    case ExprKind::contraction:
      if (sum_) return written_[id.index] = sum_;
      v.kind = ValueKind::contraction;
      break;
  }
  return written_[id.index] = value(std::move(v));
}

ValueId KernelWriter::real(double x, DType dtype) {
  return value({.kind = ValueKind::constant, .dtype = dtype, .number = x});
}

ValueId KernelWriter::apply(Op op, std::vector<ValueId> operands, DType dtype) {
  return value(
      {.kind = ValueKind::apply, .dtype = dtype, .operands = std::move(operands), .op = op});
}

ValueId KernelWriter::load(std::uint32_t buffer, ValueId at, DType dtype, ValueId predicate) {
  kernel::Value v{.kind = ValueKind::load, .dtype = dtype, .operands = {at}};
  if (predicate) v.operands.push_back(predicate);
  v.buffer = buffer;
  return value(std::move(v));
}

std::uint32_t KernelWriter::local(DType dtype, std::int64_t elements) {
  locals_.push_back({"", dtype, elements, true, true, true});
  return first_local + static_cast<std::uint32_t>(locals_.size() - 1);
}

std::uint32_t KernelWriter::buffer(std::uint32_t tensor, bool read, bool written) {
  auto it = std::ranges::find(buffers_, tensor);
  if (it == buffers_.end()) {
    const Tensor& t = tensors_[tensor];
    buffers_.push_back(tensor);
    it = buffers_.end() - 1;
    kernel_.buffers.push_back({fmt::format("t{}", tensor), t.dtype, t.elements, false, false});
  }
  const auto number = static_cast<std::uint32_t>(it - buffers_.begin());
  kernel_.buffers[number].read |= read;
  kernel_.buffers[number].written |= written;
  return number;
}

kernel::Statement KernelWriter::store(std::uint32_t tensor, IndexId at, ExprId what, ExprId where) {
  kernel::Store store{};
  store.value = expression(what);
  if (where) store.predicate = expression(where);
  store.index = index(at);
  store.buffer = buffer(tensor, false, true);
  return {store};
}

std::pair<kernel::Kernel, std::vector<std::uint32_t>> KernelWriter::finish(kernel::Block body) {
  kernel_.body = std::move(body);
  const auto local = static_cast<std::uint32_t>(kernel_.buffers.size());
  kernel_.buffers.insert(kernel_.buffers.end(), locals_.begin(), locals_.end());
  if (!locals_.empty())
    kernel::renumber_buffers(kernel_, [&](std::uint32_t buffer) {
      return buffer < first_local ? buffer : buffer - first_local + local;
    });
  for (std::size_t i = 0; i < kernel_.buffers.size(); ++i)
    kernel_.buffers[i].name = fmt::format("b{}", i);
  return {std::move(kernel_), std::move(buffers_)};
}

}  // namespace ganc::planning
