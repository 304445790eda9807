#pragma once

#include <memory>
#include <vector>

#include "compiler/schedule/nest.h"
#include "compiler/schedule/schedule.h"

namespace ganc::planning {

// Groups to kernels. Each function appends to program.tensors and program.drafts.

// The computation of one group before it becomes loops.
struct StoreExpr {
  std::uint32_t tensor;
  IndexId index;
  ExprId value, predicate;  // predicate: where it holds alone; none: always
};
// A reduction over all elements of the domain to one number, in the kernel that makes them: each
// unit adds up its own, a call after it what the units made.
struct SumExpr {
  NodeId root;
  ExprId value;
};
struct Computation {
  IndexSpace space;
  Expressions expressions;
  DomainVariables domain;
  std::vector<StoreExpr> stores;
  std::vector<SumExpr> sums;
};

// How often a domain is split before a kernel divides indices instead.
inline constexpr int max_refinements = 16;

// How a reduction combines two numbers.
kernel::Accumulator::Combine combine_of(const ProgramDraft& program, NodeId reduction);
// The tensor of a stored root; made where it is not there yet.
std::uint32_t tensor_for(ProgramDraft& program, NodeId root);
// The store of a root, `value` at `at`; a root that is not stored has none.
void add_store(ProgramDraft& program, Computation& computation, NodeId root,
               const std::vector<IndexId>& at, ExprId value);
// A tensor that no node has: partial sums, another layout of `like`.
std::uint32_t new_tensor(ProgramDraft& program, NodeId like, DType dtype, Shape shape,
                         const AxisOrder& order);

// What the results and sums are made of, and where the results lie.
UsedIndices indices_of_results(const Computation& computation);
// The sums, then the stores, the last one first: a root that others are made of is stored after
// them, so that it may take the place of what all of them read.
kernel::Block write_block(KernelWriter& writer, const Computation& computation);
// Loops over the whole domain around the stores.
void write_stores(ProgramDraft& program, const Group& group, const Computation& computation);

void lower_constant(ProgramDraft& program, const Group& group);
void lower_elementwise(ProgramDraft& program, const Group& group);
void lower_reduction(ProgramDraft& program, const Group& group);
void lower_scatter(ProgramDraft& program, const Group& group);
// How a contraction may be computed.
struct ProductRules {
  bool tiled;  // as a register-tiled product where that is possible, else as sums alone
  Products products = Products::exact;
  double least_gain = 1;  // of fewer multiplications, else the direct way: it is the more exact one
};
void lower_contraction(ProgramDraft& program, const Group& group, const ProductRules& rules);
// A contraction as a sum of products: any shape, any layout.
void lower_products(ProgramDraft& program, const Group& group);

// `operand` in memory in the given layout, by a kernel of its own: for contractions that cannot
// read it as it lies. Panels are of `layout.panel` along the last axis of the order, each
// contiguous, so that steps along the other axes read consecutive memory; the last one may have a
// rest of whatever numbers. With a border there are no panels.
inline constexpr std::int64_t panel_lanes = 16;
std::uint32_t lower_copy(ProgramDraft& program, NodeId operand, const CopyLayout& layout,
                         const Group& reader);

// Finishes the kernel and appends its call, and the calls that combine its sums. `in_place`:
// whether outputs may take the place of inputs, looked for by equal indices. The call.
Draft& add_draft(ProgramDraft& program, const Group& group, KernelWriter& writer,
                 kernel::Block body, const Computation& computation, bool in_place);

}  // namespace ganc::planning
