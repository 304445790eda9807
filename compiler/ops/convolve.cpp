// convolution: lhs [N, C, in...], rhs [O, C / groups, k...] -> [N, O, out...]. Its two gradients
// are convolutions of the same general form, so nothing is lost at any order.
#include <algorithm>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

std::int64_t dilated(std::int64_t size, std::int64_t dilation) {
  return size == 0 ? 0 : (size - 1) * dilation + 1;
}

TypeOrError window_size(const Window& w, std::int64_t in, std::int64_t kernel, std::int64_t& out) {
  if (w.stride < 1 || w.lhs_dilation < 1 || w.rhs_dilation < 1) {
    return wrong("a stride or dilation is below 1");
  }
  if (kernel < 1) return wrong("the kernel has an axis of length 0");
  const std::int64_t padded = dilated(in, w.lhs_dilation) + w.pad_low + w.pad_high;
  const std::int64_t room = padded - dilated(kernel, w.rhs_dilation);
  out = room < 0 ? 0 : room / w.stride + 1;
  return right(DType::f32, {});
}

TypeOrError convolution_type(Types operands, const Attributes& a, const Type&) {
  const Type &lhs = operands[0], &rhs = operands[1];
  if (!is_real(lhs.dtype) || lhs.dtype != rhs.dtype) {
    return wrong("needs reals of one dtype, but got {} and {}", to_string(lhs), to_string(rhs));
  }
  const std::size_t rank = a.windows.size() + 2;
  if (lhs.shape.size() != rank || rhs.shape.size() != rank) {
    return wrong("{} windows do not fit {} and {}", a.windows.size(), to_string(lhs),
                 to_string(rhs));
  }
  if (a.groups < 1 || lhs.shape[1] != rhs.shape[1] * a.groups || rhs.shape[0] % a.groups != 0) {
    return wrong("the channels of {} and {} do not fit {} groups", to_string(lhs), to_string(rhs),
                 a.groups);
  }
  Shape shape = {lhs.shape[0], rhs.shape[0]};
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    std::int64_t out = 0;
    TypeOrError size = window_size(a.windows[i], lhs.shape[i + 2], rhs.shape[i + 2], out);
    if (!size.type) return size;
    shape.push_back(out);
  }
  return right(lhs.dtype, shape);
}

Shape with_spatial(Shape front, const Shape& from, std::size_t skip) {
  front.insert(front.end(), from.begin() + static_cast<std::ptrdiff_t>(skip), from.end());
  return front;
}

// Axes 0 and 1 exchanged, spatial axes in place.
NodeId exchange(Builder& b, NodeId x) {
  Axes permutation = counting(b.shape(x).size());
  std::swap(permutation[0], permutation[1]);
  return b.transpose(x, permutation);
}

// [g A, B, s...] -> [g B, A, s...]: channels exchanged within each group.
NodeId exchange_within_groups(Builder& b, NodeId x, std::int64_t groups) {
  if (groups == 1) return exchange(b, x);
  const Shape shape = b.shape(x);
  const std::int64_t a = shape[0] / groups, c = shape[1];
  const NodeId split = b.reshape(x, with_spatial({groups, a, c}, shape, 2));
  Axes permutation = counting(shape.size() + 1);
  std::swap(permutation[1], permutation[2]);
  return b.reshape(b.transpose(split, permutation), with_spatial({groups * c, a}, shape, 2));
}

// [N, g B, s...] -> [B, g N, s...]: the batch becomes the channels of each group.
NodeId batch_to_channels(Builder& b, NodeId x, std::int64_t groups) {
  if (groups == 1) return exchange(b, x);
  const Shape shape = b.shape(x);
  const std::int64_t n = shape[0], c = shape[1] / groups;
  const NodeId split = b.reshape(x, with_spatial({n, groups, c}, shape, 2));
  Axes permutation = counting(shape.size() + 1);
  std::swap(permutation[0], permutation[2]);
  return b.reshape(b.transpose(split, permutation), with_spatial({c, groups * n}, shape, 2));
}

