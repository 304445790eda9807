#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/source.h"

namespace ganc {

enum class DType : std::uint8_t { f32, f64, bf16, i32, u32, pred };
using Shape = std::vector<std::int64_t>;  // [] is a scalar; an axis may have length 0

struct Type {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const Type&) const = default;
};
std::int64_t element_count(const Shape& shape);  // the largest int64 where the product is larger
bool is_real(DType dtype);                       // f32, f64, bf16
bool is_integer(DType dtype);                    // i32, u32
std::string_view name(DType dtype);              // "f32"
std::optional<DType> dtype_named(std::string_view name);
std::string to_string(const Shape& shape);  // "[64,100]"
std::string to_string(const Type& type);    // "f32[64,100]"

// The closed set, with StableHLO's names and semantics unless said otherwise. The batch is axis 0
// of what is batched, an axis like any other. The set is closed under differentiation.
enum class Op : std::uint8_t {
  // leaves
  input,        // attributes.name says what: see model.h. Type as given
  constant,     // attributes.values: one number for all elements, or one for each (row-major)
  iota,         // the index along axes[0]
  random_bits,  // u32; operands: seed u32[2], step u32[]; attributes.stream: see ops/random.cpp
  // elementwise, one operand
  negate,
  abs,
  sign,
  exponential,
  log,
  log_plus_one,
  exponential_minus_one,
  logistic,
  tanh,
  sqrt,
  rsqrt,
  softplus,  // log(1 + exp(x)), stable at both ends. Made by stabilize alone
  sine,
  cosine,
  erf,
  floor,
  round_nearest_even,
  logical_not,
  convert /* to the node's dtype */,
  stop,  // identity; its derivative is 0
  draw,  // identity; attributes.name is the draw's key in a feed ("draw/D/z"). Kept as a kernel of
         // its own
  // elementwise, two operands of equal type
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  power,
  modulo /* floor */,
  logical_and,
  logical_or,
  shift_right_logical /* u32 */,
  compare,  // attributes.comparison; pred
  select,   // pred, a, b. The predicate has the shape of the result or [] (then it may guard whole
            // kernels)
  // movement
  broadcast_in_dim,  // axes[i]: the axis of the result that axis i of the operand becomes
  reshape,
  transpose /* axes: the permutation; result axis i is operand axis axes[i] */,
  slice,        // start, limit, stride per axis (stride >= 1)
  pad,          // operand, padding value []; low, high (may be negative), interior (>= 0) per axis
  concatenate,  // any number of operands, along axes[0]
  reverse,      // axes
  // reductions over axes, which vanish
  reduce_sum,
  reduce_max,
  // contractions
  dot_general,  // lhs_batch, rhs_batch, lhs_contract, rhs_contract. Result: batch, free lhs, free
                // rhs axes
  convolution,  // [N, C, spatial...], [O, C / groups, spatial...] -> [N, O, spatial...]; windows,
                // groups
  // indexing; an index outside is clamped into the axis
  gather,       // [B.., A.., n, R..], indices i32 [B.., I..] -> [B.., A.., I.., R..]; batch = |B|,
                // axes[0] = |B| + |A|
  scatter_add,  // the transpose of gather: updates [B.., A.., I.., R..], indices -> [B.., A..,
                // size, R..]
  // until differentiate removes it: operands y, x; the derivative of the sum of y by x, of x's type
  grad,
};
constexpr std::size_t op_count = static_cast<std::size_t>(Op::grad) + 1;  // names: ops/op.h

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
std::string_view name(Comparison comparison);  // "less_equal"
std::optional<Comparison> comparison_named(std::string_view name);

// One spatial axis of a convolution, as StableHLO has it. The tap of output p and kernel position k
// reads the (dilated) input at p * stride + k * rhs_dilation - pad_low.
struct Window {
  std::int64_t stride = 1, pad_low = 0, pad_high = 0, lhs_dilation = 1, rhs_dilation = 1;
  bool operator==(const Window&) const = default;
};

// Which fields an op uses stands beside it in Op; the others stay as they are here.
struct Attributes {
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> start, limit, stride;  // slice
  std::vector<std::int64_t> low, high, interior;   // pad
  std::vector<std::int64_t> lhs_batch, rhs_batch, lhs_contract, rhs_contract;
  std::vector<Window> windows;
  std::int64_t groups = 1;
  std::int64_t batch = 0, size = 0;  // gather, scatter_add
  Comparison comparison = Comparison::equal;
  std::uint32_t stream = 0;
  std::vector<double> values;
  std::string name;
  bool operator==(const Attributes&) const = default;
};

struct NodeId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
  bool operator==(const NodeId&) const = default;
  auto operator<=>(const NodeId&) const = default;
};

// Where a node comes from, for diagnostics, `explain cost` and the report of a NaN.
struct Origin {
  Span span;
  std::string path;  // the call path: "D.dense_2"
  bool operator==(const Origin&) const = default;
};

struct Node {
  Op op;
  Type type;
  std::vector<NodeId> operands;
  Attributes attributes;
  std::uint32_t origin = 0;  // into Graph::origins
};

struct Output {
  std::string name;  // see model.h
  NodeId node;
};

// A pure function from its inputs to its outputs. Operands come before users.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Output> outputs;
  std::vector<Origin> origins = {{}};  // 0: unknown

  const Node& operator[](NodeId id) const { return nodes[id.index]; }
};

}  // namespace ganc
