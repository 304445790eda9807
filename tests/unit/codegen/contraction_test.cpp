#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using kernel::LoopKind;
using Id = KernelBuilder::Id;
using Rows = std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>;

namespace {

Jit& jit() {
  static Jit jit;
  return jit;
}

unsigned rounds(unsigned otherwise) {
  const char* wanted = std::getenv("GANC_FUZZ_ROUNDS");
  return wanted ? static_cast<unsigned>(std::atoi(wanted)) : otherwise;
}

class Draw {
 public:
  explicit Draw(std::uint32_t seed) : random_(seed) {}
  std::int64_t upto(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit)) + 1;
  }
  bool flip() { return random_() % 2; }

 private:
  std::mt19937 random_;
};

// y[m][v] = sum over k of a[m][k] * b[k][v], and z = max(y, 0) + bias[m].
KernelBuilder dense(DType dtype, std::int64_t m, std::int64_t v, std::int64_t k, bool transposed) {
  KernelBuilder b("dense");
  const auto x = b.input("a", dtype, m * k), w = b.input("b", dtype, k * v),
             bias = b.input("bias", dtype, m);
  const auto y = b.output("y", dtype, m * v), z = b.output("z", dtype, m * v);
  kernel::Contraction c = b.product(m, v, x, w, transposed ? 1 : k);
  c.axes = {{k, transposed ? m : 1, v}};
  b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
    const Id at = b.add(b.scale(i, v), j);
    b.store(y, at, sum);
    b.store(z, at,
            b.apply(Op::add, {b.apply(Op::maximum, {sum, b.number(0, dtype)}), b.load(bias, i)}));
  });
  return b;
}

// A convolution over [y][x][C][N] with random window, every border tap left out; y += into the
// output or anew; an epilogue of random length.
KernelBuilder convolution(Draw& draw, DType dtype) {
  const std::int64_t size = draw.upto(6), taps = draw.upto(4), in = draw.upto(5),
                     out = draw.upto(20), n = draw.upto(40);
  const std::int64_t stride = draw.upto(2), pad = draw.upto(3) - 1;
  const std::int64_t out_size = std::max<std::int64_t>((size + 2 * pad - taps) / stride + 1, 1);
  Rows rows;
  for (std::int64_t p = 0; p < out_size; ++p) {
    rows.emplace_back();
    for (std::int64_t k = 0; k < taps; ++k)
      if (const std::int64_t at = p * stride + k - pad; at >= 0 && at < size)
        rows.back().emplace_back(k, at);
  }
  KernelBuilder b("convolution");
  const auto w = b.input("w", dtype, taps * taps * in * out),
             x = b.input("x", dtype, size * size * in * n);
  const auto bias = b.input("bias", dtype, n),
             y = b.buffer("y", dtype, out_size * out_size * out * n, true, true);
  const auto table = b.table(rows);
  const bool accumulate = draw.flip(), long_epilogue = draw.flip(), m_outer = draw.flip();
  b.loop(LoopKind::parallel, out_size, [&](Id row) {
    b.loop(LoopKind::serial, out_size, [&](Id column) {
      kernel::Contraction c = b.product(out, n, w, x, 1);
      c.m_outer = m_outer;
      c.taps = {{table, row, taps * in * out, size * in * n}, {table, column, in * out, in * n}};
      c.axes = {{in, out, n}};
      const auto place = [&](Id i, Id j) {
        const Id pixel = b.add(b.scale(row, out_size), column);
        return b.add(b.scale(b.add(b.scale(pixel, out), i), n), j);
      };
      const auto epilogue = [&](Id i, Id j, Id sum) {
        Id value = b.apply(Op::add, {sum, b.load(bias, j)});
        if (long_epilogue) value = b.apply(Op::tanh, {b.apply(Op::logistic, {value})});
        b.store(y, place(i, j), value);
      };
      const auto initial = [&](Id i, Id j) { return b.load(y, place(i, j)); };
      if (accumulate)
        b.contraction(std::move(c), epilogue, initial);
      else
        b.contraction(std::move(c), epilogue);
    });
  });
  return b;
}