// By lhs [N, C, in]: dy [N, O, out], dilated by the stride, with the reversed kernel [C, O / g, k].
NodeId by_lhs(Builder& b, const Node& node, NodeId dy) {
  const Shape in = b.shape(node.operands[0]), kernel = b.shape(node.operands[1]);
  std::vector<Window> windows;
  for (std::size_t i = 0; i < node.attributes.windows.size(); ++i) {
    const Window& w = node.attributes.windows[i];
    const std::int64_t k = dilated(kernel[i + 2], w.rhs_dilation);
    Window back = {
        .stride = w.lhs_dilation, .lhs_dilation = w.stride, .rhs_dilation = w.rhs_dilation};
    back.pad_low = k - 1 - w.pad_low;
    back.pad_high = dilated(in[i + 2], w.lhs_dilation) + k - 1 -
                    dilated(node.type.shape[i + 2], w.stride) - back.pad_low;
    windows.push_back(back);
  }
  NodeId reversed = exchange_within_groups(b, node.operands[1], node.attributes.groups);
  if (!windows.empty()) reversed = b.reverse(reversed, counting(windows.size(), 2));
  return b.convolution(dy, reversed, windows, node.attributes.groups);
}

// By rhs [O, C / g, k]: lhs as [C / g, g N, in] with dy as the kernel [O, N, out], dilated by the
// stride, gives [C / g, O, k].
NodeId by_rhs(Builder& b, const Node& node, NodeId dy) {
  const Shape in = b.shape(node.operands[0]), kernel = b.shape(node.operands[1]);
  std::vector<Window> windows;
  for (std::size_t i = 0; i < node.attributes.windows.size(); ++i) {
    const Window& w = node.attributes.windows[i];
    Window back = {.stride = w.rhs_dilation,
                   .pad_low = w.pad_low,
                   .lhs_dilation = w.lhs_dilation,
                   .rhs_dilation = w.stride};
    back.pad_high = dilated(node.type.shape[i + 2], w.stride) +
                    dilated(kernel[i + 2], w.rhs_dilation) - dilated(in[i + 2], w.lhs_dilation) -
                    w.pad_low - 1;
    windows.push_back(back);
  }
  const NodeId images = batch_to_channels(b, node.operands[0], node.attributes.groups);
  return exchange(b, b.convolution(images, exchange(b, dy), windows, node.attributes.groups));
}

Gradients convolution_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  if (element_count(node.type.shape) == 0) {
    return {b.like(node.operands[0], 0), b.like(node.operands[1], 0)};
  }
  return {by_lhs(b, node, dy), by_rhs(b, node, dy)};
}

// The outputs along one axis that kernel position k serves, and the inputs that they read: both in
// steps.
struct Taps {
  std::int64_t count = 0, out = 0, out_step = 1, in = 0, in_step = 1;
};

Taps taps(const Window& w, std::int64_t in, std::int64_t out, std::int64_t k) {
  Taps found;
  std::int64_t last_out = 0, last_in = 0;
  for (std::int64_t p = 0; p < out; ++p) {
    const std::int64_t at = p * w.stride + k * w.rhs_dilation - w.pad_low;
    if (at < 0 || at % w.lhs_dilation != 0 || at / w.lhs_dilation >= in) continue;
    const std::int64_t i = at / w.lhs_dilation;
    if (found.count == 0) found.out = p, found.in = i;
    if (found.count == 1) found.out_step = p - last_out, found.in_step = i - last_in;
    last_out = p, last_in = i;
    ++found.count;
  }
  return found;
}

// One image channel through one kernel plane into one output channel; recursion over the spatial
// axes, at most a few deep.
struct Plane {
  Shape in, kernel, out;                // strides in elements
  std::vector<std::vector<Taps>> taps;  // [axis][k]

  void add(std::size_t axis, const double* x, const double* w, double* y) const {
    if (axis == taps.size()) {
      *y += *x * *w;
      return;
    }
    for (std::size_t k = 0; k < taps[axis].size(); ++k) {
      const Taps& t = taps[axis][k];
      const double* weight = w + static_cast<std::int64_t>(k) * kernel[axis];
      const std::int64_t in_step = t.in_step * in[axis], out_step = t.out_step * out[axis];
      const double* from = x + t.in * in[axis];
      double* to = y + t.out * out[axis];
      if (axis + 1 < taps.size()) {
        for (std::int64_t j = 0; j < t.count; ++j)
          add(axis + 1, from + j * in_step, weight, to + j * out_step);
        continue;
      }
      const double factor = *weight;
      for (std::int64_t j = 0; j < t.count; ++j) to[j * out_step] += from[j * in_step] * factor;
    }
  }
};

