#include <catch2/catch.hpp>

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

}  // namespace

TEST_CASE("a vector loop of any extent adds two buffers") {
  KernelComparison all;
  for (std::int64_t n = 0; n <= 140; n += n < 40 ? 1 : 13) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      KernelBuilder b("add");
      const auto x = b.input("x", dtype, n), y = b.input("y", dtype, n),
                 z = b.output("z", dtype, n);
      b.loop(LoopKind::vector, n,
             [&](Id i) { b.store(z, i, b.apply(Op::add, {b.load(x, i), b.load(y, i)})); });
      all.add(b.kernel, random_contents(b.kernel, 1));
    }
  }
  CHECK(all.differences(jit()) == "");
}

TEST_CASE("a sum along a vector loop, and one across serial loops inside it") {
  for (const std::int64_t n : {1, 5, 16, 33, 64, 200}) {
    KernelBuilder b("sum");
    const auto x = b.input("x", DType::f32, 7 * n);
    const auto rows = b.output("rows", DType::f32, 7), columns = b.output("columns", DType::f32, n);
    b.loop(LoopKind::serial, 7, [&](Id r) {
      const Id sum =
          b.accumulator(kernel::Accumulator::Combine::sum, DType::f32, [&](std::uint32_t s) {
            b.loop(LoopKind::vector, n,
                   [&](Id i) { b.accumulate(s, b.load(x, b.add(b.scale(r, n), i))); });
          });
      b.store(rows, r, sum);
    });
    b.loop(LoopKind::vector, n, [&](Id i) {
      const Id most =
          b.accumulator(kernel::Accumulator::Combine::maximum, DType::f32, [&](std::uint32_t s) {
            b.loop(LoopKind::serial, 7,
                   [&](Id r) { b.accumulate(s, b.load(x, b.add(b.scale(r, n), i))); });
          });
      b.store(columns, i, most);
    });
    CHECK(differences(jit(), b.kernel, random_contents(b.kernel, 2)) == "");
  }
}
