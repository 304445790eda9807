#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

using Axes = std::vector<std::int64_t>;

// One number for every spatial axis, or a list with one for each.
Axes per_axis(Elaborator& e, Frame& frame, const Arguments& a, std::size_t place, std::size_t axes,
              std::int64_t otherwise, std::int64_t least, std::string_view what) {
  Axes values(axes, otherwise);
  if (!a.given(place)) return values;
  if (a[place].list()) {
    values = e.shape_of_list(frame, a[place], a.spans[place], what);
  } else {
    std::fill(values.begin(), values.end(), e.whole(frame, a[place], a.spans[place], what));
  }
  for (const std::int64_t v : values) {
    if (v < least || v > (1 << 20) || values.size() != axes) {
      e.error(frame, Kind::wrong_value, a.spans[place], what,
              fmt::format("{} numbers of at least {}", axes, least), print(values));
    }
  }
  return values;
}

struct Convolution {
  Tensor x, w;
  std::size_t axes;  // spatial
  std::int64_t groups;
};

Convolution operands(Elaborator& e, Frame& frame, const Arguments& a, std::size_t groups_place) {
  Convolution c;
  c.x = e.real_tensor(frame, a[0], a.spans[0], "`" + a.function->name + "`");
  c.w = e.real_tensor(frame, a[1], a.spans[1], "`" + a.function->name + "`");
  c.x.node = e.real_node(c.x);
  c.w.node = e.real_node(c.w);
  if (c.x.shape.size() < 2 || c.x.shape.size() > 4 || c.w.shape.size() != c.x.shape.size() + 1) {
    e.error(frame, Kind::shapes_differ, a.call, a.function->name, describe(c.x), describe(c.w));
  }
  c.axes = c.x.shape.size() - 1;
  c.groups = a.given(groups_place)
                 ? e.whole(frame, a[groups_place], a.spans[groups_place], "`groups`")
                 : 1;
  if (c.groups < 1 || c.x.shape[0] % c.groups != 0) {
    e.error(frame, Kind::wrong_value, a.spans[groups_place], "groups",
            fmt::format("a number that divides {} channels", c.x.shape[0]), c.groups);
  }
  return c;
}

// The convolution of each sample; `w` is [O, C / groups, k..], with a batch where every sample has
// its own.
Value convolve_with(Elaborator& e, Frame& frame, const Arguments& a, Convolution c,
                    const std::vector<Window>& windows) {
  Builder& b = e.b();
  const std::int64_t channels = c.x.shape[0];
  const std::int64_t filters = c.w.shape[0];
  if (c.w.shape[1] * c.groups != channels || filters % c.groups != 0) {
    e.fail(e.report_at(frame, Kind::shapes_differ, a.call, a.function->name, describe(c.x),
                       describe(c.w))
               .note(fmt::format("the kernel takes {} channels, there are {}",
                                 c.w.shape[1] * c.groups, channels)));
  }
  Shape shape = {filters};
  for (std::size_t i = 0; i < c.axes; ++i) {
    const Window& w = windows[i];
    const std::int64_t input = (c.x.shape[i + 1] - 1) * w.lhs_dilation + 1 + w.pad_low + w.pad_high;
    const std::int64_t window = (c.w.shape[i + 2] - 1) * w.rhs_dilation + 1;
    if (input < window || c.x.shape[i + 1] == 0) {
      e.fail(e.report_at(frame, Kind::shapes_differ, a.call, a.function->name, describe(c.x),
                         describe(c.w))
                 .note(fmt::format("the kernel is longer than axis {} with its padding", i + 1)));
    }
    shape.push_back((input - window) / w.stride + 1);
  }
  const std::int64_t count = e.common_count(frame, {c.x, c.w}, a.call);
  e.check_elements(frame, a.call, shape, count);
  Shape input = c.x.shape;
  Shape kernel = c.w.shape;
  std::int64_t groups = c.groups;
  NodeId x = c.x.node;
  NodeId w = c.w.node;
  if (c.w.batched()) {  // the samples become groups of one
    x = e.broadcast(frame, c.x, c.x.shape, count);
    input[0] *= count;
    kernel[0] *= count;
    groups *= count;
    w = b.reshape(w, kernel);
  }
  if (c.w.batched() || !c.x.batched()) {
    input.insert(input.begin(), 1);
    x = b.reshape(x, input);
  }
  NodeId y = b.convolution(x, w, windows, groups);
  Shape result = shape;
  if (count >= 0) result.insert(result.begin(), count);
  y = b.reshape(y, result);
  return e.make_tensor(y, shape, count);
}

Value convolve(Elaborator& e, Frame& frame, const Arguments& a) {
  Convolution c = operands(e, frame, a, 5);
  const Axes stride = per_axis(e, frame, a, 2, c.axes, 1, 1, "the stride");
  const Axes padding = per_axis(e, frame, a, 3, c.axes, 0, 0, "the padding");
  const Axes dilation = per_axis(e, frame, a, 4, c.axes, 1, 1, "the dilation");
  std::vector<Window> windows(c.axes);
  for (std::size_t i = 0; i < c.axes; ++i) {
    windows[i] = {stride[i], padding[i], padding[i], 1, dilation[i]};
  }
  return convolve_with(e, frame, a, std::move(c), windows);
}

