#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/graph/graph.h"

namespace ganc::kernel {

// The loop-nest IR. A kernel is a pure loop nest over buffers; it knows no layout but the indices
// written in it, no vector width and no device: loops say how they may run, codegen chooses widths
// and register tiles for its target. Buffers do not overlap, except that a buffer which is read and
// written is read at an element before that element is written (in place).
//
// Order of evaluation. Statements run in the order written. A load of a buffer that the kernel does
// not write may run anywhere where its variables are bound. A load of one that it writes runs in
// the innermost loop of the first statement that uses it (not outside, even if its index does not
// depend on that loop), once an iteration of that loop: later uses in the iteration see the same
// number. So a later loop may read what an earlier one stored. Loops of extent 0 do nothing. A
// predicated load or store touches no memory where its predicate does not hold, and its index may
// be outside the buffer there.

struct VarId {
  std::uint32_t index = UINT32_MAX;
  bool operator==(const VarId&) const = default;
};
struct ValueId {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t index = none;
  explicit operator bool() const { return index != none; }
  bool operator==(const ValueId&) const = default;
};

// A parameter of the kernel: memory that the call's table of offsets places. A local buffer is
// none: it is the calling thread's own memory, undefined when a unit begins, one after the other in
// scratch. Local buffers come last.
struct Buffer {
  std::string name;
  DType dtype;
  std::int64_t elements;  // every index lies in [0, elements)
  bool read = false, written = false;
  bool local = false;
};

// Values are expressions in SSA form, shared freely; each is computed in the innermost loop that it
// depends on.
enum class ValueKind : std::uint8_t {
  constant,  // number, of dtype
  // 64-bit integers; index arithmetic
  index_constant,      // integer
  loop_variable,       // variable
  index_add,           // operands a, b
  index_scale,         // operand a, times integer
  index_floor_divide,  // operand a >= 0, by integer > 0
  index_modulo,        // operand a >= 0, by integer > 0
  index_clamp,         // operand a into [0, integer - 1]
  index_minimum,       // operands a, b
  index_compare,       // comparison of a and b: pred
  to_index,            // an i32 or u32 value
  from_index,          // an index as dtype
  // numbers
  apply,   // op (elementwise) of operands
  load,    // buffer at operands[0]; operands[1], if there: only where it holds, else 0
  philox,  // u32: operands seed low, seed high, step (u32), element (index); `stream` in integer.
           // Word element % 4 of Philox4x32-10 at counter (element / 4 low, high, stream, step),
           // key (low, high)
  pair,    // u32: operands a, b (f32) as bf16, a in the low half. `integer` 0: rounded to nearest,
           // ties to even; 1: what that rounding leaves, rounded
  accumulator,  // what an Accumulator holds after its loops
  contraction,  // in the epilogue of a Contraction: its sum at (m, v)
};

struct Value {
  ValueKind kind;
  DType dtype = DType::f32;  // of a number; pred of comparisons; ignored for indices
  std::vector<ValueId> operands;
  double number = 0;
  std::int64_t integer = 0;
  VarId variable;
  std::uint32_t buffer = 0;
  std::uint32_t accumulator = 0;
  Op op = Op::add;
  Comparison comparison = Comparison::equal;
};

enum class LoopKind : std::uint8_t {
  parallel,  // the outermost only, one a kernel: its iterations are the units that threads share
             // out
  serial,
  vector,  // iterations may run as lanes, in any order but for accumulators: see Accumulator
  unroll,
};

struct Statement;
using Block = std::vector<Statement>;

struct Loop {
  LoopKind kind;
  VarId variable;
  ValueId extent;  // an index; for parallel and vector loops an index_constant (or a minimum with
                   // one, for tails)
  Block body;
};
struct Store {
  std::uint32_t buffer;
  ValueId index, value;
  ValueId predicate;  // none: always
  // buffer[index] += value, in the order of the loops (scatter). In a vector loop only where the
  // index moves with the lane by a constant that is not 0 (so no two lanes meet).
  bool add = false;
};
// A number that loops inside `body` accumulate to; afterwards value kind `accumulator` reads it.
// Where the loop is a vector loop there are partial results a lane, combined in a fixed order at
// the end of the Accumulator. Readable from there to the end of the block that the Accumulator
// stands in (a body of an Accumulator counts as part of it).
struct Accumulator {
  std::uint32_t id;
  enum class Combine : std::uint8_t { sum, maximum } combine;
  DType dtype;
  Block body;  // loops with Accumulate statements for `id`
};
struct Accumulate {
  std::uint32_t accumulator;
  ValueId value;
};

// One reduced axis of a contraction; strides in elements of a and b.
struct ReduceAxis {
  std::int64_t extent, a_stride, b_stride;
};
// One spatial axis: for the output position `row` the table lists the positions in a and b that
// meet.
struct TapAxis {
  std::uint32_t table;  // into Kernel::tables
  ValueId row;
  std::int64_t a_stride, b_stride;
};
struct TapTable {
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>
      rows;  // (position in a, position in b)
};

// A register-tiled product: for m in [0, m_count), v in [0, v_count)
//   sum(m, v) = initial + sum over taps, then over the axes (in the order given), of
//               a[a_base + m * a_m_stride + v * a_v_stride + ...] *
//               b[b_base + m * b_m_stride + v * b_v_stride + ...]
// where b lies in panels: v stands for v / b_panel * b_panel_stride + v % b_panel. Then `epilogue`
// runs for every (m, v), with m_variable and v_variable bound and v along lanes. b is read as
// vectors along v, a as scalars broadcast to the lanes, or as vectors too where it moves with v. As
// dot products: both are read as vectors along the innermost axis, whose lanes are added up at the
// end. The order of a sum is that of taps and axes, in a fixed number of parts.
// Of f32, f64, or pairs (ValueKind::pair in u32): of these each product is that of the low halves
// plus that of the high halves, and sums are f32.
struct Contraction {
  VarId m_variable, v_variable;
  ValueId m_count, v_count;
  std::int64_t m_limit, v_limit;  // the largest counts (to choose tiles)
  std::uint32_t a_buffer, b_buffer;
  ValueId a_base, b_base;
  std::int64_t a_m_stride;
  std::int64_t a_v_stride = 0, b_m_stride = 0, b_v_stride = 1;  // without dot 0 or 1; any; 1
  bool dot = false;
  std::int64_t b_panel = 0, b_panel_stride = 0;  // 0: contiguous along v; else a multiple of 16
  // What of one operand is read after this sum, of one axis and without taps, begins so many
  // elements after what it reads itself. Each step fetches more of it into the cache: of a another
  // line, of b its rows' share of v_limit elements. 0: nothing.
  std::int64_t a_ahead = 0, b_ahead = 0;
  std::vector<TapAxis> taps;
  std::vector<ReduceAxis> axes;  // innermost last
  ValueId initial;               // none: 0. May load at (m, v)
  Block epilogue;                // Stores and Accumulates
  bool m_outer = false;          // order of the tiles: v outer, m inner unless set
  // Of pairs, for CPUs that multiply tiles of 16 rows and 16 lanes: that a may be read 15 rows
  // beyond the last one, b as if v_count were a multiple of 16, and that the innermost axis is
  // consecutive in a and a multiple of 16 long.
  bool tiles = false;
};

struct Statement {
  std::variant<Loop, Store, Accumulator, Accumulate, Contraction> node;
};

struct Kernel {
  std::string name;  // "dense", "batchnorm_backward": for people
  std::vector<Buffer> buffers;
  std::vector<Value> values;
  std::vector<TapTable> tables;
  std::uint32_t variable_count = 0, accumulator_count = 0;
  std::int64_t units = 1;  // extent of the parallel loop; 1 without one
  Block body;
};

// Of what a contraction's sums are.
DType sum_type(const Kernel& kernel, const Contraction& contraction);

// Whether it makes pairs of bf16 or multiplies them.
bool uses_pairs(const Kernel& kernel);

// Where each local buffer begins in scratch, in bytes, a multiple of 64 (0 for others); and the
// bytes of scratch that the kernel asks for, the last element.
std::vector<std::int64_t> scratch_places(const Kernel& kernel);

// All that is wrong with `kernel`, a sentence each; empty: nothing. First lines of verify.cpp list
// what it checks.
std::vector<std::string> verify(const Kernel& kernel);
std::string print(const Kernel& kernel);
// Equal for kernels that compile to the same code (names do not count).
std::string structural_key(const Kernel& kernel);

}  // namespace ganc::kernel