// y[m][v] (+)= sum over taps and k of a[m][tap][k] * b[panel of v][tap][k][v % 16] of pairs that
// the kernel makes first; with room for what tiles read around them. The products of rounded
// numbers, or of numbers in two parts. Where `known` is not drawn, fewer rows than there may be.
KernelBuilder pairs(Draw& draw) {
  const std::int64_t m = draw.upto(70), v = draw.upto(draw.flip() ? 16 : 70), steps = draw.upto(3),
                     taps = draw.upto(3);
  const bool tiles = draw.flip(), two_parts = draw.flip(), accumulate = draw.flip(),
             panels = draw.flip() && v > 16, known = draw.flip();
  const std::int64_t k = tiles ? 16 * steps : 7 * steps, parts = two_parts ? 2 : 1;
  const std::int64_t rows = m + 15, lanes = (v + 15) / 16 * 16;
  const std::int64_t tap = parts * k, panel = panels ? 16 : lanes;
  KernelBuilder b("pairs");
  const auto x = b.input("a", DType::f32, m * taps * k * 2),
             w = b.input("b", DType::f32, taps * k * 2 * v);
  const auto y = b.buffer("y", DType::f32, m * v, true, true);
  const auto a_pairs = b.local("a_pairs", DType::u32, rows * taps * tap),
             b_pairs = b.local("b_pairs", DType::u32, taps * tap * lanes);
  const auto store_pairs = [&](std::uint32_t to, Id at, std::int64_t part_stride, Id first,
                               Id second) {
    for (std::int64_t part = 0; part < parts; ++part)
      b.store(to, b.add(at, b.index(part * part_stride)),
              b.value({.kind = kernel::ValueKind::pair,
                       .dtype = DType::u32,
                       .operands = {first, second},
                       .integer = part}));
  };
  b.loop(LoopKind::serial, m * taps, [&](Id i) {
    b.loop(LoopKind::vector, k, [&](Id j) {
      const Id from = b.scale(b.add(b.scale(i, k), j), 2);
      store_pairs(a_pairs, b.add(b.scale(i, tap), j), k, b.load(x, from),
                  b.load(x, b.add(from, b.index(1))));
    });
  });
  b.loop(LoopKind::serial, taps, [&](Id i) {
    b.loop(LoopKind::serial, k, [&](Id j) {
      const Id pair = b.scale(b.add(b.scale(i, k), j), 2 * v);
      b.loop(LoopKind::vector, v, [&](Id n) {
        const Id row = b.scale(b.add(b.scale(i, tap), j), panel);
        const Id at =
            b.add(b.add(b.scale(b.divide(n, panel), taps * tap * panel), row), b.modulo(n, panel));
        store_pairs(b_pairs, at, k * panel, b.load(w, b.add(pair, n)),
                    b.load(w, b.add(pair, b.add(n, b.index(v)))));
      });
    });
  });
  Rows all;
  all.emplace_back();
  for (std::int64_t i = 0; i < taps; ++i) all.back().emplace_back(i, i);
  kernel::Contraction c = b.product(m, v, a_pairs, b_pairs, taps * tap);
  c.b_panel = panels ? panel : 0;
  c.b_panel_stride = panels ? taps * tap * panel : 0;
  c.taps = {{b.table(all), b.index(0), tap, tap * panel}};
  if (two_parts) c.taps.push_back({b.table({{{0, 1}, {0, 0}, {1, 0}}}), b.index(0), k, k * panel});
  c.axes = {{k, 1, panel}};
  c.tiles = tiles;
  const auto place = [&](Id i, Id j) { return b.add(b.scale(i, v), j); };
  const auto epilogue = [&](Id i, Id j, Id sum) { b.store(y, place(i, j), sum); };
  const auto product = [&] {
    if (accumulate)
      b.contraction(std::move(c), epilogue, [&](Id i, Id j) { return b.load(y, place(i, j)); });
    else
      b.contraction(std::move(c), epilogue);
  };
  if (known) {
    product();
    return b;
  }
  c.m_limit = m + draw.upto(70) - 1;
  b.loop(LoopKind::serial, 1, [&](Id none) {
    c.m_count = b.minimum(b.index(c.m_limit), b.add(b.index(m), none));
    product();
  });
  return b;
}

