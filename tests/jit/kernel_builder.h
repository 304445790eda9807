#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc {

// Kernels written by hand, for tests.
class KernelBuilder {
 public:
  using Id = kernel::ValueId;
  using Body = std::function<void(Id)>;

  explicit KernelBuilder(std::string name) {
    kernel.name = std::move(name);
    blocks_.push_back(&kernel.body);
  }

  std::uint32_t buffer(std::string name, DType dtype, std::int64_t elements, bool read,
                       bool written);
  std::uint32_t input(std::string name, DType dtype, std::int64_t elements) {
    return buffer(std::move(name), dtype, elements, true, false);
  }
  std::uint32_t output(std::string name, DType dtype, std::int64_t elements) {
    return buffer(std::move(name), dtype, elements, false, true);
  }
  std::uint32_t local(std::string name, DType dtype, std::int64_t elements) {
    const std::uint32_t number = buffer(std::move(name), dtype, elements, true, true);
    kernel.buffers[number].local = true;
    return number;
  }
  std::uint32_t table(std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows);

  Id value(kernel::Value v);
  Id index(std::int64_t x);
  Id number(double x, DType dtype = DType::f32);
  Id variable(kernel::VarId v);
  Id add(Id a, Id b) { return value({.kind = kernel::ValueKind::index_add, .operands = {a, b}}); }
  Id scale(Id a, std::int64_t by) {
    return value({.kind = kernel::ValueKind::index_scale, .operands = {a}, .integer = by});
  }
  Id divide(Id a, std::int64_t by) {
    return value({.kind = kernel::ValueKind::index_floor_divide, .operands = {a}, .integer = by});
  }
  Id modulo(Id a, std::int64_t by) {
    return value({.kind = kernel::ValueKind::index_modulo, .operands = {a}, .integer = by});
  }
  Id clamp(Id a, std::int64_t limit) {
    return value({.kind = kernel::ValueKind::index_clamp, .operands = {a}, .integer = limit});
  }
  Id minimum(Id a, Id b) {
    return value({.kind = kernel::ValueKind::index_minimum, .operands = {a, b}});
  }
  Id compare_index(Comparison comparison, Id a, Id b) {
    return value({.kind = kernel::ValueKind::index_compare,
                  .dtype = DType::pred,
                  .operands = {a, b},
                  .comparison = comparison});
  }
  Id to_index(Id a) { return value({.kind = kernel::ValueKind::to_index, .operands = {a}}); }
  Id from_index(Id a, DType dtype) {
    return value({.kind = kernel::ValueKind::from_index, .dtype = dtype, .operands = {a}});
  }
  Id apply(Op op, std::vector<Id> operands) {
    const DType of_last = dtype(operands.back());
    return apply(op, of_last, std::move(operands));
  }
  Id apply(Op op, DType dtype, std::vector<Id> operands) {
    return value({.kind = kernel::ValueKind::apply,
                  .dtype = dtype,
                  .operands = std::move(operands),
                  .op = op});
  }
  Id compare(Comparison comparison, Id a, Id b) {
    return value({.kind = kernel::ValueKind::apply,
                  .dtype = DType::pred,
                  .operands = {a, b},
                  .op = Op::compare,
                  .comparison = comparison});
  }
  Id load(std::uint32_t buffer, Id at, Id predicate = {});
  Id philox(Id low, Id high, Id step, Id element, std::int64_t stream) {
    return value({.kind = kernel::ValueKind::philox,
                  .dtype = DType::u32,
                  .operands = {low, high, step, element},
                  .integer = stream});
  }
  DType dtype(Id id) const { return kernel.values[id.index].dtype; }

  kernel::VarId new_variable() { return {kernel.variable_count++}; }
  void loop(kernel::LoopKind kind, Id extent, const Body& body);
  void loop(kernel::LoopKind kind, std::int64_t extent, const Body& body);
  void store(std::uint32_t buffer, Id at, Id number, Id predicate = {}, bool add = false);
  // The accumulator's value, readable after it.
  Id accumulator(kernel::Accumulator::Combine combine, DType dtype,
                 const std::function<void(std::uint32_t)>& body);
  void accumulate(std::uint32_t accumulator, Id number);
  // The start of a contraction of m x v sums from the first elements of both buffers on; no taps or
  // axes yet.
  kernel::Contraction product(std::int64_t m, std::int64_t v, std::uint32_t a, std::uint32_t b,
                              std::int64_t a_m_stride);
  // m, v and the sum; `c` without variables and epilogue, which `body` fills.
  void contraction(kernel::Contraction c, const std::function<void(Id, Id, Id)>& body,
                   const std::function<Id(Id, Id)>& initial = nullptr);

  kernel::Kernel kernel;

 private:
  void block(kernel::Block& into, const std::function<void()>& body);
  std::vector<kernel::Block*> blocks_;
};

}  // namespace ganc
