#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/kernel/kernel.h"

namespace ganc {

// Where a tensor lies: element (i0, i1, ..) of `shape` at offset + sizeof(dtype) * sum(i * stride).
struct Placement {
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::int64_t> strides;  // in elements
  std::int64_t offset = 0;            // bytes from the start of the arena, 64-byte aligned
  std::int64_t bytes = 0;
};

struct Binding {
  std::string name;  // as in model.h
  Placement placement;
};

// Bytes read and written, each operand and result once, by how long ago the same memory was
// touched: within the last near_bytes (cost.h) of other traffic, within the last middle_bytes, or
// before that.
struct Traffic {
  double near = 0, middle = 0, far = 0;
  double all() const { return near + middle + far; }
};

// What a node computes and where it stands in the program, for people.
struct Operation {
  Op op = Op::add;
  Origin origin;
  bool operator==(const Operation&) const = default;
};

// One call of a kernel.
struct Call {
  std::uint32_t kernel;
  std::vector<std::int64_t> offsets;  // one a buffer of the kernel
  std::vector<std::int64_t> guards;   // offsets of preds (1 byte): run only where all hold
  std::int32_t draw = -1;             // the draw of the program that this call computes, whole
  Op op = Op::add;                    // the root's, for people
  Origin origin;
  std::vector<Operation> computed;  // all of the kernel, the root's too, each once, in order
  // See compiler/kernel/work.h; bytes by where they come from or go to.
  double flop = 0, operations = 0;
  Traffic traffic;
};

// An output may be read after call `after` (-1: before the first) and until the next call that
// writes there.
struct Result {
  Binding binding;
  std::int32_t after;
};

struct ProgramPlan {
  std::string name;
  std::vector<Call> calls;
  std::vector<Binding> inputs;  // all but variables; to be filled before the first call
  std::vector<Result> results;  // all but variables, which are updated in place
  std::vector<Binding> draws;
  // Of the arena that the program uses, variables included; and the most of it that holds values at
  // the same time: no placement could do with less.
  std::int64_t bytes = 0, alive_bytes = 0;
};

struct Plan {
  std::vector<kernel::Kernel> kernels;  // no two of the same structural key
  std::vector<Binding> variables;
  std::vector<ProgramPlan> programs;  // in the order of the graphs given
  std::int64_t persistent_bytes = 0;  // the variables, at the start of the arena
  std::int64_t arena_bytes = 0;       // with the largest program
};

}  // namespace ganc
