#include "tests/bench/kernels/cases.h"

#include "tests/jit/kernel_builder.h"

namespace ganc {
namespace {

using kernel::Contraction;
using kernel::LoopKind;
using Id = KernelBuilder::Id;

// y[m][v] = sum over k of a[m * a_m + k * a_k] * b[k][v], in panels of m that threads share out.
Case product(std::string name, std::int64_t m, std::int64_t v, std::int64_t k, std::int64_t a_m,
             std::int64_t a_k) {
  KernelBuilder b(std::move(name));
  const auto x = b.input("a", DType::f32, m * k), w = b.input("b", DType::f32, k * v);
  const auto y = b.output("y", DType::f32, m * v);
  const std::int64_t panel = m % 56 == 0 ? 56 : 64;
  b.loop(LoopKind::parallel, m / panel, [&](Id unit) {
    Contraction c{.m_count = b.index(panel),
                  .v_count = b.index(v),
                  .m_limit = panel,
                  .v_limit = v,
                  .a_buffer = x,
                  .b_buffer = w,
                  .a_base = b.scale(unit, panel * a_m),
                  .b_base = b.index(0),
                  .a_m_stride = a_m};
    c.axes = {{k, a_k, v}};
    b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
      const Id row = b.add(b.scale(unit, panel), i);
      b.store(y, b.add(b.scale(row, v), j), sum);
    });
  });
  return {std::move(b.kernel), 2.0 * static_cast<double>(m * v * k)};
}

struct Convolution {
  std::int64_t size, in, out, kernel, stride, pad, batch;
  std::int64_t out_size() const { return (size + 2 * pad - kernel) / stride + 1; }
};

// For each output position the (kernel position, input position) pairs inside the image.
std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> forward_taps(const Convolution& s) {
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows;
  for (std::int64_t p = 0; p < s.out_size(); ++p) {
    rows.emplace_back();
    for (std::int64_t k = 0; k < s.kernel; ++k) {
      const std::int64_t at = p * s.stride + k - s.pad;
      if (at >= 0 && at < s.size) rows.back().emplace_back(k, at);
    }
  }
  return rows;
}

// The positions that a kernel position joins: (input, output).
std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> weight_taps(const Convolution& s) {
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows;
  for (std::int64_t k = 0; k < s.kernel; ++k) {
    rows.emplace_back();
    for (std::int64_t p = 0; p < s.out_size(); ++p) {
      const std::int64_t at = p * s.stride + k - s.pad;
      if (at >= 0 && at < s.size) rows.back().emplace_back(at, p);
    }
  }
  return rows;
}

double count(const std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>& rows) {
  double total = 0;
  for (const auto& row : rows) total += static_cast<double>(row.size());
  return total;
}

// [y][x][C][N] with weights [ky][kx][C][O].
Case convolution(std::string name, const Convolution& s) {
  KernelBuilder b(std::move(name));
  const std::int64_t n = s.batch, size = s.out_size();
  const auto w = b.input("weights", DType::f32, s.kernel * s.kernel * s.in * s.out);
  const auto x = b.input("x", DType::f32, s.size * s.size * s.in * n);
  const auto y = b.output("y", DType::f32, size * size * s.out * n);
  const auto table = b.table(forward_taps(s));
  b.loop(LoopKind::parallel, size, [&](Id row) {
    b.loop(LoopKind::serial, size, [&](Id column) {
      Contraction c{.m_count = b.index(s.out),
                    .v_count = b.index(n),
                    .m_limit = s.out,
                    .v_limit = n,
                    .a_buffer = w,
                    .b_buffer = x,
                    .a_base = b.index(0),
                    .b_base = b.index(0),
                    .a_m_stride = 1};
      c.taps = {{table, row, s.kernel * s.in * s.out, s.size * s.in * n},
                {table, column, s.in * s.out, s.in * n}};
      c.axes = {{s.in, s.out, n}};
      b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
        const Id pixel = b.add(b.scale(row, size), column);
        b.store(y, b.add(b.scale(b.add(b.scale(pixel, s.out), i), n), j),
                b.apply(Op::maximum, {sum, b.number(0)}));
      });
    });
  });
  const double taps = count(forward_taps(s));
  return {std::move(b.kernel), 2.0 * taps * taps * static_cast<double>(s.in * s.out * n)};
}

