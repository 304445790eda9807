#include <algorithm>
#include <cstring>

#include "runtime/arena.h"

namespace ganc::runtime {
namespace {

// An axis of a copy: row-major stride and stride in the arena, in elements.
struct Axis {
  std::int64_t extent, row, placed;
};

// The axes of more than one element, outermost first; neighbours that are one in both orders are
// joined.
std::vector<Axis> axes_of(const Binding& b) {
  std::vector<Axis> axes;
  std::int64_t row = 1;
  for (std::size_t i = b.shape.size(); i-- > 0;) {
    const Axis axis{b.shape[i], row, b.strides[i]};
    row *= b.shape[i];
    if (axis.extent == 1) continue;
    if (!axes.empty() && axes.back().row * axes.back().extent == axis.row &&
        axes.back().placed * axes.back().extent == axis.placed)
      axes.back().extent *= axis.extent;
    else
      axes.push_back(axis);
  }
  std::reverse(axes.begin(), axes.end());
  return axes;
}

// Copies `fast` x `last` elements in tiles that stay in the first cache whichever side is strided.
template <typename T, bool into_arena>
void copy_plane(T* placed, T* rows, const Axis& fast, const Axis& last) {
  constexpr std::int64_t tile = 16;
  for (std::int64_t f0 = 0; f0 < fast.extent; f0 += tile)
    for (std::int64_t l0 = 0; l0 < last.extent; l0 += tile)
      for (std::int64_t l = l0; l < std::min(l0 + tile, last.extent); ++l)
        for (std::int64_t f = f0; f < std::min(f0 + tile, fast.extent); ++f) {
          T& in_arena = placed[f * fast.placed + l * last.placed];
          T& in_rows = rows[f * fast.row + l * last.row];
          if (into_arena)
            in_arena = in_rows;
          else
            in_rows = in_arena;
        }
}

template <typename T, bool into_arena>
void copy_elements(char* arena, const Binding& b, char* row_major) {
  T* const placed = reinterpret_cast<T*>(arena + b.offset);
  T* const rows = reinterpret_cast<T*>(row_major);
  std::vector<Axis> outer = axes_of(b);
  // The last axis, and the one that is densest in the arena, are the plane; the others go around
  // it.
  const Axis one{1, 0, 0};
  Axis last = one, fast = one;
  if (!outer.empty()) last = outer.back(), outer.pop_back();
  const auto densest = std::min_element(
      outer.begin(), outer.end(), [](const Axis& x, const Axis& y) { return x.placed < y.placed; });
  if (densest != outer.end() && densest->placed < last.placed)
    fast = *densest, outer.erase(densest);
  std::vector<std::int64_t> index(outer.size(), 0);
  std::int64_t row = 0, at = 0;
  while (true) {
    if (last.placed == 1 && fast.extent == 1) {
      const auto bytes = static_cast<std::size_t>(last.extent) * sizeof(T);
      if (into_arena)
        std::memcpy(placed + at, rows + row, bytes);
      else
        std::memcpy(rows + row, placed + at, bytes);
    } else {
      copy_plane<T, into_arena>(placed + at, rows + row, fast, last);
    }
    std::size_t axis = outer.size();
    while (true) {
      if (axis == 0) return;
      --axis;
      row += outer[axis].row;
      at += outer[axis].placed;
      if (++index[axis] < outer[axis].extent) break;
      row -= outer[axis].row * outer[axis].extent;
      at -= outer[axis].placed * outer[axis].extent;
      index[axis] = 0;
    }
  }
}

// Calls `take` with bindings that are parts of `b` of at most `most` bytes, in row-major order.
void cut(const Binding& b, std::int64_t most, const std::function<void(const Binding&)>& take) {
  const std::int64_t bytes = elements(b.shape) * size_of(b.dtype);
  const auto axis = static_cast<std::size_t>(
      std::find_if(b.shape.begin(), b.shape.end(), [](std::int64_t n) { return n > 1; }) -
      b.shape.begin());
  if (bytes <= most || axis == b.shape.size()) return take(b);
  const std::int64_t extent = b.shape[axis];
  const std::int64_t rows = std::max<std::int64_t>(1, most / (bytes / extent));
  for (std::int64_t begin = 0; begin < extent; begin += rows) {
    Binding part = b;
    part.shape[axis] = std::min(rows, extent - begin);
    part.offset += begin * b.strides[axis] * size_of(b.dtype);
    cut(part, most, take);
  }
}

template <bool into_arena>
void copy(char* arena, const Binding& b, char* row_major) {
  if (elements(b.shape) == 0) return;
  switch (size_of(b.dtype)) {
    case 1:
      return copy_elements<std::uint8_t, into_arena>(arena, b, row_major);
    case 2:
      return copy_elements<std::uint16_t, into_arena>(arena, b, row_major);
    case 4:
      return copy_elements<std::uint32_t, into_arena>(arena, b, row_major);
    case 8:
      return copy_elements<std::uint64_t, into_arena>(arena, b, row_major);
  }
  __builtin_unreachable();
}

}  // namespace

void place(char* arena, const Binding& binding, const void* row_major) {
  copy<true>(arena, binding, static_cast<char*>(const_cast<void*>(row_major)));
}

void gather(const char* arena, const Binding& binding, void* row_major) {
  copy<false>(const_cast<char*>(arena), binding, static_cast<char*>(row_major));
}

Tensor gather(const char* arena, const Binding& binding) {
  Tensor tensor(binding.dtype, binding.shape);
  gather(arena, binding, tensor.bytes.data());
  return tensor;
}

void gather_parts(const char* arena, const Binding& binding, std::size_t most,
                  const std::function<void(const char*, std::size_t)>& take) {
  std::vector<char> bytes;
  cut(binding, static_cast<std::int64_t>(most), [&](const Binding& part) {
    bytes.resize(static_cast<std::size_t>(elements(part.shape) * size_of(part.dtype)));
    gather(arena, part, bytes.data());
    take(bytes.data(), bytes.size());
  });
}

}  // namespace ganc::runtime
