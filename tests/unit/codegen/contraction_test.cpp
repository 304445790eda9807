#include <catch2/catch.hpp>

#include <random>

#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using kernel::LoopKind;
using Id = KernelBuilder::Id;

namespace {

Jit& jit() {
  static Jit jit;
  return jit;
}

// y[m][v] = sum over k of a[m][k] * b[k][v], and z = max(y, 0) + bias[m].
KernelBuilder dense(DType dtype, std::int64_t m, std::int64_t v, std::int64_t k) {
  KernelBuilder b("dense");
  const auto x = b.input("a", dtype, m * k), w = b.input("b", dtype, k * v), bias = b.input("bias", dtype, m);
  const auto y = b.output("y", dtype, m * v), z = b.output("z", dtype, m * v);
  kernel::Contraction c{.m_count = b.index(m), .v_count = b.index(v), .m_limit = m, .v_limit = v, .a_buffer = x,
                        .b_buffer = w, .a_base = b.index(0), .b_base = b.index(0), .a_m_stride = k};
  c.axes = {{k, 1, v}};
  b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
    const Id at = b.add(b.scale(i, v), j);
    b.store(y, at, sum);
    b.store(z, at, b.apply(Op::add, {b.apply(Op::maximum, {sum, b.number(0, dtype)}), b.load(bias, i)}));
  });
  return b;
}

}  // namespace

TEST_CASE("products of any shape") {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const auto draw = [&](int limit) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(limit) + 1); };
    const std::int64_t m = draw(40), v = draw(90), k = draw(30);
    const DType dtype = round % 3 ? DType::f32 : DType::f64;
    INFO("m " << m << " v " << v << " k " << k << " " << name(dtype));
    const KernelBuilder b = dense(dtype, m, v, k);
    CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 4)) == "");
  }
}