// Panels of m and v whose last is smaller, so that counts are known only when the kernel runs.
KernelBuilder panels(Draw& draw, DType dtype) {
  const std::int64_t m = draw.upto(50), v = draw.upto(90), k = draw.upto(9),
                     m_panel = draw.upto(30), v_panel = draw.upto(70);
  KernelBuilder b("panels");
  const auto x = b.input("a", dtype, m * k), w = b.input("b", dtype, k * v),
             y = b.output("y", dtype, m * v);
  const auto count = [&](Id begin, std::int64_t panel, std::int64_t all) {
    return b.minimum(b.index(panel), b.add(b.index(all), b.scale(begin, -1)));
  };
  b.loop(LoopKind::parallel, (m + m_panel - 1) / m_panel, [&](Id unit) {
    const Id m_begin = b.scale(unit, m_panel);
    b.loop(LoopKind::serial, (v + v_panel - 1) / v_panel, [&](Id part) {
      const Id v_begin = b.scale(part, v_panel);
      kernel::Contraction c{.m_count = count(m_begin, m_panel, m),
                            .v_count = count(v_begin, v_panel, v),
                            .m_limit = m_panel,
                            .v_limit = v_panel,
                            .a_buffer = x,
                            .b_buffer = w,
                            .a_base = b.scale(m_begin, k),
                            .b_base = v_begin,
                            .a_m_stride = k};
      c.axes = {{k, 1, v}};
      b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
        b.store(y, b.add(b.scale(b.add(m_begin, i), v), b.add(v_begin, j)), sum);
      });
    });
  });
  return b;
}

// Each unit stores its rows of a product, where a predicate in memory holds, and, of all that it
// makes, the sum of the squares and the greatest.
KernelBuilder summed(Draw& draw) {
  const std::int64_t m = draw.upto(50), v = draw.upto(90), k = draw.upto(20), rows = draw.upto(30),
                     lanes = draw.upto(70), units = (m + rows - 1) / rows;
  const bool dot = draw.flip(), long_epilogue = draw.flip();
  KernelBuilder b("summed");
  const auto x = b.input("a", DType::f32, m * k), w = b.input("b", DType::f32, k * v),
             asked = b.input("asked", DType::pred, 1);
  const auto y = b.buffer("y", DType::f32, m * v, true, true),
             sums = b.output("sums", DType::f32, units), most = b.output("most", DType::f32, units);
  b.loop(LoopKind::parallel, units, [&](Id unit) {
    const auto count = [&](Id begin, std::int64_t block, std::int64_t all) {
      return b.minimum(b.index(block), b.add(b.index(all), b.scale(begin, -1)));
    };
    const Id first = b.scale(unit, rows);
    Id sum;
    const Id greatest = b.accumulator(
        kernel::Accumulator::Combine::maximum, DType::f32, [&](std::uint32_t maximum) {
          sum = b.accumulator(kernel::Accumulator::Combine::sum, DType::f32,
                              [&](std::uint32_t squares) {
                                b.loop(LoopKind::serial, (v + lanes - 1) / lanes, [&](Id part) {
                                  const Id lane = b.scale(part, lanes);
                                  kernel::Contraction c{.m_count = count(first, rows, m),
                                                        .v_count = count(lane, lanes, v),
                                                        .m_limit = rows,
                                                        .v_limit = lanes,
                                                        .a_buffer = x,
                                                        .b_buffer = w,
                                                        .a_base = b.scale(first, k),
                                                        .b_base = dot ? b.scale(lane, k) : lane,
                                                        .a_m_stride = k,
                                                        .a_v_stride = 0,
                                                        .b_m_stride = 0,
                                                        .b_v_stride = dot ? k : 1,
                                                        .dot = dot};
                                  c.axes = {{k, 1, dot ? 1 : v}};
                                  b.contraction(std::move(c), [&](Id i, Id j, Id product) {
                                    Id made = product;
                                    if (long_epilogue)
                                      made = b.apply(Op::tanh, {b.apply(Op::logistic, {made})});
                                    b.accumulate(squares, b.apply(Op::multiply, {made, made}));
                                    b.accumulate(maximum, made);
                                    b.store(y, b.add(b.scale(b.add(first, i), v), b.add(lane, j)),
                                            made, b.load(asked, b.index(0)));
                                  });
                                });
                              });
        });
    b.store(sums, unit, sum);
    b.store(most, unit, greatest);
  });
  return b;
}

