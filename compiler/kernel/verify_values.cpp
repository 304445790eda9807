#include "compiler/kernel/verify_values.h"

#include <fmt/format.h>
#include <algorithm>

#include "compiler/ops/op.h"

namespace ganc::kernel {

bool is_index(const Value& value) {
  switch (value.kind) {
    case ValueKind::index_constant:
    case ValueKind::loop_variable:
    case ValueKind::index_add:
    case ValueKind::index_scale:
    case ValueKind::index_floor_divide:
    case ValueKind::index_modulo:
    case ValueKind::index_clamp:
    case ValueKind::index_minimum:
    case ValueKind::to_index:
      return true;
    case ValueKind::constant:
    case ValueKind::index_compare:
    case ValueKind::from_index:
    case ValueKind::apply:
    case ValueKind::load:
    case ValueKind::philox:
    case ValueKind::pair:
    case ValueKind::accumulator:
    case ValueKind::contraction:
      return false;
  }
  std::abort();
}

bool is_predicate(const Value& value) {
  return !is_index(value) && value.dtype == DType::pred;
}

std::vector<bool> made_of_indices(const Kernel& kernel) {
  std::vector<bool> made;
  for (const Value& v : kernel.values) {
    const bool logical =
        v.kind == ValueKind::apply &&
        (v.op == Op::logical_and || v.op == Op::logical_or || v.op == Op::logical_not);
    const bool index = is_index(v) && v.kind != ValueKind::to_index;
    made.push_back(
        (logical || index || v.kind == ValueKind::index_compare) &&
        std::ranges::all_of(v.operands, [&](ValueId operand) { return made[operand.index]; }));
  }
  return made;
}

namespace {

class ValueVerifier {
 public:
  ValueVerifier(const Kernel& kernel, std::vector<std::string>& problems)
      : kernel_(kernel), problems_(problems) {}

  void run() {
    bool local = false;
    for (const Buffer& buffer : kernel_.buffers) {
      if (buffer.elements < 0)
        problems_.push_back(
            fmt::format("buffer `{}` has {} elements", buffer.name, buffer.elements));
      if (local && !buffer.local)
        problems_.push_back(fmt::format("buffer `{}` comes after a local one", buffer.name));
      local |= buffer.local;
    }
    for (position_ = 0; position_ < kernel_.values.size(); ++position_) {
      const Value& v = kernel_.values[position_];
      if (operands_exist(v)) check(v);
    }
  }

 private:
  void problem(const std::string& text) {
    problems_.push_back(fmt::format("value {}: {}", position_, text));
  }

  bool operands_exist(const Value& v) {
    for (ValueId operand : v.operands) {
      if (operand.index >= position_) {
        problem(fmt::format("operand {} does not come before it", operand.index));
        return false;
      }
    }
    return true;
  }

  const Value& operand(const Value& v, std::size_t i) const {
    return kernel_.values[v.operands[i].index];
  }

  bool count(const Value& v, std::size_t n) {
    if (v.operands.size() == n) return true;
    problem(fmt::format("has {} operands in place of {}", v.operands.size(), n));
    return false;
  }

  void indices(const Value& v, std::size_t n) {
    if (!count(v, n)) return;
    for (std::size_t i = 0; i < n; ++i)
      if (!is_index(operand(v, i))) problem("an operand is not an index");
  }

  void positive(const Value& v, const char* what) {
    if (v.integer <= 0) problem(fmt::format("the {} is {}", what, v.integer));
  }

  void dtype_is(const Value& v, DType dtype) {
    if (v.dtype != dtype) problem(fmt::format("is {} in place of {}", name(v.dtype), name(dtype)));
  }

  void check_load(const Value& v) {
    if (v.operands.size() != 1 && !count(v, 2)) return;
    if (!is_index(operand(v, 0))) problem("the place to load from is not an index");
    if (v.operands.size() == 2 && !is_predicate(operand(v, 1)))
      problem("a load's predicate is none");
    if (v.buffer >= kernel_.buffers.size())
      return problem(fmt::format("loads from buffer {}, which is not there", v.buffer));
    const Buffer& buffer = kernel_.buffers[v.buffer];
    if (!buffer.read) problem(fmt::format("loads from `{}`, which is not `read`", buffer.name));
    dtype_is(v, buffer.dtype);
  }

