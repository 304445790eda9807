#pragma once

#include <string>
#include <vector>

#include "compiler/graph/builder.h"
#include "tests/unit/random_value.h"

namespace ganc::test {

// A layer of weights: dense where it has no axes, else a convolution with its windows. What a
// transposed one strides by is the windows' lhs_dilation.
struct LayerShape {
  struct Axis {
    std::int64_t size, taps;
    Window window;
  };
  std::int64_t batch = 1, in = 1, out = 1, groups = 1;
  bool transposed = false;
  std::vector<Axis> axes;
};

// x: [batch, in, sizes..]
Type data_type(const LayerShape& shape, DType real = DType::f32);
// [in, out] of a dense layer, else [out, in / groups, taps..]; [in, out / groups, taps..] of a
// transposed one.
Type weight_type(const LayerShape& shape, DType real = DType::f32);
// y: [batch, out, ..]
NodeId add_layer(Builder& b, const LayerShape& shape, NodeId x, NodeId w);

// Whether every window lies within its padded axis.
bool fits(const LayerShape& shape);
// Of each of the three contractions: pairs of positions that meet inside, channels and samples.
double products(const LayerShape& shape);
// Elements of x that are read, of w and of y.
double touched_elements(const LayerShape& shape);
// "8x 64->128 at 16x16 3x3 /2"
std::string describe(const LayerShape& shape);

struct LayerRange {
  double least_products, most_products;
  double most_elements;  // of x, w and y
};
// Batch 1 to 130, channels 1 to 600, maps of 1 to 97, windows of 1 to 7, each evenly on a
// logarithmic scale, with strides, holes, groups and transposition.
LayerShape random_layer_shape(Random& random, const LayerRange& range);

}  // namespace ganc::test
