#pragma once

#include <unordered_map>

#include "compiler/graph/graph.h"

namespace ganc {

// The only way to add a node. Infers the type by the op's shape rule, checks operands (a violation
// is a bug of ours and aborts with the node printed) and hash-conses: equal op, operands,
// attributes and type are one node (but not `input` of another name, nor `draw`s of other names:
// their attributes differ).
class Builder {
 public:
  explicit Builder(Graph& graph);

  Graph& graph() { return graph_; }
  const Node& operator[](NodeId id) const { return graph_[id]; }
  const Type& type(NodeId id) const { return graph_[id].type; }
  const Shape& shape(NodeId id) const { return graph_[id].type.shape; }
  DType dtype(NodeId id) const { return graph_[id].type.dtype; }

  // What is added from here on has this origin.
  void set_origin(Origin origin);
  std::uint32_t origin() const { return origin_; }
  void set_origin(std::uint32_t origin) { origin_ = origin; }

  // The general form: the type is inferred; `dtype` and `shape` are read by input, constant, iota,
  // random_bits, convert (dtype), reshape, broadcast_in_dim (shape) alone.
  NodeId add_node(Op op, std::vector<NodeId> operands, Attributes attributes = {}, Type type = {});

  NodeId input(std::string name, Type type);
  NodeId constant(double value, Type type);
  NodeId constant(std::vector<double> values, Type type);
  NodeId like(NodeId x, double value);  // `value` in every element, of x's type
  NodeId iota(std::int64_t axis, Type type);
  NodeId random_bits(NodeId seed, NodeId step, std::uint32_t stream, Shape shape);

  NodeId unary(Op op, NodeId x) { return add_node(op, {x}); }
  NodeId binary(Op op, NodeId a, NodeId b) { return add_node(op, {a, b}); }
  NodeId negate(NodeId x) { return unary(Op::negate, x); }
  NodeId exponential(NodeId x) { return unary(Op::exponential, x); }
  NodeId log(NodeId x) { return unary(Op::log, x); }
  NodeId sqrt(NodeId x) { return unary(Op::sqrt, x); }
  NodeId stop(NodeId x) { return unary(Op::stop, x); }
  NodeId convert(NodeId x, DType dtype);  // x itself where it has that dtype
  NodeId add(NodeId a, NodeId b) { return binary(Op::add, a, b); }
  NodeId subtract(NodeId a, NodeId b) { return binary(Op::subtract, a, b); }
  NodeId multiply(NodeId a, NodeId b) { return binary(Op::multiply, a, b); }
  NodeId divide(NodeId a, NodeId b) { return binary(Op::divide, a, b); }
  NodeId maximum(NodeId a, NodeId b) { return binary(Op::maximum, a, b); }
  NodeId minimum(NodeId a, NodeId b) { return binary(Op::minimum, a, b); }
  NodeId power(NodeId a, NodeId b) { return binary(Op::power, a, b); }
  NodeId compare(Comparison comparison, NodeId a, NodeId b);
  NodeId select(NodeId predicate, NodeId a, NodeId b);
  NodeId draw(NodeId x, std::string name);
  NodeId grad(NodeId y, NodeId x) { return binary(Op::grad, y, x); }

  NodeId broadcast_in_dim(NodeId x, Shape shape, std::vector<std::int64_t> axes);
  NodeId broadcast_scalar(NodeId x, Shape shape) {
    return broadcast_in_dim(x, std::move(shape), {});
  }
  NodeId reshape(NodeId x, Shape shape);  // x itself where it has that shape
  NodeId transpose(NodeId x, std::vector<std::int64_t> permutation);
  NodeId slice(NodeId x, std::vector<std::int64_t> start, std::vector<std::int64_t> limit,
               std::vector<std::int64_t> stride = {});
  NodeId pad(NodeId x, NodeId value, std::vector<std::int64_t> low, std::vector<std::int64_t> high,
             std::vector<std::int64_t> interior = {});
  NodeId concatenate(std::vector<NodeId> parts, std::int64_t axis);
  NodeId reverse(NodeId x, std::vector<std::int64_t> axes);
  NodeId reduce_sum(NodeId x, std::vector<std::int64_t> axes);  // x itself where there are no axes
  NodeId reduce_max(NodeId x, std::vector<std::int64_t> axes);
  NodeId dot_general(NodeId lhs, NodeId rhs, std::vector<std::int64_t> lhs_batch,
                     std::vector<std::int64_t> rhs_batch, std::vector<std::int64_t> lhs_contract,
                     std::vector<std::int64_t> rhs_contract);
  NodeId convolution(NodeId lhs, NodeId rhs, std::vector<Window> windows, std::int64_t groups = 1);
  NodeId gather(NodeId x, NodeId indices, std::int64_t axis, std::int64_t batch);
  NodeId scatter_add(NodeId updates, NodeId indices, std::int64_t axis, std::int64_t batch,
                     std::int64_t size);

  void output(std::string name, NodeId node);

 private:
  Graph& graph_;
  std::uint32_t origin_ = 0;
  std::unordered_multimap<std::size_t, NodeId> seen_;
};

}  // namespace ganc
