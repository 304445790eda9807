#pragma once

#include <functional>
#include <vector>

#include "compiler/schedule/winograd.h"

namespace ganc::planning {

// What the two kinds of kernels of winograd.h are written with.

// Between the planes of two points, in elements: they are read and written side by side, and would
// all fall into one set of the caches if they lay a power of two apart.
inline constexpr std::int64_t plane_gap = 16;

// `number` in base `base`, `n` digits, the most significant first: the place of an element on each
// axis.
std::vector<std::int64_t> digits(std::int64_t number, std::int64_t base, std::size_t n);

// Statements of a kernel, written one after the other.
class Nest {
 public:
  explicit Nest(KernelWriter& writer) : writer_(writer) { open_.push_back(&body_); }
  void loop(kernel::LoopKind kind, kernel::ValueId extent,
            const std::function<void(kernel::ValueId)>& body);
  // No loop for a serial one of extent 1.
  void loop(kernel::LoopKind kind, std::int64_t extent,
            const std::function<void(kernel::ValueId)>& body);
  void add(kernel::Statement statement) { open_.back()->push_back(std::move(statement)); }
  void add(kernel::Block block);
  void store(std::uint32_t buffer, kernel::ValueId at, kernel::ValueId value);
  kernel::Block take() { return std::move(body_); }

 private:
  KernelWriter& writer_;
  kernel::Block body_;
  std::vector<kernel::Block*> open_;
};

// Each value at `at` of a plane of its own.
void store_planes(Nest& nest, KernelWriter& w, std::uint32_t to, kernel::ValueId at,
                  std::int64_t plane, const std::vector<kernel::ValueId>& values);

// How many of [base, extent) lie in a block.
kernel::ValueId count_in_block(KernelWriter& w, kernel::ValueId base, std::int64_t extent,
                               std::int64_t block);
// A number below the product of `extents` as one below each, the last one fastest.
std::vector<kernel::ValueId> split(KernelWriter& w, kernel::ValueId number,
                                   const std::vector<std::int64_t>& extents);
// A transform along all axes: `values` has matrix[0].size() elements an axis, the result
// matrix.size().
std::vector<kernel::ValueId> transformed(KernelWriter& w, const FilterTransform::Matrix& matrix,
                                         std::size_t axes, std::vector<kernel::ValueId> values);

// Along the first axis alone: `values` has matrix[0].size() times as many elements as the others.
std::vector<kernel::ValueId> transformed_first(KernelWriter& w,
                                               const FilterTransform::Matrix& matrix,
                                               const std::vector<kernel::ValueId>& values);
// The same, by the row of the matrix that has the number `row`.
std::vector<kernel::ValueId> row_of_transform(KernelWriter& w,
                                              const FilterTransform::Matrix& matrix,
                                              kernel::ValueId row,
                                              const std::vector<kernel::ValueId>& values);

// The elements start, start + step, .. of an operand along one axis; outside [0, extent) there are
// zeros. `start` lies in [low, high].
struct AxisRead {
  std::uint32_t position;  // variable
  kernel::ValueId start;
  std::int64_t low, high, step, extent;
};
// Which of an axis's phases, subfilters and pieces.
struct Part {
  kernel::ValueId phase, sub, piece;
};
// Where a part begins, moved by `offset`, in [0, most_offset].
AxisRead axis_read(KernelWriter& w, std::uint32_t position, const FilterAxis& axis, bool of_lhs,
                   const Part& part, kernel::ValueId offset, std::int64_t most_offset);
// How many of the outputs [base, base + block) of a phase there are; none may be left.
kernel::ValueId output_count(KernelWriter& w, const FilterAxis& axis, kernel::ValueId phase,
                             kernel::ValueId base, std::int64_t block);
// `count` elements an axis, the last axis fastest. `base`: added to the index; none: 0.
std::vector<kernel::ValueId> load_elements(KernelWriter& w, std::uint32_t buffer, IndexId index,
                                           kernel::ValueId base, const std::vector<AxisRead>& axes,
                                           std::int64_t count);

// Puts the output position `at` of a spatial axis in place of its variable.
void bind_output(KernelWriter& w, const Product& product, std::size_t axis, kernel::ValueId at);
// Adds the draft; its operands keep their places.
void add_products(ProgramDraft& program, const Group& group, KernelWriter& w, kernel::Block body,
                  const Product& product);

}  // namespace ganc::planning