// y[m][v] (+)= sum over taps and k of products of which each operand may move with rows and lanes;
// as dot products along k, or with v along the lanes of b and perhaps of a.
KernelBuilder moving(Draw& draw, DType dtype) {
  const std::int64_t m = draw.upto(20), v = draw.upto(40), k = draw.upto(40), taps = draw.upto(9);
  const bool dot = draw.flip(), rows_of_b = draw.flip(), lanes_of_a = draw.flip(),
             axis = dot || draw.flip(), accumulate = draw.flip();
  const std::int64_t lanes = dot ? k : v, inner = dot ? 1 : v, steps = axis ? k : 1;
  const std::int64_t tap = dot ? v * k : v * steps, row = taps * tap;
  KernelBuilder b("moving");
  const auto x = b.input("a", dtype, m * row), w = b.input("b", dtype, m * row);
  const auto y = b.buffer("y", dtype, m * v, true, true);
  Rows rows(2);
  for (std::int64_t i = 0; i < taps; ++i)
    rows[1].emplace_back(static_cast<std::int32_t>(i), static_cast<std::int32_t>(taps - 1 - i));
  kernel::Contraction c = b.product(m, v, x, w, row);
  c.a_v_stride = lanes_of_a ? (dot ? lanes : 1) : 0;
  c.b_m_stride = rows_of_b ? row : 0;
  c.b_v_stride = dot ? lanes : 1;
  c.dot = dot;
  c.taps = {{b.table(rows), b.index(draw.upto(20) > 1), tap, tap}};
  if (axis) c.axes = {{k, inner, inner}};
  const auto place = [&](Id i, Id j) { return b.add(b.scale(i, v), j); };
  const auto epilogue = [&](Id i, Id j, Id sum) { b.store(y, place(i, j), sum); };
  if (accumulate)
    b.contraction(std::move(c), epilogue, [&](Id i, Id j) { return b.load(y, place(i, j)); });
  else
    b.contraction(std::move(c), epilogue);
  return b;
}

}  // namespace

TEST_CASE("products of any shape") {
  Draw draw(3);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(30); ++round) {
    const std::int64_t m = draw.upto(40), v = draw.upto(90), k = draw.upto(30);
    const KernelBuilder b = dense(round % 3 ? DType::f32 : DType::f64, m, v, k, draw.flip());
    all.add(b.kernel, random_contents(b.kernel, 4));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("convolutions of any shape") {
  Draw draw(5);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(30); ++round) {
    const KernelBuilder b = convolution(draw, round % 3 ? DType::f32 : DType::f64);
    all.add(b.kernel, random_contents(b.kernel, 6));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("products of pairs of bf16, in vectors and in tiles") {
  Draw draw(9);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(60); ++round) {
    const KernelBuilder b = pairs(draw);
    all.add(b.kernel, random_contents(b.kernel, 10));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("products whose counts are known only when they run") {
  Draw draw(7);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(20); ++round) {
    const KernelBuilder b = panels(draw, round % 3 ? DType::f32 : DType::f64);
    all.add(b.kernel, random_contents(b.kernel, 8));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("a product with strided rows, two reduced axes, far steps and an empty sum") {
  // Of rows: less than a cache line, one, more.
  const std::int64_t stride = GENERATE(2, 16, 20, 40);
  const std::int64_t rows = GENERATE(3, 5);
  KernelBuilder b("axes");
  const auto x = b.input("a", DType::f32, 20000), w = b.input("b", DType::f32, 20000);
  const auto y = b.output("y", DType::f32, 5 * 20), z = b.output("z", DType::f32, 5 * 20);
  const auto table = b.table({{{0, 0}, {1, 2}}, {}});
  for (const std::int64_t row : {0, 1}) {
    kernel::Contraction c{.m_count = b.index(rows),
                          .v_count = b.index(20),
                          .m_limit = rows,
                          .v_limit = 20,
                          .a_buffer = x,
                          .b_buffer = w,
                          .a_base = b.index(7),
                          .b_base = b.index(3),
                          .a_m_stride = stride};
    c.taps = {{table, b.index(row), 11, 13}};
    c.axes = {{4, 1000, 300}, {9, 300, 20}};
    b.contraction(std::move(c),
                  [&](Id i, Id j, Id sum) { b.store(row ? z : y, b.add(b.scale(i, 20), j), sum); });
  }
  CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 1), 1e-4) == "");
}

TEST_CASE("products of which both operands move with rows and lanes, and dot products") {
  Draw draw(13);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(60); ++round) {
    const KernelBuilder b = moving(draw, round % 3 ? DType::f32 : DType::f64);
    all.add(b.kernel, random_contents(b.kernel, 14));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("what a product makes is added up, and stored where it is asked for") {
  Draw draw(11);
  KernelComparison all;
  for (unsigned round = 0; round < rounds(30); ++round) {
    const KernelBuilder b = summed(draw);
    all.add(b.kernel, random_contents(b.kernel, round));
  }
  CHECK(all.differences(jit(), 1e-4) == "");
}

TEST_CASE("a product over taps in no regular order") {
  KernelBuilder b("taps");
  const auto x = b.input("a", DType::f32, 4000), w = b.input("b", DType::f32, 4000);
  const auto y = b.output("y", DType::f32, 3 * 5 * 20);
  const auto table = b.table({{{0, 0}, {1, 2}, {5, 3}}, {}, {{7, 1}, {2, 2}, {2, 9}}});
  for (const std::int64_t row : {0, 1, 2}) {
    kernel::Contraction c{.m_count = b.index(5),
                          .v_count = b.index(20),
                          .m_limit = 5,
                          .v_limit = 20,
                          .a_buffer = x,
                          .b_buffer = w,
                          .a_base = b.index(7),
                          .b_base = b.index(3),
                          .a_m_stride = 2};
    c.taps = {{table, b.index(row), 11, 13}};
    c.axes = {{9, 300, 20}};
    b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
      b.store(y, b.add(b.add(b.scale(i, 20), j), b.index(row * 100)), sum);
    });
  }
  CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 1), 1e-4) == "");
}

