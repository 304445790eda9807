#pragma once

#include <string>
#include <string_view>
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

// What a layer and its gradients are made of; one alone as a program, with `data/dy` for what a
// gradient is given.
enum class LayerProduct : std::uint8_t { forward, data_gradient, weight_gradient };
std::string_view name(LayerProduct product);
Graph product_graph(const LayerShape& shape, LayerProduct product);

// Whether every window lies within its padded axis.
bool fits(const LayerShape& shape);
// Of each of the three contractions: pairs of positions that meet inside, channels and samples.
double products(const LayerShape& shape);
// Elements of w and y, and of x all or those that are read.
double moved_elements(const LayerShape& shape, bool all_of_x);
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