// The shape of a kernel, [first, second / groups, k..]. Its error is about the layer's parameters.
Value kernel_shape(Elaborator& e, Frame& frame, const Arguments& a) {
  const auto positive = [&](std::size_t place, std::string_view what) {
    const std::int64_t n = e.whole(frame, a[place], a.spans[place], what);
    if (n < 1) e.error(frame, Kind::wrong_value, a.spans[place], what, "a number of at least 1", n);
    return n;
  };
  const std::int64_t first = positive(0, "`channels`");
  const std::int64_t second = positive(1, "`channels`");
  const std::int64_t groups = positive(2, "`groups`");
  if (first % groups != 0 || second % groups != 0) {
    e.error(frame, Kind::wrong_value, a.spans[2], "`groups`",
            fmt::format("a number that divides {} and {} channels", first, second), groups);
  }
  Shape shape = {first, second / groups};
  const std::int64_t axes = e.whole(frame, a[4], a.spans[4], "the number of axes");
  const Axes kernel =
      per_axis(e, frame, a, 3, static_cast<std::size_t>(std::max<std::int64_t>(axes, 0)), 1, 1,
               "the kernel");
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  return make_list(shape);
}

// [C, O / groups, k..] -> [O, C / groups, k..], reversed along the kernel: the transpose of a
// convolution is one over the input with holes.
Tensor transposed_kernel(Elaborator& e, const Convolution& c) {
  Builder& b = e.b();
  const std::int64_t g = c.groups;
  const std::int64_t in = c.w.shape[0];
  const std::int64_t out = c.w.shape[1];
  const std::int64_t first = c.w.batched() ? 1 : 0;
  Shape split = {g, in / g, out};
  split.insert(split.end(), c.w.shape.begin() + 2, c.w.shape.end());
  if (c.w.batched()) split.insert(split.begin(), c.w.count);
  Axes order;
  for (std::size_t i = 0; i < split.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
  std::swap(order[first + 1], order[first + 2]);
  Axes spatial;
  for (std::size_t i = first + 3; i < split.size(); ++i)
    spatial.push_back(static_cast<std::int64_t>(i));
  NodeId w = b.transpose(b.reshape(c.w.node, split), order);
  w = b.reverse(w, spatial);
  Shape shape = c.w.shape;
  shape[0] = g * out;
  shape[1] = in / g;
  Shape full = shape;
  if (c.w.batched()) full.insert(full.begin(), c.w.count);
  return e.make_tensor(b.reshape(w, full), shape, c.w.count);
}

Value convolve_transpose(Elaborator& e, Frame& frame, const Arguments& a) {
  Convolution c = operands(e, frame, a, 5);
  const Axes stride = per_axis(e, frame, a, 2, c.axes, 1, 1, "the stride");
  const Axes padding = per_axis(e, frame, a, 3, c.axes, 0, 0, "the padding");
  const Axes output_pad = per_axis(e, frame, a, 4, c.axes, 0, 0, "the output padding");
  if (c.w.shape[0] != c.x.shape[0]) {
    e.fail(e.report_at(frame, Kind::shapes_differ, a.call, a.function->name, describe(c.x),
                       describe(c.w))
               .note(fmt::format("the kernel takes {} channels, there are {}", c.w.shape[0],
                                 c.x.shape[0])));
  }
  std::vector<Window> windows(c.axes);
  for (std::size_t i = 0; i < c.axes; ++i) {
    const std::int64_t around = c.w.shape[i + 2] - 1 - padding[i];
    windows[i] = {1, around, around + output_pad[i], stride[i], 1};
  }
  c.w = transposed_kernel(e, c);
  return convolve_with(e, frame, a, std::move(c), windows);
}

// Every element of a window in turn, as strided slices; a window that tiles its axis is a reshape.
Value window(Elaborator& e, Frame& frame, const Arguments& a, bool greatest) {
  Builder& b = e.b();
  const Tensor t = e.real_tensor(frame, a[0], a.spans[0], "`" + a.function->name + "`");
  if (t.shape.size() < 2) e.error(frame, Kind::reduced_number, a.spans[0], a.function->name);
  const std::size_t axes = t.shape.size() - 1;
  const Axes size = per_axis(e, frame, a, 1, axes, 2, 1, "the window");
  const Axes stride = per_axis(e, frame, a, 2, axes, size[0], 1, "the stride");
  const std::size_t first = t.batched() ? 2 : 1;
  Shape shape = t.shape;
  Shape split(t.shape.begin(), t.shape.begin() + 1);
  Axes inner;
  double elements = 1;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t n = t.shape[i + 1];
    if (n < size[i] || (n - size[i]) % stride[i] != 0) {
      e.error(frame, Kind::window_differs, a.call, size[i], stride[i], describe(t));
    }
    shape[i + 1] = (n - size[i]) / stride[i] + 1;
    split.insert(split.end(), {shape[i + 1], size[i]});
    inner.push_back(static_cast<std::int64_t>(first + 2 * i + 1));
    elements *= static_cast<double>(size[i]);
  }
  NodeId x = e.real_node(t);
  if (size == stride) {
    if (t.batched()) split.insert(split.begin(), t.count);
    x = b.reshape(x, split);
    x = greatest ? b.reduce_max(x, inner) : b.reduce_sum(x, inner);
  } else {
    if (elements > 1024) e.error(frame, Kind::too_large, a.call, print(size));
    NodeId all;
    for (std::int64_t k = 0; k < static_cast<std::int64_t>(elements); ++k) {
      Axes start(b.shape(x).size(), 0);
      Axes limit(b.shape(x).begin(), b.shape(x).end());
      Axes step(start.size(), 1);
      std::int64_t rest = k;
      for (std::size_t i = axes; i-- > 0; rest /= size[i]) {
        start[first + i] = rest % size[i];
        limit[first + i] = start[first + i] + (shape[i + 1] - 1) * stride[i] + 1;
        step[first + i] = stride[i];
      }
      const NodeId part = b.slice(x, start, limit, step);
      all = !all ? part : greatest ? b.maximum(all, part) : b.add(all, part);
    }
    x = all;
  }
  if (!greatest) x = b.multiply(x, b.like(x, 1 / elements));
  return e.make_tensor(x, shape, t.count);
}

