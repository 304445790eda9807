// What the ops' type rules refuse, and in which words.
#include <catch2/catch.hpp>

#include "compiler/graph/parse_text.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

// The error of one node over the inputs named.
std::string refusal(const std::string& inputs, const std::string& node) {
  const auto read = parse_graph("graph f(" + inputs + ") { %y = " + node + " return %y }");
  return read ? "accepted" : read.error().message;
}

TEST_CASE("elementwise ops need the right dtypes, and equal types") {
  CHECK(refusal("%a: i32[3]", "tanh %a") == "tanh: needs reals, but got i32[3]");
  CHECK(refusal("%a: u32[3]", "negate %a") == "negate: needs signed numbers, but got u32[3]");
  CHECK(refusal("%a: f32[3]", "logical_not %a") ==
        "logical_not: needs pred or u32, but got f32[3]");
  CHECK(refusal("%a: f32[3], %b: f32[4]", "add %a, %b") ==
        "add: needs equal types, but got f32[3] and f32[4]");
  CHECK(refusal("%a: f32[3], %b: f64[3]", "add %a, %b") ==
        "add: needs equal types, but got f32[3] and f64[3]");
  CHECK(refusal("%a: pred[3]", "add %a, %a") == "add: needs numbers, but got pred[3]");
  CHECK(refusal("%a: i32[3]", "power %a, %a") == "power: needs reals, but got i32[3]");
  CHECK(refusal("%a: i32[3]", "logical_and %a, %a") ==
        "logical_and: needs pred or u32, but got i32[3]");
  CHECK(refusal("%a: i32[3]", "shift_right_logical %a, %a") ==
        "shift_right_logical: needs u32, but got i32[3]");
  CHECK(refusal("%a: f32[3], %b: f32[4]", "compare %a, %b") ==
        "compare: needs equal types, but got f32[3] and f32[4]");
  CHECK(refusal("%a: f32[3]", "draw %a") == "draw: needs a name");
  CHECK(refusal("%a: f32[3]", "add %a") == "add: needs 2 operands, but got 1");
}

TEST_CASE("select needs a predicate of its shape or []") {
  CHECK(refusal("%p: pred[2], %a: f32[3]", "select %p, %a, %a") ==
        "select: needs a predicate of shape [] or [3], but got pred[2]");
  CHECK(refusal("%p: f32[3], %a: f32[3]", "select %p, %a, %a") ==
        "select: needs a predicate of shape [] or [3], but got f32[3]");
  CHECK(refusal("%p: pred[], %a: f32[3], %b: i32[3]", "select %p, %a, %b") ==
        "select: needs equal types, but got f32[3] and i32[3]");
}

TEST_CASE("leaves") {
  CHECK(refusal("", "constant {values=[1, 2]} : f32[3]") ==
        "accepted");  // the verifier's to refuse
  CHECK(refusal("", "constant {values=[1, 2]}") ==
        "constant: has 2 values for the 1 elements of f32[]");
  CHECK(refusal("", "iota {axes=[0]}") == "iota: axis 0 is not within rank 0");
  CHECK(refusal("", "iota") == "iota: needs one axis, but got 0");
  CHECK(refusal("%s: u32[2], %t: i32[]", "random_bits %s, %t") ==
        "random_bits: needs a seed u32[2] and a step u32[], but got u32[2] and i32[]");
  CHECK(refusal("%a: i32[], %b: f32[]", "grad %a, %b") == "grad: needs reals, but got i32[]");
}

TEST_CASE("constants must be numbers of their dtype") {
  for (const auto& [value, dtype] :
       {std::pair(0.5, DType::i32), std::pair(-1.0, DType::u32),
        std::pair(2147483648.0, DType::i32), std::pair(2.0, DType::pred)}) {
    const TypeOrError result = infer_type(Op::constant, {}, {.values = {value}}, {dtype, {}});
    CHECK(!result.type);
  }
  CHECK(infer_type(Op::constant, {}, {.values = {0.5}}, {DType::i32, {}}).error ==
        "constant: 0.5 is no value of i32");
}

TEST_CASE("movement") {
  CHECK(refusal("%a: f32[2,3]", "transpose %a {axes=[0]}") ==
        "transpose: [0] is no permutation of 2 axes");
  CHECK(refusal("%a: f32[2,3]", "transpose %a {axes=[1, 1]}") ==
        "transpose: [1,1] is no permutation of 2 axes");
  CHECK(refusal("%a: f32[2,3]", "reshape %a") ==
        "reshape: [2,3] and [] differ in their number of elements");
  CHECK(refusal("%a: f32[2,3]", "broadcast_in_dim %a {axes=[0]}") ==
        "broadcast_in_dim: needs 2 axes, but got 1");
  CHECK(refusal("%a: f32[2]", "broadcast_in_dim %a {axes=[0]}") ==
        "broadcast_in_dim: axis 0 is not within rank 0");
  CHECK(refusal("%a: f32[5]", "slice %a {start=[2], limit=[6], stride=[1]}") ==
        "slice: 2 to 6 is not within axis 0 of [5]");
  CHECK(refusal("%a: f32[5]", "slice %a {start=[3], limit=[2], stride=[1]}") ==
        "slice: 3 to 2 is not within axis 0 of [5]");
  CHECK(refusal("%a: f32[5]", "slice %a {start=[0], limit=[2], stride=[0]}") ==
        "slice: the stride 0 of axis 0 is below 1");
  CHECK(refusal("%a: f32[5]", "slice %a {start=[0], limit=[2]}") ==
        "slice: needs a start, limit and stride for each axis of [5]");
  CHECK(refusal("%a: f32[5], %v: f32[]", "pad %a, %v {low=[1], high=[1]}") ==
        "pad: needs low, high and interior for each axis of [5]");
  CHECK(refusal("%a: f32[5], %v: f64[]", "pad %a, %v {low=[1], high=[1], interior=[0]}") ==
        "pad: needs a padding value f32[], but got f64[]");
  CHECK(refusal("%a: f32[5], %v: f32[]", "pad %a, %v {low=[-3], high=[-3], interior=[0]}") ==
        "pad: axis 0 of [5] is padded to -1");
  CHECK(refusal("%a: f32[5], %v: f32[]", "pad %a, %v {low=[1], high=[1], interior=[-1]}") ==
        "pad: the interior padding -1 of axis 0 is negative");
  CHECK(refusal("%a: f32[2,3], %b: f32[2,4]", "concatenate %a, %b {axes=[0]}") ==
        "concatenate: f32[2,3] and f32[2,4] differ beyond axis 0");
  CHECK(refusal("", "concatenate {axes=[0]}") == "concatenate: needs an operand");
  CHECK(refusal("%a: f32[2]", "reverse %a {axes=[1]}") == "reverse: axis 1 is not within rank 1");
}

