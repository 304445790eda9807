#include "compiler/schedule/winograd_kernel.h"

#include <algorithm>

namespace ganc::planning {

using kernel::Block;
using kernel::LoopKind;
using kernel::ValueId;

std::vector<std::int64_t> digits(std::int64_t number, std::int64_t base, std::size_t n) {
  std::vector<std::int64_t> result(n);
  for (std::size_t i = n; i-- > 0; number /= base) result[i] = number % base;
  return result;
}

void Nest::loop(LoopKind kind, ValueId extent, const std::function<void(ValueId)>& body) {
  const kernel::VarId v = writer_.new_variable();
  kernel::Loop loop{kind, v, extent, {}};
  open_.push_back(&loop.body);
  body(writer_.variable(v));
  open_.pop_back();
  open_.back()->push_back({std::move(loop)});
}

void Nest::loop(LoopKind kind, std::int64_t extent, const std::function<void(ValueId)>& body) {
  if (extent == 1 && kind == LoopKind::serial) return body(writer_.constant(0));
  loop(kind, writer_.constant(extent), body);
}

void Nest::add(Block block) {
  for (kernel::Statement& s : block) add(std::move(s));
}

void Nest::store(std::uint32_t buffer, ValueId at, ValueId value) {
  kernel::Store s{};
  s.buffer = buffer;
  s.index = at;
  s.value = value;
  add({s});
}

void store_planes(Nest& nest, KernelWriter& w, std::uint32_t to, ValueId at, std::int64_t plane,
                  const std::vector<ValueId>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    nest.store(to, w.add(at, static_cast<std::int64_t>(i) * plane), values[i]);
}

ValueId count_in_block(KernelWriter& w, ValueId base, std::int64_t extent, std::int64_t block) {
  if (extent % block == 0) return w.constant(block);
  return w.minimum(w.constant(block), w.add(w.scale(base, -1), extent));
}

std::vector<ValueId> split(KernelWriter& w, ValueId number,
                           const std::vector<std::int64_t>& extents) {
  std::vector<ValueId> parts(extents.size());
  for (std::size_t i = extents.size(); i-- > 0;) {
    bool first = true;
    for (std::size_t before = 0; before < i; ++before) first &= extents[before] == 1;
    if (extents[i] == 1) {
      parts[i] = w.constant(0);
    } else if (first) {
      parts[i] = number;
    } else {
      parts[i] = w.remainder(number, extents[i]);
      number = w.quotient(number, extents[i]);
    }
  }
  return parts;
}

namespace {

// The sum of c * term over a row of coefficients, beginning with a plain term where there is one.
ValueId combination(KernelWriter& w, const std::vector<double>& row,
                    const std::function<ValueId(std::size_t)>& term_at) {
  ValueId sum;
  for (const bool positive : {true, false})
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == 0 || (row[i] > 0) != positive) continue;
      const double size = row[i] < 0 ? -row[i] : row[i];
      ValueId term = term_at(i);
      if (size != 1) term = w.apply(Op::multiply, {w.real(size, DType::f32), term}, DType::f32);
      if (sum)
        sum = w.apply(positive ? Op::add : Op::subtract, {sum, term}, DType::f32);
      else
        sum = positive ? term : w.apply(Op::negate, {term}, DType::f32);
    }
  return sum;
}

}  // namespace

// The last axis first; it becomes the outermost, so that after as many turns all are in order.
std::vector<ValueId> transformed(KernelWriter& w, const FilterTransform::Matrix& matrix,
                                 std::size_t axes, std::vector<ValueId> values) {
  const std::size_t from = matrix[0].size(), to = matrix.size();
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::size_t rest = values.size() / from;
    std::vector<ValueId> next(to * rest);
    for (std::size_t r = 0; r < rest; ++r)
      for (std::size_t i = 0; i < to; ++i)
        next[i * rest + r] =
            combination(w, matrix[i], [&](std::size_t k) { return values[r * from + k]; });
    values = std::move(next);
  }
  return values;
}

std::vector<ValueId> transformed_first(KernelWriter& w, const FilterTransform::Matrix& matrix,
                                       const std::vector<ValueId>& values) {
  const std::size_t rest = values.size() / matrix[0].size();
  std::vector<ValueId> result;
  for (const std::vector<double>& row : matrix)
    for (std::size_t r = 0; r < rest; ++r)
      result.push_back(combination(w, row, [&](std::size_t k) { return values[k * rest + r]; }));
  return result;
}

