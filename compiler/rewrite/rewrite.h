#pragma once

#include "compiler/graph/graph.h"

namespace ganc {

// The graph with the losses as papers write them in forms that neither overflow nor cancel, and
// whose derivatives do not either: log(sigmoid(a)), log(1 - sigmoid(a)), log(1 + exp(a)),
// log(softmax(a)), 1 / (1 + exp(-a)).
//   needs    a verified graph; it may hold `grad`
//   ensures  same outputs, same values (more exact); a node that a `grad` differentiates by is
//   never rewritten away before   differentiate: the derivative of a stable form is stable, of any
//   order
Graph stabilize(const Graph& graph);

// The graph with convolutions at the lower of two resolutions: up-sampling in front of one and sums
// over windows behind one become part of its filter, where that saves multiplications.
//   needs    a verified graph; it may hold `grad`
//   ensures  same outputs, same values up to rounding; a node that a `grad` differentiates by is
//   never rewritten away
//   before   differentiate: both gradients of the cheaper convolution are as much cheaper
Graph merge_resampling(const Graph& graph);

// The graph made smaller and cheaper: algebra, constant folding, movement, common subexpressions,
// dead nodes.
//   needs    a verified graph without `grad`
//   ensures  same outputs by name and type, same values up to rounding; no `stop` is left
//   after    differentiate, which makes ones, zeros and what nobody reads; before schedule, which
//   counts operands
Graph rewrite(const Graph& graph);

}  // namespace ganc
