#pragma once

#include <unordered_map>
#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/schedule/expression.h"

namespace ganc::planning {

// Turns indices and expressions into the values of a kernel. Buffers, variables and values are
// numbered as they are first used, so that equal computations give equal kernels.
class KernelWriter {
 public:
  KernelWriter(const IndexSpace& space, const Expressions& expressions,
               const std::vector<Tensor>& tensors)
      : space_(space), expressions_(expressions), tensors_(tensors) {}

  // From here on the variable of the index space is `value`; none: 0 (it was merged into another).
  void bind(std::uint32_t variable, kernel::ValueId value);

  // From here on the sum of a contraction is `value`: outside the epilogue of one.
  void give_sum(kernel::ValueId value);

  kernel::VarId new_variable();
  std::uint32_t new_accumulator() { return kernel_.accumulator_count++; }
  std::uint32_t new_table(kernel::TapTable table);
  // The accumulator of the `i`th sum of the kernel's computation.
  std::uint32_t accumulator_of(std::size_t i);
  void set_units(std::int64_t units) { kernel_.units = units; }
  std::int64_t units() const { return kernel_.units; }

  kernel::ValueId value(kernel::Value v);  // equal values are one
  kernel::ValueId constant(std::int64_t x);
  kernel::ValueId variable(kernel::VarId v);
  kernel::ValueId add(kernel::ValueId a, kernel::ValueId b);
  kernel::ValueId add(kernel::ValueId a, std::int64_t b);
  kernel::ValueId scale(kernel::ValueId a, std::int64_t factor);
  kernel::ValueId quotient(kernel::ValueId a, std::int64_t divisor);
  kernel::ValueId remainder(kernel::ValueId a, std::int64_t divisor);
  kernel::ValueId minimum(kernel::ValueId a, kernel::ValueId b);

  kernel::ValueId index(IndexId id);
  kernel::ValueId expression(ExprId id);
  kernel::ValueId real(double x, DType dtype);
  kernel::ValueId apply(Op op, std::vector<kernel::ValueId> operands, DType dtype);
  // `predicate`: none, everywhere.
  kernel::ValueId load(std::uint32_t buffer, kernel::ValueId at, DType dtype,
                       kernel::ValueId predicate);
  // The thread's own memory.
  std::uint32_t local(DType dtype, std::int64_t elements);
  std::uint32_t buffer(std::uint32_t tensor, bool read, bool written);
  // `where`: none, always.
  kernel::Statement store(std::uint32_t tensor, IndexId at, ExprId what, ExprId where = {});

  // The kernel, and the tensor of each of its buffers.
  std::pair<kernel::Kernel, std::vector<std::uint32_t>> finish(kernel::Block body);

 private:
  static constexpr std::uint32_t first_local = 1 << 16;
  kernel::ValueId atom(const Atom& a);

  const IndexSpace& space_;
  const Expressions& expressions_;
  const std::vector<Tensor>& tensors_;
  kernel::Kernel kernel_;
  std::vector<std::uint32_t> buffers_;  // the tensor of each
  std::vector<kernel::Buffer> locals_;  // behind them at last, numbered from `first_local` on
  std::vector<std::uint32_t> sums_;     // their accumulators
  std::unordered_map<std::uint32_t, kernel::ValueId> bound_;  // variables
  kernel::ValueId sum_;
  std::unordered_map<std::uint32_t, kernel::ValueId> indices_, written_;
  std::unordered_multimap<std::size_t, kernel::ValueId> seen_;
};

}  // namespace ganc::planning