// The data gradient at stride 1: a convolution with m and k exchanged, weights read along their
// rows.
Case data_gradient(std::string name, const Convolution& s) {
  KernelBuilder b(std::move(name));
  const std::int64_t n = s.batch;
  const auto w = b.input("weights", DType::f32, s.kernel * s.kernel * s.in * s.out);
  const auto dy = b.input("dy", DType::f32, s.size * s.size * s.out * n);
  const auto dx = b.output("dx", DType::f32, s.size * s.size * s.in * n);
  const auto table = b.table(forward_taps(s));
  b.loop(LoopKind::parallel, s.size, [&](Id row) {
    b.loop(LoopKind::serial, s.size, [&](Id column) {
      Contraction c{.m_count = b.index(s.in),
                    .v_count = b.index(n),
                    .m_limit = s.in,
                    .v_limit = n,
                    .a_buffer = w,
                    .b_buffer = dy,
                    .a_base = b.index(0),
                    .b_base = b.index(0),
                    .a_m_stride = s.out};
      c.taps = {{table, row, s.kernel * s.in * s.out, s.size * s.out * n},
                {table, column, s.in * s.out, s.out * n}};
      c.axes = {{s.out, 1, n}};
      b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
        const Id pixel = b.add(b.scale(row, s.size), column);
        b.store(dx, b.add(b.scale(b.add(b.scale(pixel, s.in), i), n), j), sum);
      });
    });
  });
  const double taps = count(forward_taps(s));
  return {std::move(b.kernel), 2.0 * taps * taps * static_cast<double>(s.in * s.out * n)};
}

// dW[ky][kx][C][O] from x [y][x][C][N] and dy packed to [y][x][N][O]. A row of dy after the other,
// so that what a pass over the tiles reads stays in L2.
Case weight_gradient(std::string name, const Convolution& s) {
  KernelBuilder b(std::move(name));
  const std::int64_t n = s.batch, size = s.out_size();
  const auto x = b.input("x", DType::f32, s.size * s.size * s.in * n);
  const auto dy = b.input("dy", DType::f32, size * size * n * s.out);
  const auto dw = b.buffer("dw", DType::f32, s.kernel * s.kernel * s.in * s.out, true, true);
  // By ky * size + y: the row of x, if there is one.
  std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows(
      static_cast<std::size_t>(s.kernel * size));
  const auto taps = weight_taps(s);
  for (std::size_t ky = 0; ky < taps.size(); ++ky)
    for (const auto& [in, out] : taps[ky])
      rows[ky * static_cast<std::size_t>(size) + static_cast<std::size_t>(out)] = {{in, out}};
  const auto row_table = b.table(rows), column_table = b.table(taps);
  b.loop(LoopKind::parallel, s.kernel * s.kernel, [&](Id tap) {
    b.loop(LoopKind::serial, size, [&](Id y) {
      Contraction c{.m_count = b.index(s.in),
                    .v_count = b.index(s.out),
                    .m_limit = s.in,
                    .v_limit = s.out,
                    .a_buffer = x,
                    .b_buffer = dy,
                    .a_base = b.index(0),
                    .b_base = b.index(0),
                    .a_m_stride = n};
      const Id row = b.add(b.scale(b.divide(tap, s.kernel), size), y);
      c.taps = {{row_table, row, s.size * s.in * n, size * n * s.out},
                {column_table, b.modulo(tap, s.kernel), s.in * n, n * s.out}};
      c.axes = {{n, 1, s.out}};
      const auto place = [&](Id i, Id j) {
        return b.add(b.scale(b.add(b.scale(tap, s.in), i), s.out), j);
      };
      b.contraction(
          std::move(c), [&](Id i, Id j, Id sum) { b.store(dw, place(i, j), sum); },
          [&](Id i, Id j) {
            return b.load(dw, place(i, j), b.compare_index(Comparison::greater, y, b.index(0)));
          });
    });
  });
  const double pairs = count(taps);
  return {std::move(b.kernel), 2.0 * pairs * pairs * static_cast<double>(s.in * s.out * n)};
}

}  // namespace

std::vector<Case> contraction_cases() {
  const Convolution middle{16, 64, 64, 3, 1, 1, 64}, strided{32, 64, 128, 4, 2, 1, 64},
      image{32, 3, 64, 4, 2, 1, 64};
  std::vector<Case> cases;
  cases.push_back(product("dense 784->512 forward", 512, 64, 784, 1, 512));
  cases.push_back(product("dense 784->512 data gradient", 784, 64, 512, 512, 1));
  cases.push_back(product("dense 784->512 weight gradient", 784, 512, 64, 64, 1));
  cases.push_back(convolution("conv 3x3 64->64 at 16 forward", middle));
  cases.push_back(data_gradient("conv 3x3 64->64 at 16 data gradient", middle));
  cases.push_back(weight_gradient("conv 3x3 64->64 at 16 weight gradient", middle));
  cases.push_back(convolution("conv 4x4/2 64->128 at 32 forward", strided));
  cases.push_back(weight_gradient("conv 4x4/2 64->128 at 32 weight gradient", strided));
  cases.push_back(convolution("conv 4x4/2 3->64 at 32 forward", image));
  cases.back().wide = false;
  return cases;
}

}  // namespace ganc
