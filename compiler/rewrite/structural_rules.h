#pragma once

#include "compiler/rewrite/rewriter.h"

// The structural rules one by one; structural_rules.cpp lists them with their samples.
namespace ganc::rules {

NodeId reshape_of_reshape(Rewriter& r, const Node& node);
NodeId transpose_of_transpose(Rewriter& r, const Node& node);
NodeId transpose_as_reshape(Rewriter& r, const Node& node);
NodeId broadcast_of_broadcast(Rewriter& r, const Node& node);
NodeId broadcast_as_reshape(Rewriter& r, const Node& node);
NodeId broadcast_of_unit_reshape(Rewriter& r, const Node& node);
NodeId slice_of_all(Rewriter& r, const Node& node);
NodeId pad_of_nothing(Rewriter& r, const Node& node);
NodeId concatenate_of_one(Rewriter& r, const Node& node);
NodeId reverse_of_nothing(Rewriter& r, const Node& node);
NodeId convert_of_convert(Rewriter& r, const Node& node);
NodeId unary_of_broadcast(Rewriter& r, const Node& node);
NodeId binary_of_broadcasts(Rewriter& r, const Node& node);
NodeId select_known(Rewriter& r, const Node& node);
NodeId divide_by_number(Rewriter& r, const Node& node);

NodeId reduce_of_units(Rewriter& r, const Node& node);
NodeId sum_of_sum(Rewriter& r, const Node& node);
NodeId sum_of_broadcast(Rewriter& r, const Node& node);
NodeId sum_of_centred(Rewriter& r, const Node& node);
NodeId squares_of_centred(Rewriter& r, const Node& node);
NodeId factors_leave_sum(Rewriter& r, const Node& node);
NodeId sum_of_known_sums(Rewriter& r, const Node& node);
NodeId contraction_with_zeros(Rewriter& r, const Node& node);

}  // namespace ganc::rules
