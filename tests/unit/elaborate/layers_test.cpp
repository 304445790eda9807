#include <cmath>

#include "tests/unit/elaborate/forward.h"

namespace ganc::testing {
namespace {

struct Convolution {
  std::size_t axes, channels, filters, length, kernel, stride, pad, dilation, groups;
};

// [n, c, length^axes] with [o, c / g, kernel^axes], each output by its definition.
Numbers convolve(const Convolution& c, std::size_t samples, const Numbers& x, const Numbers& w,
                 const Numbers& bias, std::size_t* length_out) {
  const std::size_t out = (c.length + 2 * c.pad - (c.kernel - 1) * c.dilation - 1) / c.stride + 1;
  *length_out = out;
  const auto power = [&](std::size_t n) {
    return static_cast<std::size_t>(std::lround(std::pow(n, c.axes)));
  };
  Numbers y;
  for (std::size_t n = 0; n < samples; ++n) {
    for (std::size_t o = 0; o < c.filters; ++o) {
      for (std::size_t p = 0; p < power(out); ++p) {
        double sum = bias[o];
        const std::size_t per_group = c.channels / c.groups;
        for (std::size_t i = 0; i < per_group; ++i) {
          for (std::size_t k = 0; k < power(c.kernel); ++k) {
            std::size_t at = 0;
            bool inside = true;
            std::size_t pr = p, kr = k, scale = 1;
            for (std::size_t a = 0; a < c.axes; ++a) {  // the last axis first
              const auto q = static_cast<std::ptrdiff_t>((pr % out) * c.stride +
                                                         (kr % c.kernel) * c.dilation) -
                             static_cast<std::ptrdiff_t>(c.pad);
              inside = inside && q >= 0 && q < static_cast<std::ptrdiff_t>(c.length);
              at += inside ? static_cast<std::size_t>(q) * scale : 0;
              scale *= c.length;
              pr /= out;
              kr /= c.kernel;
            }
            const std::size_t channel = o / (c.filters / c.groups) * per_group + i;
            if (inside) {
              sum += x[(n * c.channels + channel) * power(c.length) + at] *
                     w[(o * per_group + i) * power(c.kernel) + k];
            }
          }
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

std::string dims(std::size_t axes, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < axes; ++i) text += fmt::format(", {}", length);
  return text;
}

TEST_CASE("a dense layer is a product and a sum") {
  Forward f("net F(x: [2, 3]) { dense(x, 2) }");
  const Numbers x = numbers(12), w = numbers(6, -1, 1, 2), b = {0.5, -1};
  Numbers expected;
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t u = 0; u < 2; ++u) {
      double sum = b[u];
      for (std::size_t k = 0; k < 3; ++k) sum += x[r * 3 + k] * w[k * 2 + u];
      expected.push_back(sum);
    }
  }
  f.set("arg/x", x).set("variable/F.dense.w", w).set("variable/F.dense.b", b);
  check_close(f.run(), expected);
}

TEST_CASE("convolutions in one to three dimensions are their definition") {
  for (const Convolution& c :
       {Convolution{1, 2, 4, 7, 3, 2, 1, 1, 1}, Convolution{2, 2, 3, 5, 3, 1, 1, 1, 1},
        Convolution{2, 4, 4, 6, 2, 2, 0, 1, 2}, Convolution{2, 1, 2, 7, 3, 1, 2, 2, 1},
        Convolution{3, 2, 2, 3, 2, 1, 1, 1, 1}}) {
    INFO(c.axes << " axes");
    Forward f(fmt::format(
        "net F(x: [{}{}]) {{ conv(x, {}, {}, {}, {}, dilation = {}, groups = {}) }}", c.channels,
        dims(c.axes, c.length), c.filters, c.kernel, c.stride, c.pad, c.dilation, c.groups));
    const Type& w_type = f.input("variable/F.conv.w");
    const Numbers w = numbers(static_cast<std::size_t>(element_count(w_type.shape)), -1, 1, 2);
    const Numbers x = numbers(static_cast<std::size_t>(element_count(f.input("arg/x").shape)));
    const Numbers b = numbers(c.filters, -1, 1, 3);
    f.set("arg/x", x).set("variable/F.conv.w", w).set("variable/F.conv.b", b);
    std::size_t out = 0;
    check_close(f.run(), convolve(c, 2, x, w, b, &out));
  }
}

// <deconv(x), y> = <x, conv(y)> with the same kernel: each is the transpose of the other.
TEST_CASE("a transposed convolution is the transpose of the convolution") {
  struct Case {
    std::size_t axes, in, out, length, kernel, stride, pad, output_pad, groups;
  };
  for (const Case& c : {Case{1, 2, 3, 4, 5, 2, 2, 1, 1}, Case{2, 2, 3, 3, 4, 2, 1, 0, 1},
                        Case{2, 4, 2, 3, 3, 1, 0, 0, 2}, Case{3, 1, 2, 2, 3, 2, 1, 1, 1}}) {
    INFO(c.axes << " axes");
    Forward f(fmt::format("net F(x: [{}{}]) {{ deconv(x, {}, {}, {}, {}, output_pad = {}, groups = "
                          "{}, bias = false) }}",
                          c.in, dims(c.axes, c.length), c.out, c.kernel, c.stride, c.pad,
                          c.output_pad, c.groups),
              1);
    const std::size_t long_out = (c.length - 1) * c.stride + c.kernel - 2 * c.pad + c.output_pad;
    const auto power = [&](std::size_t n) {
      return static_cast<std::size_t>(std::lround(std::pow(n, c.axes)));
    };
    const Numbers x = numbers(c.in * power(c.length));
    const Numbers w = numbers(c.in * c.out / c.groups * power(c.kernel), -1, 1, 2);
    const Numbers y = numbers(c.out * power(long_out), -1, 1, 3);
    const Numbers got = f.set("arg/x", x).set("variable/F.deconv.w", w).run();
    REQUIRE(got.size() == y.size());
    const Convolution back{c.axes, c.out, c.in, long_out, c.kernel, c.stride, c.pad, 1, c.groups};
    std::size_t length = 0;
    const Numbers transposed = convolve(back, 1, y, w, Numbers(c.in, 0), &length);
    REQUIRE(length == c.length);
    double left = 0, right = 0;
    for (std::size_t i = 0; i < y.size(); ++i) left += got[i] * y[i];
    for (std::size_t i = 0; i < x.size(); ++i) right += x[i] * transposed[i];
    CHECK(left == Approx(right).epsilon(1e-10));
  }
}

TEST_CASE("a kernel for each sample is the convolution of each sample") {
  Forward f("net F(x: [2, 4, 4], w: [3, 2, 3, 3]) { convolve(x, w, pad = 1) }");
  const Numbers x = numbers(64), w = numbers(108, -1, 1, 2);
  const Numbers got = f.set("arg/x", x).set("arg/w", w).run();
  Numbers expected;
  for (std::size_t n = 0; n < 2; ++n) {
    std::size_t out = 0;
    const Numbers one = convolve(
        {2, 2, 3, 4, 3, 1, 1, 1, 1}, 1, Numbers(x.begin() + 32 * n, x.begin() + 32 * (n + 1)),
        Numbers(w.begin() + 54 * n, w.begin() + 54 * (n + 1)), {0, 0, 0}, &out);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  check_close(got, expected);
}

TEST_CASE("an embedding is a row of its table") {
  Forward f("net F(y: class[3]) { embedding(y, 2) }");
  check_close(f.set("arg/y", {2, 1}).set("variable/F.embedding.w", {1, 2, 3, 4, 5, 6}).run(),
              {5, 6, 3, 4});
}

struct Moments {
  double mean = 0, variance = 0;
};
Moments moments(const Numbers& x, const std::function<bool(std::size_t)>& in) {
  Moments m;
  double n = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (in(i)) m.mean += x[i], ++n;
  }
  m.mean /= n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (in(i)) m.variance += (x[i] - m.mean) * (x[i] - m.mean);
  }
  m.variance /= n;
  return m;
}

// x is [2 samples, 4 channels, 3]; `group` says which elements are normalised together.
void check_normalised(const std::string& call, const std::string& weights, bool affine,
                      const std::function<std::size_t(std::size_t)>& group) {
  INFO(call);
  Forward f("net F(x: [4, 3]) { " + call + " }");
  const Numbers x = numbers(24), gain = numbers(4, 0.5, 2, 2), bias = numbers(4, -1, 1, 3);
  f.set("arg/x", x);
  if (affine)
    f.set("variable/F." + weights + ".gain", gain).set("variable/F." + weights + ".bias", bias);
  Numbers expected;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Moments m = moments(x, [&](std::size_t j) { return group(j) == group(i); });
    const double h = (x[i] - m.mean) / std::sqrt(m.variance + 1e-5);
    expected.push_back(affine ? h * gain[i / 3 % 4] + bias[i / 3 % 4] : h);
  }
  check_close(f.run(), expected);
}

TEST_CASE("normalisations take mean and variance of their group") {
  check_normalised("batchnorm(x, training = true)", "batchnorm", true,
                   [](std::size_t i) { return i / 3 % 4; });
  check_normalised("layernorm(x)", "layernorm", true, [](std::size_t i) { return i / 12; });
  check_normalised("groupnorm(x, 2)", "groupnorm", true, [](std::size_t i) { return i / 6; });
  check_normalised("instancenorm(x)", "", false, [](std::size_t i) { return i / 3; });
}

TEST_CASE("batch norm evaluates with its running statistics") {
  Forward f("net F(x: [2, 2]) { batchnorm(x) }");
  const Numbers x = numbers(8);
  f.set("arg/x", x)
      .set("variable/F.batchnorm.running_mean", {0.5, -1})
      .set("variable/F.batchnorm.running_var", {2, 3});
  f.set("variable/F.batchnorm.gain", {1.5, 2}).set("variable/F.batchnorm.bias", {0.1, 0.2});
  Numbers expected;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t c = i / 2 % 2;
    expected.push_back((x[i] - (c ? -1 : 0.5)) / std::sqrt((c ? 3 : 2) + 1e-5) * (c ? 2 : 1.5) +
                       (c ? 0.2 : 0.1));
  }
  check_close(f.run(), expected);
}

TEST_CASE("conditional batch norm takes gain and bias from its condition") {
  Forward f("net F(x: [2], c: [1]) { conditional_batchnorm(x, c) }");
  f.set("arg/x", {1, 2, 3, 4}).set("arg/c", {1, 2});
  f.set("variable/F.conditional_batchnorm.gain.w", {0.5, 1})
      .set("variable/F.conditional_batchnorm.bias.w", {3, 4});
  const double s = 1 / std::sqrt(1 + 1e-5);
  check_close(f.run(), {1 * s * 1.5 + 3, 2 * s * 2 + 4, 3 * s * 2 + 6, 4 * s * 3 + 8});
}

TEST_CASE("pixel norm, the spread of a minibatch, dropout in evaluation") {
  Forward p("net F(x: [2, 1]) { pixelnorm(x) }", 1);
  const double rms = std::sqrt((9.0 + 16.0) / 2 + 1e-8);
  check_close(p.set("arg/x", {3, 4}).run(), {3 / rms, 4 / rms});
  Forward m("net F(x: [1, 1, 1]) { minibatch_std(x, 2) }", 2);
  check_close(m.set("arg/x", {1, 5}).run(), {1, std::sqrt(4 + 1e-8), 5, std::sqrt(4 + 1e-8)});
  Forward d("net F(x: [3]) { dropout(x, 0.4) }", 1);
  check_close(d.set("arg/x", {1, 2, 3}).run(), {1, 2, 3});
}

TEST_CASE("dropout in training keeps and scales") {
  Forward d("net F(x: [1000]) { dropout(x, 0.25, training = true) }", 1);
  const Numbers y = d.set("arg/x", Numbers(1000, 3)).run();
  std::size_t kept = 0;
  for (const double v : y) {
    CHECK((v == 0 || std::abs(v - 4) < 1e-12));
    kept += v != 0;
  }
  CHECK(kept > 690);
  CHECK(kept < 810);
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST_CASE("recurrent layers are loops over one cell") {
  const Numbers w = numbers(3 * 8, -1, 1, 2), b = numbers(8, -1, 1, 3), x = numbers(3);
  const auto lstm = [&](bool backward, std::size_t length) {
    Numbers h(2, 0), c(2, 0), all(6);
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t t = backward ? 2 - k : k;
      Numbers a = b;
      const Numbers in = {x[t], h[0], h[1]};
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 8; ++j) a[j] += in[i] * w[i * 8 + j];
      }
      for (std::size_t m = 0; m < 2 && t < length; ++m) {
        c[m] = sigmoid(a[2 + m]) * c[m] + sigmoid(a[m]) * std::tanh(a[4 + m]);
        h[m] = sigmoid(a[6 + m]) * std::tanh(c[m]);
      }
      all[2 * t] = h[0];
      all[2 * t + 1] = h[1];
    }
    return all;
  };
  for (const bool backward : {false, true}) {
    for (const std::size_t length : {3, 2}) {
      Forward f(
          fmt::format("net F(x: [3, 1]) {{ lstm(x, 2, {}, backward = {}) }}", length, backward), 1);
      f.set("arg/x", x)
          .set("variable/F.lstm.cell.dense.w", w)
          .set("variable/F.lstm.cell.dense.b", b);
      check_close(f.run(), lstm(backward, length));
    }
  }
  Forward g("net F(x: [1], h: [1]) { gru_cell(x, h) }", 1);
  g.set("arg/x", {0.3}).set("arg/h", {0.7});
  g.set("variable/F.gru_cell.dense.w", {0.1, 0.2, 0.3, 0.4})
      .set("variable/F.gru_cell.dense.b", {0.5, 0.6});
  g.set("variable/F.gru_cell.dense_2.w", {0.7, 0.8}).set("variable/F.gru_cell.dense_2.b", {0.9});
  const double g0 = sigmoid(0.3 * 0.1 + 0.7 * 0.3 + 0.5), g1 = sigmoid(0.3 * 0.2 + 0.7 * 0.4 + 0.6);
  const double h2 = std::tanh(0.3 * 0.7 + g0 * 0.7 * 0.8 + 0.9);
  check_close(g.run(), {0.7 + g1 * (h2 - 0.7)});
}

