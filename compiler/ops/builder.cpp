// The builder's header stands with the graph; its source here, where the ops' type rules are.
#include "compiler/graph/builder.h"

#include <bit>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>

#include "compiler/ops/op.h"

namespace ganc {
namespace {

struct Hash {
  std::size_t value = 0;
  void add(std::uint64_t x) { value = (value ^ x) * 0x9E3779B97F4A7C15u ^ (value >> 29); }
  void add(const std::vector<std::int64_t>& xs) {
    add(xs.size());
    for (std::int64_t x : xs) add(static_cast<std::uint64_t>(x));
  }
};

std::size_t hash(const Node& node) {
  Hash h;
  h.add(static_cast<std::uint64_t>(node.op));
  h.add(static_cast<std::uint64_t>(node.type.dtype));
  h.add(node.type.shape);
  for (NodeId operand : node.operands) h.add(operand.index);
  const Attributes& a = node.attributes;
  for (const auto* numbers : {&a.axes, &a.start, &a.limit, &a.stride, &a.low, &a.high, &a.interior,
                              &a.lhs_batch, &a.rhs_batch, &a.lhs_contract, &a.rhs_contract}) {
    h.add(*numbers);
  }
  for (const Window& w : a.windows) {
    h.add(std::vector{w.stride, w.pad_low, w.pad_high, w.lhs_dilation, w.rhs_dilation});
  }
  h.add(std::vector{a.groups, a.batch, a.size});
  h.add(static_cast<std::uint64_t>(a.comparison));
  h.add(a.stream);
  for (double value : a.values) h.add(std::bit_cast<std::uint64_t>(value));
  h.add(std::hash<std::string>{}(a.name));
  return h.value;
}

bool same_bits(double a, double b) {  // a NaN equals itself, 0 is not -0
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_values(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

bool same(const Node& a, const Node& b) {
  if (a.op != b.op || a.type != b.type || a.operands != b.operands) return false;
  if (!a.attributes.values.empty() ||
      !b.attributes.values.empty()) {  // a constant: no other attributes
    return same_values(a.attributes.values, b.attributes.values);
  }
  return a.attributes == b.attributes;
}

[[noreturn]] void fail(const Graph& graph, const Node& node, const std::string& what) {
  std::string operands;
  for (NodeId operand : node.operands) {
    const bool exists = operand.index < graph.nodes.size();
    operands +=
        fmt::format(" %{}: {}", operand.index, exists ? to_string(graph[operand].type) : "none");
  }
  fmt::print(stderr,
             "ganc: internal error: a node cannot be built: {}\n  {}{} ({} in graph \"{}\")\n",
             what, definition(node.op).name, operands, graph.origins[node.origin].path, graph.name);
  std::abort();
}

}  // namespace

Builder::Builder(Graph& graph) : graph_(graph) {
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    seen_.emplace(hash(graph.nodes[i]), NodeId{i});
  }
}

void Builder::set_origin(Origin origin) {
  if (graph_.origins[origin_] == origin) return;
  if (!(graph_.origins.back() == origin)) graph_.origins.push_back(std::move(origin));
  origin_ = static_cast<std::uint32_t>(graph_.origins.size() - 1);
}

NodeId Builder::add_node(Op op, std::vector<NodeId> operands, Attributes attributes, Type type) {
  Node node = {op, {}, std::move(operands), std::move(attributes), origin_};
  std::vector<Type> types;
  types.reserve(node.operands.size());
  for (NodeId operand : node.operands) {
    if (operand.index >= graph_.nodes.size()) fail(graph_, node, "an operand does not exist");
    types.push_back(graph_[operand].type);
  }
  TypeOrError inferred = infer_type(op, types, node.attributes, type);
  if (!inferred.type) fail(graph_, node, inferred.error);
  node.type = std::move(*inferred.type);

  const std::size_t key = hash(node);
  const auto [begin, end] = seen_.equal_range(key);
  for (auto entry = begin; entry != end; ++entry) {
    if (same(graph_[entry->second], node)) return entry->second;
  }
  const NodeId id{static_cast<std::uint32_t>(graph_.nodes.size())};
  graph_.nodes.push_back(std::move(node));
  seen_.emplace(key, id);
  return id;
}

NodeId Builder::input(std::string name, Type type) {
  return add_node(Op::input, {}, {.name = std::move(name)}, std::move(type));
}

NodeId Builder::constant(double value, Type type) {
  return add_node(Op::constant, {}, {.values = {value}}, std::move(type));
}

NodeId Builder::constant(std::vector<double> values, Type type) {
  bool all_equal = !values.empty();
  for (double value : values) all_equal = all_equal && same_bits(value, values[0]);
  if (all_equal) values.resize(1);
  return add_node(Op::constant, {}, {.values = std::move(values)}, std::move(type));
}

NodeId Builder::like(NodeId x, double value) {
  return constant(value, Type(type(x)));
}

NodeId Builder::iota(std::int64_t axis, Type type) {
  return add_node(Op::iota, {}, {.axes = {axis}}, std::move(type));
}

NodeId Builder::random_bits(NodeId seed, NodeId step, std::uint32_t stream, Shape shape) {
  return add_node(Op::random_bits, {seed, step}, {.stream = stream},
                  {DType::u32, std::move(shape)});
}

NodeId Builder::convert(NodeId x, DType to) {
  if (dtype(x) == to) return x;
  return add_node(Op::convert, {x}, {}, {to, {}});
}

NodeId Builder::compare(Comparison comparison, NodeId a, NodeId b) {
  return add_node(Op::compare, {a, b}, {.comparison = comparison});
}

NodeId Builder::select(NodeId predicate, NodeId a, NodeId b) {
  return add_node(Op::select, {predicate, a, b});
}

NodeId Builder::draw(NodeId x, std::string name) {
  return add_node(Op::draw, {x}, {.name = std::move(name)});
}

NodeId Builder::broadcast_in_dim(NodeId x, Shape to, std::vector<std::int64_t> axes) {
  return add_node(Op::broadcast_in_dim, {x}, {.axes = std::move(axes)}, {dtype(x), std::move(to)});
}

NodeId Builder::reshape(NodeId x, Shape to) {
  if (shape(x) == to) return x;
  return add_node(Op::reshape, {x}, {}, {dtype(x), std::move(to)});
}

NodeId Builder::transpose(NodeId x, std::vector<std::int64_t> permutation) {
  return add_node(Op::transpose, {x}, {.axes = std::move(permutation)});
}

NodeId Builder::slice(NodeId x, std::vector<std::int64_t> start, std::vector<std::int64_t> limit,
                      std::vector<std::int64_t> stride) {
  if (stride.empty()) stride.assign(start.size(), 1);
  return add_node(
      Op::slice, {x},
      {.start = std::move(start), .limit = std::move(limit), .stride = std::move(stride)});
}

NodeId Builder::pad(NodeId x, NodeId value, std::vector<std::int64_t> low,
                    std::vector<std::int64_t> high, std::vector<std::int64_t> interior) {
  if (interior.empty()) interior.assign(low.size(), 0);
  return add_node(
      Op::pad, {x, value},
      {.low = std::move(low), .high = std::move(high), .interior = std::move(interior)});
}

NodeId Builder::concatenate(std::vector<NodeId> parts, std::int64_t axis) {
  return add_node(Op::concatenate, std::move(parts), {.axes = {axis}});
}

NodeId Builder::reverse(NodeId x, std::vector<std::int64_t> axes) {
  return add_node(Op::reverse, {x}, {.axes = std::move(axes)});
}

NodeId Builder::reduce_sum(NodeId x, std::vector<std::int64_t> axes) {
  if (axes.empty()) return x;
  return add_node(Op::reduce_sum, {x}, {.axes = std::move(axes)});
}

NodeId Builder::reduce_max(NodeId x, std::vector<std::int64_t> axes) {
  if (axes.empty()) return x;
  return add_node(Op::reduce_max, {x}, {.axes = std::move(axes)});
}

NodeId Builder::dot_general(NodeId lhs, NodeId rhs, std::vector<std::int64_t> lhs_batch,
                            std::vector<std::int64_t> rhs_batch,
                            std::vector<std::int64_t> lhs_contract,
                            std::vector<std::int64_t> rhs_contract) {
  return add_node(Op::dot_general, {lhs, rhs},
                  {.lhs_batch = std::move(lhs_batch),
                   .rhs_batch = std::move(rhs_batch),
                   .lhs_contract = std::move(lhs_contract),
                   .rhs_contract = std::move(rhs_contract)});
}

NodeId Builder::convolution(NodeId lhs, NodeId rhs, std::vector<Window> windows,
                            std::int64_t groups) {
  return add_node(Op::convolution, {lhs, rhs}, {.windows = std::move(windows), .groups = groups});
}

NodeId Builder::gather(NodeId x, NodeId indices, std::int64_t axis, std::int64_t batch) {
  return add_node(Op::gather, {x, indices}, {.axes = {axis}, .batch = batch});
}

NodeId Builder::scatter_add(NodeId updates, NodeId indices, std::int64_t axis, std::int64_t batch,
                            std::int64_t size) {
  return add_node(Op::scatter_add, {updates, indices},
                  {.axes = {axis}, .batch = batch, .size = size});
}

void Builder::output(std::string name, NodeId node) {
  graph_.outputs.push_back({std::move(name), node});
}

}  // namespace ganc