std::vector<ValueId> row_of_transform(KernelWriter& w, const FilterTransform::Matrix& matrix,
                                      ValueId row, const std::vector<ValueId>& values) {
  const std::size_t from = matrix[0].size(), rest = values.size() / from;
  std::vector<ValueId> result(rest);
  for (std::size_t k = 0; k < from; ++k) {
    ValueId factor = w.real(matrix.back()[k], DType::f32);
    for (std::size_t i = matrix.size() - 1; i-- > 0;) {
      if (matrix[i][k] == matrix.back()[k]) continue;
      const ValueId here = w.value({.kind = kernel::ValueKind::index_compare,
                                    .dtype = DType::pred,
                                    .operands = {row, w.constant(static_cast<std::int64_t>(i))},
                                    .comparison = Comparison::equal});
      factor = w.apply(Op::select, {here, w.real(matrix[i][k], DType::f32), factor}, DType::f32);
    }
    for (std::size_t r = 0; r < rest; ++r) {
      const ValueId term = w.apply(Op::multiply, {factor, values[k * rest + r]}, DType::f32);
      result[r] = k == 0 ? term : w.apply(Op::add, {result[r], term}, DType::f32);
    }
  }
  return result;
}

AxisRead axis_read(KernelWriter& w, std::uint32_t position, const FilterAxis& axis, bool of_lhs,
                   const Part& part, ValueId offset, std::int64_t most_offset) {
  const FilterAxis::First& f = of_lhs ? axis.lhs_first : axis.rhs_first;
  ValueId start = w.add(offset, f.base);
  const auto add = [&](ValueId what, std::int64_t factor) {
    if (factor != 0) start = w.add(start, w.scale(what, factor));
  };
  add(part.phase, f.phase);
  add(part.sub, f.sub);
  add(part.piece, f.piece);
  if (f.quotient != 0 || f.remainder != 0) {
    const ValueId turned = w.add(w.scale(part.phase, -1), axis.turn);
    add(w.quotient(turned, axis.phases), f.quotient);
    add(w.remainder(turned, axis.phases), f.remainder);
  }
  std::int64_t least = axis.first(f, 0, 0, 0), most = least;
  for (std::int64_t p = 0; p < axis.phases; ++p)
    for (std::int64_t s = 0; s < axis.subs; ++s)
      for (std::int64_t n = 0; n < axis.pieces; ++n) {
        least = std::min(least, axis.first(f, p, s, n));
        most = std::max(most, axis.first(f, p, s, n));
      }
  return {position,
          start,
          least,
          most + most_offset,
          of_lhs ? axis.lhs_step : axis.rhs_step,
          of_lhs ? axis.lhs_extent : axis.rhs_extent};
}

ValueId output_count(KernelWriter& w, const FilterAxis& axis, ValueId phase, ValueId base,
                     std::int64_t block) {
  const std::int64_t last = axis.extent - 1;  // outputs of a phase: (last - phase) / phases + 1
  if (axis.extent % axis.phases == 0)
    return count_in_block(w, base, axis.extent / axis.phases, block);
  const ValueId all = w.quotient(w.add(w.scale(phase, -1), last + axis.phases), axis.phases);
  return w.minimum(w.constant(block), w.add(w.scale(base, -1), all));
}

std::vector<ValueId> load_elements(KernelWriter& w, std::uint32_t buffer, IndexId index,
                                   ValueId base, const std::vector<AxisRead>& axes,
                                   std::int64_t count) {
  std::int64_t all = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) all *= count;
  std::vector<ValueId> values;
  for (std::int64_t n = 0; n < all; ++n) {
    const std::vector<std::int64_t> place = digits(n, count, axes.size());
    ValueId inside;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const AxisRead& axis = axes[i];
      const std::int64_t offset = place[i] * axis.step;
      const ValueId at = w.add(axis.start, offset);
      const auto must = [&](Comparison comparison, std::int64_t limit) {
        const ValueId holds = w.value({.kind = kernel::ValueKind::index_compare,
                                       .dtype = DType::pred,
                                       .operands = {at, w.constant(limit)},
                                       .comparison = comparison});
        inside = inside ? w.apply(Op::logical_and, {inside, holds}, DType::pred) : holds;
      };
      if (axis.low + offset < 0) must(Comparison::greater_equal, 0);
      if (axis.high + offset >= axis.extent) must(Comparison::less, axis.extent);
      w.bind(axis.position, at);
    }
    values.push_back(w.load(buffer, w.add(base, w.index(index)), DType::f32, inside));
  }
  return values;
}

void bind_output(KernelWriter& w, const Product& product, std::size_t axis, ValueId at) {
  const Sum& index = product.c.space[product.spatial[axis].output];
  w.bind(product.c.space.atom(index.terms[0].atom).source, at);
}

void add_products(ProgramDraft& program, const Group& group, KernelWriter& w, Block body,
                  const Product& product) {
  Draft& draft = add_draft(program, group, w, std::move(body), product.c, true);
  std::erase_if(draft.in_place, [&](const auto& pair) {
    const std::uint32_t read = draft.buffers[pair.first];
    return read == product.lhs.tensor || read == product.rhs.tensor;
  });
}

}  // namespace ganc::planning