TEST_CASE("attention without gain is the identity, and with one adds what it attends to") {
  Forward f("net F(x: [2, 2, 2]) { attention(x, 1) }", 1);
  const Numbers x = numbers(8);
  f.set("arg/x", x);
  check_close(f.run(), x);
  f.set("variable/F.attention.gain", {2})
      .set("variable/F.attention.conv_3.w", {1, 0})
      .set("variable/F.attention.conv_4.w", {1, 3});
  // One key: the attention is all on it, whatever the query; its value is the greatest of the first
  // channel.
  const double v = *std::max_element(x.begin(), x.begin() + 4);
  Numbers expected = x;
  for (std::size_t i = 0; i < 8; ++i) expected[i] += 2 * v * (i < 4 ? 1 : 3);
  check_close(f.run(), expected);
}

TEST_CASE("augmentation with probability 0 changes nothing") {
  Forward f("net F(x: [3, 4, 4]) { augment(x, 0) }");
  const Numbers x = numbers(96);
  check_close(f.set("arg/x", x).run(), x, 1e-9);
}

TEST_CASE("transformations of weights") {
  const Numbers x = numbers(4), w = numbers(6, -1, 1, 2), u = {0.6, -0.3, 0.74};
  const auto dense = [&](const Numbers& weight) {
    Numbers y;
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t j = 0; j < 3; ++j)
        y.push_back(x[2 * n] * weight[j] + x[2 * n + 1] * weight[3 + j]);
    }
    return y;
  };
  Forward sn("net F(x: [2]) with spectral_norm { dense(x, 3, bias = false) }");
  sn.set("arg/x", x).set("variable/F.dense.w", w).set("variable/F.dense.w.spectral_norm.u", u);
  Numbers v(2, 0), u2(3, 0);  // m = transpose(w) is [3, 2]
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t j = 0; j < 3; ++j) v[k] += u[j] * w[k * 3 + j];
  const double nv = std::sqrt(v[0] * v[0] + v[1] * v[1] + 1e-12);
  for (double& e : v) e /= nv;
  for (std::size_t j = 0; j < 3; ++j) u2[j] = w[j] * v[0] + w[3 + j] * v[1];
  const double nu = std::sqrt(u2[0] * u2[0] + u2[1] * u2[1] + u2[2] * u2[2] + 1e-12);
  double sigma = 0;
  for (std::size_t j = 0; j < 3; ++j) sigma += u2[j] / nu * u2[j];
  Numbers scaled = w;
  for (double& e : scaled) e /= sigma;
  check_close(sn.run(), dense(scaled));

  Forward wn("net F(x: [2]) with weight_norm { dense(x, 3, bias = false) }");
  const Numbers g = {1, 2, 3};
  wn.set("arg/x", x).set("variable/F.dense.w", w).set("variable/F.dense.w.weight_norm.g", g);
  Numbers normed = w;
  for (std::size_t i = 0; i < 6; ++i) normed[i] *= g[i % 3] / std::hypot(w[i % 3], w[3 + i % 3]);
  check_close(wn.run(), dense(normed));

  Forward eq("net F(x: [2]) { dense(x, 3, bias = false) with equalized(gain = 3) }");
  eq.set("arg/x", x).set("variable/F.dense.w.equalized.v", w);
  CHECK_FALSE(eq.has_input("variable/F.dense.w"));
  Numbers larger = w;
  for (double& e : larger) e *= 3 / std::sqrt(2.0);
  check_close(eq.run(), dense(larger));
}

TEST_CASE("weight norm starts with the declared weight") {
  Forward wn("net F(x: [2]) with weight_norm { dense(x, 3, bias = false) }");
  Forward plain("net F(x: [2]) { dense(x, 3, bias = false) }");
  const Numbers x = numbers(4);
  check_close(wn.set("arg/x", x).run(), plain.set("arg/x", x).run());
}

}  // namespace
}  // namespace ganc::testing