TEST_CASE("a broadcast stretches axes of length 1 only") {
  const Type from[] = {{DType::f32, {2}}};
  CHECK(infer_type(Op::broadcast_in_dim, from, {.axes = {0}}, {DType::f32, {3}}).error ==
        "broadcast_in_dim: axis 0 of [2] cannot become axis 0 of [3]");
}

TEST_CASE("reductions and contractions") {
  CHECK(refusal("%a: f32[2,3]", "reduce_sum %a {axes=[0, 0]}") ==
        "reduce_sum: axis 0 stands twice");
  CHECK(refusal("%a: pred[2]", "reduce_max %a {axes=[0]}") ==
        "reduce_max: needs numbers, but got pred[2]");
  CHECK(refusal("%a: f32[2,3], %b: f32[4,5]",
                "dot_general %a, %b {lhs_contract=[1], rhs_contract=[0]}") ==
        "dot_general: axis 1 of f32[2,3] and axis 0 of f32[4,5] differ");
  CHECK(refusal("%a: f32[2,3], %b: f32[3]", "dot_general %a, %b {lhs_contract=[1]}") ==
        "dot_general: the axes of the two operands do not pair");
  CHECK(refusal("%a: f32[2,2], %b: f32[2,2]",
                "dot_general %a, %b {lhs_batch=[0], rhs_batch=[0], lhs_contract=[0], "
                "rhs_contract=[1]}") == "dot_general: axis 0 stands twice of f32[2,2]");
  CHECK(refusal("%a: i32[2], %b: i32[2]", "dot_general %a, %b") ==
        "dot_general: needs reals of one dtype, but got i32[2] and i32[2]");
}

TEST_CASE("convolutions") {
  const std::string images = "%x: f32[2,4,8], %w: f32[6,2,3]";
  CHECK(refusal(images, "convolution %x, %w {windows=[{}], groups=2}") == "accepted");
  CHECK(refusal(images, "convolution %x, %w {windows=[{}]}") ==
        "convolution: the channels of f32[2,4,8] and f32[6,2,3] do not fit 1 groups");
  CHECK(refusal(images, "convolution %x, %w {windows=[{}], groups=0}") ==
        "convolution: the channels of f32[2,4,8] and f32[6,2,3] do not fit 0 groups");
  CHECK(refusal(images, "convolution %x, %w {groups=2}") ==
        "convolution: 0 windows do not fit f32[2,4,8] and f32[6,2,3]");
  CHECK(refusal(images, "convolution %x, %w {windows=[{stride=0}], groups=2}") ==
        "convolution: a stride or dilation is below 1");
  CHECK(refusal("%x: f32[1,1,8], %w: f32[1,1,0]", "convolution %x, %w {windows=[{}]}") ==
        "convolution: the kernel has an axis of length 0");
  CHECK(refusal("%x: f32[1,1,8], %w: f64[1,1,2]", "convolution %x, %w {windows=[{}]}") ==
        "convolution: needs reals of one dtype, but got f32[1,1,8] and f64[1,1,2]");
}

TEST_CASE("indexing") {
  CHECK(refusal("%x: f32[5], %i: f32[2]", "gather %x, %i {axes=[0]}") ==
        "gather: needs i32 indices, but got f32[2]");
  CHECK(refusal("%x: f32[5], %i: i32[2]", "gather %x, %i {axes=[1]}") ==
        "gather: axis 1 and batch 0 do not fit f32[5] and i32[2]");
  CHECK(refusal("%x: f32[5], %i: i32[2]", "gather %x, %i") == "gather: needs one axis, but got 0");
  CHECK(refusal("%x: f32[3,5], %i: i32[2]", "gather %x, %i {axes=[1], batch=1}") ==
        "gather: batch axis 0 of f32[3,5] and i32[2] differs");
  CHECK(refusal("%x: f32[0], %i: i32[2]", "gather %x, %i {axes=[0]}") ==
        "gather: axis 0 of f32[0] has nothing to gather");
  CHECK(refusal("%x: f32[3], %i: i32[2]", "scatter_add %x, %i {axes=[0], size=4}") ==
        "scatter_add: the axes of f32[3] from 0 on are not those of i32[2]");
  CHECK(refusal("%x: f32[2], %i: i32[2]", "scatter_add %x, %i {axes=[0]}") ==
        "scatter_add: an axis of 0 has no room");
  CHECK(refusal("%x: pred[2], %i: i32[2]", "scatter_add %x, %i {axes=[0], size=4}") ==
        "scatter_add: needs numbers, but got pred[2]");
}

}  // namespace
}  // namespace ganc