Value window_max(Elaborator& e, Frame& frame, const Arguments& a) {
  return window(e, frame, a, true);
}
Value window_mean(Elaborator& e, Frame& frame, const Arguments& a) {
  return window(e, frame, a, false);
}

}  // namespace

// [.., k] @ [k, m], [k] @ [k, m], [n, k] @ [k]; further axes in front of a matrix on the right are
// paired.
Value Elaborator::matmul(Frame& frame, const Value& a, const Value& c, Span span, Span2 sides) {
  Tensor x = real_tensor(frame, a, sides.left, "`@`");
  Tensor w = real_tensor(frame, c, sides.right, "`@`");
  x.node = real_node(x);
  w.node = real_node(w);
  const std::size_t pairs = w.shape.size() > 2 ? w.shape.size() - 2 : 0;
  bool fits = !x.shape.empty() && !w.shape.empty() && x.shape.size() > pairs;
  const std::size_t inner = w.shape.size() == 1 ? 0 : w.shape.size() - 2;
  fits = fits && x.shape.back() == w.shape[inner];
  for (std::size_t i = 0; fits && i < pairs; ++i) fits = x.shape[i] == w.shape[i];
  if (!fits) {
    fail(report_at(frame, Kind::shapes_differ, span, "@", describe(x), describe(w))
             .label(user_place(frame, sides.left), "this is " + describe(x))
             .label(user_place(frame, sides.right), "this is " + describe(w)));
  }
  const std::int64_t count = common_count(frame, {x, w}, span);
  if (w.batched() && !x.batched()) {
    x.node = broadcast(frame, x, x.shape, count);
    x.count = count;
  }
  const std::int64_t left = x.batched() ? 1 : 0;
  const std::int64_t right = w.batched() ? 1 : 0;
  Axes left_batch;
  Axes right_batch;
  if (left && right) {
    left_batch.push_back(0);
    right_batch.push_back(0);
  }
  Shape shape;
  if (pairs > 0 && left && !right) {  // pairs are batch axes on both sides: so must the samples be
    w.node = broadcast(frame, w, w.shape, count);
    w.count = count;
    return matmul(frame, x, w, span, sides);
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    left_batch.push_back(static_cast<std::int64_t>(i) + left);
    right_batch.push_back(static_cast<std::int64_t>(i) + right);
    shape.push_back(x.shape[i]);
  }
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(pairs),
               x.shape.end() - 1);
  if (w.shape.size() > 1) shape.push_back(w.shape.back());
  check_elements(frame, span, shape, count);
  const NodeId y = b().dot_general(x.node, w.node, left_batch, right_batch,
                                   {left + static_cast<std::int64_t>(x.shape.size()) - 1},
                                   {right + static_cast<std::int64_t>(inner)});
  return make_tensor(y, shape, count);
}

const std::vector<NativeRow>& contract_natives() {
  static const std::vector<NativeRow> rows = {
      {"convolve(x, w, stride = 1, pad = 0, dilation = 1, groups = 1)", convolve},
      {"convolve_transpose(x, w, stride = 1, pad = 0, output_pad = 0, groups = 1)",
       convolve_transpose},
      {"kernel_shape(first, second, groups, kernel, axes)", kernel_shape},
      {"window_max(x, size, stride = none)", window_max},
      {"window_mean(x, size, stride = none)", window_mean},
  };
  return rows;
}

}  // namespace ganc::elab