  void check_philox(const Value& v) {
    if (!count(v, 4)) return;
    for (std::size_t i = 0; i < 3; ++i)
      if (is_index(operand(v, i)) || operand(v, i).dtype != DType::u32)
        problem("seed and step are not u32");
    if (!is_index(operand(v, 3))) problem("the element is not an index");
    dtype_is(v, DType::u32);
  }

  void check_pair(const Value& v) {
    if (!count(v, 2)) return;
    for (std::size_t i = 0; i < 2; ++i)
      if (is_index(operand(v, i)) || operand(v, i).dtype != DType::f32)
        problem("a pair of what is not f32");
    if (v.integer != 0 && v.integer != 1) problem("a pair is of the rounded or of what is left");
    dtype_is(v, DType::u32);
  }

  void check_apply(const Value& v) {
    const OpDefinition& op = definition(v.op);
    if (!op.scalar) return problem(fmt::format("`{}` is not elementwise", op.name));
    if (!count(v, static_cast<std::size_t>(op.arity))) return;
    for (std::size_t i = 0; i < v.operands.size(); ++i)
      if (is_index(operand(v, i))) return problem("an operand is an index, not a number");
    if (v.op == Op::convert) return;
    if (v.op == Op::select) {
      if (operand(v, 0).dtype != DType::pred) problem("selects by what is no predicate");
      if (operand(v, 1).dtype != v.dtype || operand(v, 2).dtype != v.dtype)
        problem("selects from other dtypes");
      return;
    }
    const DType dtype = v.operands.empty() ? v.dtype : operand(v, 0).dtype;
    for (std::size_t i = 1; i < v.operands.size(); ++i)
      if (operand(v, i).dtype != dtype) problem("the operands' dtypes differ");
    dtype_is(v, v.op == Op::compare ? DType::pred : dtype);
  }

  void check(const Value& v) {
    switch (v.kind) {
      case ValueKind::constant:
      case ValueKind::contraction:
      case ValueKind::index_constant:
        count(v, 0);
        return;
      case ValueKind::loop_variable:
        count(v, 0);
        if (v.variable.index >= kernel_.variable_count)
          problem(fmt::format("variable {} is not there", v.variable.index));
        return;
      case ValueKind::accumulator:
        count(v, 0);
        if (v.accumulator >= kernel_.accumulator_count)
          problem(fmt::format("accumulator {} is not there", v.accumulator));
        return;
      case ValueKind::index_add:
      case ValueKind::index_minimum:
        return indices(v, 2);
      case ValueKind::index_compare:
        dtype_is(v, DType::pred);
        return indices(v, 2);
      case ValueKind::index_scale:
        return indices(v, 1);
      case ValueKind::index_floor_divide:
      case ValueKind::index_modulo:
        positive(v, "divisor");
        return indices(v, 1);
      case ValueKind::index_clamp:
        positive(v, "limit");
        return indices(v, 1);
      case ValueKind::from_index:
        if (v.dtype == DType::pred) problem("an index becomes a predicate");
        return indices(v, 1);
      case ValueKind::to_index:
        if (!count(v, 1)) return;
        if (is_index(operand(v, 0)) || !is_integer(operand(v, 0).dtype))
          problem("the operand is neither i32 nor u32");
        return;
      case ValueKind::load:
        return check_load(v);
      case ValueKind::philox:
        return check_philox(v);
      case ValueKind::pair:
        return check_pair(v);
      case ValueKind::apply:
        return check_apply(v);
    }
    std::abort();
  }

  const Kernel& kernel_;
  std::vector<std::string>& problems_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<std::string> verify_values(const Kernel& kernel) {
  std::vector<std::string> problems;
  ValueVerifier(kernel, problems).run();
  return problems;
}

}  // namespace ganc::kernel
