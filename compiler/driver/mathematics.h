#pragma once

#include <string>

#include "compiler/graph/graph.h"
#include "compiler/source/source.h"

namespace ganc {

// The value of `root` as mathematics, from the inputs up, a line for each value that is used more
// than once or whose expression grows long:
//
//   t1 [64,512] = x · D.dense.w + D.dense.b     # D.dense, models/mlp_gan.gan:14
//   result [784,512] = xᵀ · t7
//
// `·` is a product of matrices, `*` is elementwise, σ the logistic function, Σ{0} a sum over axis
// 0. Broadcasts are left out: shapes align from the right. A draw is a name.
std::string mathematics(const Graph& graph, NodeId root, const std::string& result,
                        const Sources& sources);

}  // namespace ganc
