#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/kernel/kernel.h"

namespace ganc::planning {

// What one program is on its way from graph to plan. Every pass fills in one part.

inline constexpr std::uint32_t no_tensor = UINT32_MAX;

// Axes from the outermost to the innermost: how a tensor lies in memory.
using AxisOrder = std::vector<std::int64_t>;
AxisOrder row_major(std::size_t rank);
// Strides in elements, dense but for gaps: a walk by a multiple of 1 KiB meets few sets of a cache,
// so such a stride is 64 bytes longer.
std::vector<std::int64_t> strides_of(const Shape& shape, const AxisOrder& order, DType dtype);
// Elements from the first to the last, those in gaps included.
std::int64_t reach_of(const Shape& shape, const std::vector<std::int64_t>& strides);

// Zeros before and behind an axis.
struct Border {
  std::int64_t low = 0, high = 0;
  auto operator<=>(const Border&) const = default;
};
// In which layout a node's value is copied for contractions.
struct CopyLayout {
  AxisOrder order;
  std::int64_t panel = 0;             // not 0: of the last axis of the order, see lower_copy()
  std::optional<Border> border = {};  // of the last axis
  // Not -1: of f32 pairs of bf16 along this axis (ValueKind::pair), `pairs` of them; zeros stand
  // where the axis has no more.
  std::int64_t pair_axis = -1, pairs = 0;
  // Of pairs, 2: the rounded ones and what rounding left, along one more axis, the last in number.
  std::int64_t parts = 1;
  // That much memory beyond the last element of an axis, in its strides, belongs to the copy.
  std::int64_t longer_axis = 0, longer = 0;
  auto operator<=>(const CopyLayout&) const = default;
};

// Memory that holds the value of a node.
struct Tensor {
  NodeId node;
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::int64_t> strides;
  std::int64_t elements = 0;  // of memory, gaps included
  // Where not 0: the axis `panel_axis` is cut into panels of so many elements, `panel_stride`
  // apart; its stride is that within a panel.
  std::int64_t panel = 0, panel_stride = 0;
  std::size_t panel_axis = 0;
  enum class Home : std::uint8_t { arena, variable, input } home = Home::arena;
  std::int32_t variable =
      -1;  // home variable: which; else the variable whose new value it is, or -1
};

// What a program must leave behind: a result, or a variable's new value.
struct Target {
  std::string name;
  NodeId node;
  std::int32_t variable = -1;  // into the variables; -1: a result
};

enum class GroupKind : std::uint8_t { constant, elementwise, reduction, contraction, scatter };

// Roots that one kernel computes, in graph order. All have the same guards.
struct Group {
  GroupKind kind;
  std::vector<NodeId> roots;
  std::uint32_t guards = 0;  // into ProgramDraft::guard_sets
  std::int32_t draw = -1;
};

// A call in the making.
struct Draft {
  kernel::Kernel kernel;
  std::vector<std::uint32_t> buffers;  // tensor of each buffer
  std::vector<NodeId> guards;
  // Pairs (read, written) of buffers that may be one: each element is read, where at all, by the
  // iteration that writes it, before it does.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> in_place;
  std::int32_t draw = -1;
  Op op = Op::add;
  std::uint32_t origin = 0;
  std::vector<NodeId> computed;  // in graph order, but for what only moves values
};

struct ProgramDraft {
  Graph graph;                      // prepared: see prepare.h
  std::int64_t register_rows = 14;  // see ScheduleOptions
  std::vector<Target> targets;
  std::map<NodeId, NodeId> asked_for;           // results that are stored only where an input holds
  std::vector<std::vector<NodeId>> guard_sets;  // predicates that must all hold; 0 is the empty set
  std::vector<std::uint32_t> guards;            // of each node, into guard_sets
  std::vector<AxisOrder> layouts;               // of each node, were it stored
  std::vector<bool> root;     // of each node: is a value in memory or a kernel's result
  std::vector<Group> groups;  // in the order of execution
  std::vector<bool> stored;   // of each node: has a tensor
  std::vector<Tensor> tensors;
  std::vector<std::uint32_t> tensor_of;  // of each node
  std::vector<Draft> drafts;             // in the order of execution
  // Further places of a node's value, made for contractions: by node, layout and guards.
  std::map<std::tuple<NodeId, CopyLayout, std::uint32_t>, std::uint32_t> copies;
  // Transformed filters of convolutions, by all that they are made of: see lower_winograd.cpp.
  std::map<std::vector<std::int64_t>, std::uint32_t> transformed_filters;
};

// Says what is wrong in the compiler and aborts.
[[noreturn]] void broken(const std::string& what);

bool is_elementwise(Op op);
bool is_movement(Op op);
bool is_reduction(Op op);
bool is_contraction(Op op);
std::int64_t byte_size(DType dtype);

}  // namespace ganc::planning