// As panels every vector of 16 is contiguous along k; partial results in local memory.
TEST_CASE("a product of panels through local memory") {
  for (const std::int64_t v : {16, 24, 40, 64}) {
    const std::int64_t m = 7, k = 9, panels = (v + 15) / 16;
    KernelBuilder b("panels");
    const auto x = b.input("a", DType::f32, m * k), w = b.input("b", DType::f32, panels * k * 16);
    const auto y = b.output("y", DType::f32, 2 * m * v);
    const auto sums = b.local("sums", DType::f32, m * v + 3),
               more = b.local("more", DType::f32, m * v);
    b.loop(LoopKind::parallel, 2, [&](Id unit) {
      for (const bool adds : {false, true}) {
        kernel::Contraction c{.m_count = b.index(m),
                              .v_count = b.index(v),
                              .m_limit = m,
                              .v_limit = v,
                              .a_buffer = x,
                              .b_buffer = w,
                              .a_base = b.index(0),
                              .b_base = b.index(0),
                              .a_m_stride = k,
                              .b_panel = 16,
                              .b_panel_stride = k * 16,
                              .a_ahead = adds ? m * k : 0};
        c.axes = {{k, 1, 16}};
        const auto at = [&](Id i, Id j) { return b.add(b.scale(i, v), j); };
        b.contraction(
            std::move(c), [&](Id i, Id j, Id sum) { b.store(adds ? more : sums, at(i, j), sum); },
            adds ? std::function<Id(Id, Id)>([&](Id i, Id j) { return b.load(sums, at(i, j)); })
                 : nullptr);
      }
      b.loop(LoopKind::vector, m * v,
             [&](Id i) { b.store(y, b.add(b.scale(unit, m * v), i), b.load(more, i)); });
    });
    CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 1), 1e-4) == "");
  }
}

TEST_CASE("a product with one column whose epilogue does not mention it") {
  KernelBuilder b("column");
  const auto x = b.input("a", DType::f32, 7 * 9), w = b.input("b", DType::f32, 9),
             y = b.output("y", DType::f32, 7);
  kernel::Contraction c = b.product(7, 1, x, w, 9);
  c.axes = {{9, 1, 1}};
  b.contraction(std::move(c), [&](Id i, Id, Id sum) { b.store(y, i, sum); });
  CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 1), 1e-4) == "");
}