Value convolution_reference(const Node& node, Operands operands) {
  const Value &lhs = *operands[0], &rhs = *operands[1];
  const Shape &in = lhs.type.shape, &kernel = rhs.type.shape, &out = node.type.shape;
  const auto in_strides = row_major_strides(in), kernel_strides = row_major_strides(kernel),
             out_strides = row_major_strides(out);
  Plane plane = {{in_strides.begin() + 2, in_strides.end()},
                 {kernel_strides.begin() + 2, kernel_strides.end()},
                 {out_strides.begin() + 2, out_strides.end()},
                 {}};
  for (std::size_t i = 0; i < node.attributes.windows.size(); ++i) {
    plane.taps.emplace_back();
    for (std::int64_t k = 0; k < kernel[i + 2]; ++k) {
      plane.taps[i].push_back(taps(node.attributes.windows[i], in[i + 2], out[i + 2], k));
    }
  }
  Value y = filled(node.type, 0);
  if (lhs.data.empty() || rhs.data.empty() || y.data.empty()) return y;
  const std::int64_t per_group = out[1] / node.attributes.groups;
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t o = 0; o < out[1]; ++o) {
      for (std::int64_t c = 0; c < kernel[1]; ++c) {
        const std::int64_t channel = o / per_group * kernel[1] + c;
        plane.add(0, lhs.data.data() + n * in_strides[0] + channel * in_strides[1],
                  rhs.data.data() + o * kernel_strides[0] + c * kernel_strides[1],
                  y.data.data() + n * out_strides[0] + o * out_strides[1]);
      }
    }
  }
  return y;
}

Sample convolved(Shape lhs, Shape rhs, std::vector<Window> windows, std::int64_t groups = 1) {
  return {{{f32(std::move(lhs))}, {f32(std::move(rhs))}},
          {.windows = std::move(windows), .groups = groups}};
}

std::vector<Sample> samples() {
  const Window same = {.pad_low = 1, .pad_high = 1};
  const Window half = {.stride = 2, .pad_low = 1, .pad_high = 1};
  const Window twice = {
      .pad_low = 2, .pad_high = 2, .lhs_dilation = 2};  // a transposed convolution's
  return {
      convolved({2, 3, 5}, {4, 3, 3}, {{}}),
      convolved({2, 3, 5, 4}, {4, 3, 3, 3}, {same, same}),
      convolved({2, 2, 6, 6}, {3, 2, 4, 4}, {half, half}),
      convolved({2, 2, 3, 3}, {3, 2, 4, 4}, {twice, twice}),
      convolved({1, 4, 5, 5}, {6, 2, 3, 3}, {same, half}, 2),
      convolved({2, 3, 4, 4}, {3, 1, 3, 3}, {same, same}, 3),  // depthwise
      convolved({1, 2, 9}, {2, 2, 3},
                {{.stride = 3, .pad_low = -1, .pad_high = 2, .rhs_dilation = 2}}),
      convolved(
          {1, 2, 5}, {2, 2, 2},
          {{.stride = 2, .pad_low = 3, .pad_high = -2, .lhs_dilation = 3, .rhs_dilation = 3}}),
      convolved({1, 2, 3, 4, 3}, {2, 2, 2, 3, 2}, {{}, same, half}),
      convolved({2, 3, 4, 4}, {5, 3, 1, 1}, {{}, {}}),
      convolved({2, 3}, {4, 3}, {}),
      convolved({0, 3, 4}, {2, 3, 3}, {{}}),
      convolved({2, 0, 4}, {2, 0, 3}, {{}}),
      convolved({2, 3, 2}, {2, 3, 5}, {{}}),  // no room for the kernel
      convolved({1, 1, 4}, {1, 1, 2}, {{.pad_low = -3, .pad_high = -1}}),
  };
}

const OpDefinition definitions[] = {
    {.op = Op::convolution,
     .name = "convolution",
     .op_class = OpClass::contract,
     .arity = 2,
     .type = convolution_type,
     .gradient = convolution_gradient,
     .reference = convolution_reference,
     .samples = samples(),
     .attributes = reads::windows},
};

}  // namespace

std::span<const OpDefinition> convolve_ops() {
  return definitions;
}

}  // namespace ganc
