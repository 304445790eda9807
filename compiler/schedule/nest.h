#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compiler/schedule/kernel_writer.h"

namespace ganc::planning {

// A loop to be: a variable of the index space.
struct Axis {
  std::uint32_t variable;
  std::int64_t extent;
};

// The axes of a tensor as variables: each axis is a product of factors, the outermost first, so
// that a reshape between the domain and what is read falls on whole variables.
struct Domain {
  std::vector<std::vector<std::int64_t>> factors;

  explicit Domain(const Shape& shape);
  // Splits what the index space wished for. Returns whether anything changed.
  bool refine(const IndexSpace& space, const std::vector<std::vector<std::uint32_t>>& variables);
};
// Variables for the factors of each axis, and the index of each axis in them.
struct DomainVariables {
  std::vector<std::vector<std::uint32_t>> variables;
  std::vector<IndexId> at;
};
DomainVariables add_variables(IndexSpace& space, const Domain& domain);

// All indices that the expressions use, also within indices and data.
class UsedIndices {
 public:
  UsedIndices(const IndexSpace& space, const Expressions& expressions)
      : space_(space), expressions_(expressions) {}
  void add(IndexId id);
  void add(ExprId id);
  const std::vector<IndexId>& indices() const { return order_; }
  const std::vector<ExprId>& expressions() const { return expression_order_; }

 private:
  const IndexSpace& space_;
  const Expressions& expressions_;
  std::vector<bool> index_seen_, expression_seen_;
  std::vector<IndexId> order_;
  std::vector<ExprId> expression_order_;
};

// Sorts the axes by their coefficient in `by` (the largest first), then joins neighbours that all
// `used` indices walk through as one; what was joined into its neighbour is bound to nothing.
std::vector<Axis> ordered_axes(KernelWriter& writer, const IndexSpace& space,
                               std::vector<Axis> axes, IndexId by,
                               const std::vector<IndexId>& used);

// Loops over `axes`, the last one with lanes unless `vector` is false, around what `body` returns.
// The partition into units depends on extents and `work` (of one element) alone.
struct NestOptions {
  std::int64_t work = 1;
  bool vector = true;
};
kernel::Block parallel_nest(KernelWriter& writer, std::span<const Axis> axes,
                            const NestOptions& options, const std::function<kernel::Block()>& body);
// The same without units; the last axis with lanes if `vector`.
kernel::Block serial_nest(KernelWriter& writer, std::span<const Axis> axes, bool vector,
                          const std::function<kernel::Block()>& body);

// One loop; binds the axis.
kernel::Block loop(KernelWriter& writer, kernel::LoopKind kind, const Axis& axis,
                   kernel::ValueId extent, kernel::ValueId base,
                   const std::function<kernel::Block()>& body);

}  // namespace ganc::planning
