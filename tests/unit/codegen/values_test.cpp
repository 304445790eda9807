// Every kind of value and statement in small kernels, against the reference.
#include <array>
#include <catch2/catch.hpp>

#include "compiler/ops/op.h"
#include "compiler/ops/philox.h"
#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using kernel::Accumulator;
using kernel::LoopKind;
using Id = KernelBuilder::Id;

namespace {

Jit& jit() {
  static Jit jit;
  return jit;
}

void agrees(const KernelBuilder& b, std::uint32_t seed = 1) {
  CHECK(differences(jit(), b.kernel, random_contents(b.kernel, seed)) == "");
}

// Adds y[i] = x[at(i)] for i in [0, n).
void add_reading(KernelComparison& all, std::int64_t n, std::int64_t size,
                 const std::function<Id(KernelBuilder&, Id)>& at, DType dtype = DType::f32) {
  KernelBuilder b("read");
  const auto x = b.input("x", dtype, size), y = b.output("y", dtype, n);
  b.loop(LoopKind::vector, n, [&](Id i) { b.store(y, i, b.load(x, at(b, i))); });
  all.add(b.kernel, random_contents(b.kernel, 1));
}

}  // namespace

TEST_CASE("loads with any stride read what they should and nothing beside it") {
  KernelComparison all;
  for (const std::int64_t n : {1, 2, 15, 16, 17, 32, 40, 64, 100}) {
    for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::pred, DType::bf16}) {
      add_reading(all, n, 1, [](KernelBuilder& b, Id) { return b.index(0); }, dtype);
      add_reading(
          all, n, n, [&](KernelBuilder& b, Id i) { return b.add(b.index(n - 1), b.scale(i, -1)); },
          dtype);
    }
    for (const std::int64_t stride : {2, 3, 4, 5, -2})
      add_reading(all, n, std::abs(stride) * (n - 1) + 1, [&](KernelBuilder& b, Id i) {
        return b.add(b.index(stride < 0 ? -stride * (n - 1) : 0), b.scale(i, stride));
      });
    add_reading(all, n, n, [&](KernelBuilder& b, Id i) { return b.modulo(b.scale(i, 7), n); });
    add_reading(all, n, n, [&](KernelBuilder& b, Id i) { return b.divide(b.scale(i, 3), 5); });
  }
  CHECK(all.differences(jit()) == "");
}

TEST_CASE("rows of whole vectors stay affine under division, others become gathers") {
  KernelComparison all;
  for (const std::int64_t row : {3, 16, 32, 48, 64, 100}) {
    add_reading(all, row * 5, row, [&](KernelBuilder& b, Id i) { return b.modulo(i, row); });
    add_reading(all, row * 5, 5, [&](KernelBuilder& b, Id i) { return b.divide(i, row); });
    add_reading(all, row * 5, row * 5, [&](KernelBuilder& b, Id i) {  // a transpose
      return b.add(b.scale(b.modulo(i, 5), row), b.divide(i, 5));
    });
  }
  CHECK(all.differences(jit()) == "");
}

TEST_CASE("predicated loads give 0 and touch nothing outside") {
  for (const std::int64_t n : {5, 16, 40, 64, 70}) {
    KernelBuilder b("shift");
    const auto x = b.input("x", DType::f32, n), one = b.input("one", DType::f32, 1);
    const auto y = b.output("y", DType::f32, n), z = b.output("z", DType::f32, n),
               w = b.output("w", DType::f32, n);
    b.loop(LoopKind::vector, n, [&](Id i) {
      const Id before = b.add(i, b.index(-3)), after = b.add(i, b.index(2));
      b.store(y, i,
              b.load(x, before, b.compare_index(Comparison::greater_equal, before, b.index(0))));
      b.store(z, i, b.load(x, after, b.compare_index(Comparison::less, after, b.index(n))));
      const Id far = b.scale(i, 1000);
      b.store(w, i,
              b.apply(Op::add, {b.load(x, far, b.compare_index(Comparison::less, far, b.index(n))),
                                b.load(one, b.index(0),
                                       b.compare_index(Comparison::equal, i, b.index(2)))}));
    });
    agrees(b);
    KernelBuilder s("scalars");
    const auto from = s.input("x", DType::f32, n), to = s.output("y", DType::f32, n);
    s.loop(LoopKind::serial, n, [&](Id i) {
      const Id at = s.add(i, s.index(-2));
      const Id inside = s.compare_index(Comparison::greater_equal, at, s.index(0));
      s.store(to, i, s.number(1));
      s.store(to, at, s.load(from, at, inside), inside);
    });
    agrees(s);
  }
}

TEST_CASE("values chosen by a place that all lanes share are chosen by branches") {
  for (const std::int64_t n : {5, 16, 40, 64, 70}) {
    KernelBuilder b("border");
    const auto x = b.input("x", DType::f32, 6 * n), s = b.input("s", DType::f32, n);
    const auto y = b.output("y", DType::f32, 10 * n), z = b.output("z", DType::f32, 10 * n);
    b.loop(LoopKind::serial, 10, [&](Id row) {
      b.loop(LoopKind::vector, n, [&](Id i) {
        // Rows -2 to 7 of 6, reflected at both ends; the branches share what is read of s.
        const Id scale = b.load(s, i);
        const Id low = b.compare_index(Comparison::less, row, b.index(2)),
                 high = b.compare_index(Comparison::greater, row, b.index(7));
        const auto of = [&](Id from, Id where) {
          const Id at = b.add(b.scale(from, n), i);
          return b.apply(Op::multiply, {scale, b.load(x, at, where)});
        };
        const Id inside = b.apply(Op::logical_not, {b.apply(Op::logical_or, {low, high})});
        const Id first = of(b.add(b.index(2), b.scale(row, -1)), low),
                 last = of(b.add(b.index(12), b.scale(row, -1)), high),
                 between = of(b.add(b.index(-2), row), inside);
        const Id chosen =
            b.apply(Op::select, {low, first, b.apply(Op::select, {inside, between, last})});
        const Id at = b.add(b.scale(row, n), i);
        b.store(y, at, chosen);
        // Both conditions at once, a load under one that they imply, and the other side of a
        // choice.
        const Id even = b.compare_index(Comparison::equal, b.modulo(row, 2), b.index(0));
        const Id both = b.apply(Op::logical_and, {inside, even});
        b.store(z, at,
                b.apply(Op::add, {b.apply(Op::select,
                                          {both, of(b.add(b.index(-2), row), inside), b.number(7)}),
                                  b.apply(Op::select, {even, b.number(3), chosen})}));
      });
    });
    agrees(b);
  }
}

TEST_CASE("a division whose first lanes are below 0, under a predicate") {
  for (const std::int64_t n : {5, 16, 40, 70}) {
    KernelBuilder b("every third");
    const auto x = b.input("x", DType::f32, n), y = b.output("y", DType::f32, n),
               z = b.output("z", DType::f32, n);
    b.loop(LoopKind::vector, n, [&](Id i) {
      const Id at = b.add(b.scale(i, 3), b.index(-4));
      const Id inside = b.compare_index(Comparison::greater_equal, at, b.index(0));
      b.store(y, i, b.load(x, b.divide(at, 3), inside));
      b.store(z, i, b.load(x, b.modulo(at, 3), inside));
    });
    agrees(b);
  }
}

TEST_CASE("loads backwards, under a predicate of all lanes at once") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t n : {5, 16, 40, 70}) {
      KernelBuilder b("backwards");
      const auto x = b.input("x", dtype, 2 * n), y = b.output("y", dtype, 4 * n);
      b.loop(LoopKind::serial, 4, [&](Id row) {
        const Id from = b.add(row, b.index(-1));
        const Id inside =
            b.apply(Op::logical_and, {b.compare_index(Comparison::greater_equal, from, b.index(0)),
                                      b.compare_index(Comparison::less, from, b.index(2))});
        b.loop(LoopKind::vector, n, [&](Id i) {
          const Id at = b.add(b.scale(from, n), b.add(b.index(n - 1), b.scale(i, -1)));
          b.store(y, b.add(b.scale(row, n), i),
                  b.apply(Op::select, {inside, b.load(x, at, inside), b.number(1, dtype)}));
        });
      });
      agrees(b);
    }
}

TEST_CASE("predicated stores leave the rest as it is") {
  for (const std::int64_t n : {7, 16, 65}) {
    KernelBuilder b("store_where");
    const auto x = b.input("x", DType::f32, n), p = b.input("p", DType::pred, n);
    const auto y = b.output("y", DType::f32, n), z = b.output("z", DType::pred, n + 5);
    b.loop(LoopKind::vector, n, [&](Id i) {
      b.store(y, i, b.load(x, i), b.load(p, i));
      const Id place = b.add(i, b.index(10));
      b.store(z, place, b.compare(Comparison::less, b.load(x, i), b.number(0)),
              b.compare_index(Comparison::less, place, b.index(n + 5)));
    });
    agrees(b);
  }
}

TEST_CASE("strided and scattered stores, and additions in the order of the loops") {
  for (const std::int64_t n : {5, 16, 50}) {
    KernelBuilder b("scatter");
    const auto x = b.input("x", DType::f32, n), k = b.input("k", DType::i32, n);
    const auto y = b.output("y", DType::f32, 3 * n),
               t = b.buffer("t", DType::f32, 8 * n, true, true);
    b.loop(LoopKind::vector, n, [&](Id i) { b.store(y, b.scale(i, 3), b.load(x, i)); });
    b.loop(LoopKind::serial, n, [&](Id i) {
      const Id row = b.clamp(b.to_index(b.load(k, i)), 8);
      b.loop(LoopKind::vector, n,
             [&](Id j) { b.store(t, b.add(b.scale(row, n), j), b.load(x, j), {}, true); });
      b.store(t, row, b.number(1), {}, true);
    });
    agrees(b);
  }
}

TEST_CASE("gathers clamp their indices") {
  for (const std::int64_t n : {3, 16, 33}) {
    KernelBuilder b("gather");
    const auto x = b.input("x", DType::f32, 6 * n), k = b.input("k", DType::i32, n),
               y = b.output("y", DType::f32, n);
    b.loop(LoopKind::vector, n, [&](Id i) {
      const Id row = b.clamp(b.add(b.to_index(b.load(k, i)), b.index(-1)), 6);
      b.store(y, i, b.load(x, b.add(b.scale(row, n), i)));
    });
    agrees(b);
  }
}

TEST_CASE("indices become numbers of every dtype") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::u32, DType::bf16}) {
    KernelBuilder b("iota");
    const auto y = b.output("y", dtype, 300), z = b.output("z", dtype, 300);
    b.loop(LoopKind::vector, 300, [&](Id i) {
      b.store(y, i, b.from_index(b.minimum(i, b.index(250)), dtype));
      b.store(z, i, b.from_index(b.modulo(b.scale(i, 5), 11), dtype));
    });
    agrees(b);
  }
}

TEST_CASE("an in-place kernel reads an element before it writes it") {
  for (const std::int64_t n : {1, 31, 64, 257}) {
    KernelBuilder b("in_place");
    const auto x = b.buffer("x", DType::f32, n, true, true),
               m = b.buffer("m", DType::f32, n, true, true);
    const auto g = b.input("g", DType::f32, n);
    b.loop(LoopKind::vector, n, [&](Id i) {
      const Id new_m =
          b.apply(Op::add, {b.apply(Op::multiply, {b.load(m, i), b.number(0.9)}), b.load(g, i)});
      b.store(m, i, new_m);
      b.store(x, i, b.apply(Op::subtract, {b.load(x, i), new_m}));
    });
    agrees(b);
  }
}

TEST_CASE("a later loop reads what an earlier one stored, in every iteration anew") {
  KernelBuilder b("two_passes");
  const auto x = b.input("x", DType::f32, 50), t = b.buffer("t", DType::f32, 51, true, true);
  const auto y = b.output("y", DType::f32, 50);
  b.loop(LoopKind::vector, 50,
         [&](Id i) { b.store(t, i, b.apply(Op::exponential, {b.load(x, i)})); });
  b.store(t, b.index(50), b.number(0));
  b.loop(LoopKind::serial, 50, [&](Id i) {
    const Id sum = b.apply(Op::add, {b.load(t, b.index(50)), b.load(t, i)});
    b.store(t, b.index(50), sum);
    b.store(y, i, sum);
  });
  agrees(b);
}

TEST_CASE("parallel units in any pieces, loops whose extent is a minimum, empty loops") {
  for (const std::int64_t n : {1, 100, 128, 203}) {
    KernelBuilder b("blocks");
    const auto x = b.input("x", DType::f32, n), y = b.output("y", DType::f32, n),
               s = b.output("s", DType::f32, 5);
    b.loop(LoopKind::parallel, 5, [&](Id unit) {
      const Id begin = b.scale(unit, 64), rest = b.add(b.index(n), b.scale(unit, -64));
      const Id size =
          b.minimum(b.index(64), b.add(b.index(n), b.scale(b.minimum(begin, b.index(n)), -1)));
      (void)rest;
      b.loop(LoopKind::vector, size, [&](Id i) {
        const Id at = b.add(begin, i);
        b.store(y, at, b.apply(Op::tanh, {b.load(x, at)}));
      });
      const Id sum = b.accumulator(Accumulator::Combine::sum, DType::f32, [&](std::uint32_t a) {
        b.loop(LoopKind::vector, size, [&](Id i) { b.accumulate(a, b.load(x, b.add(begin, i))); });
      });
      b.store(s, unit, sum);
    });
    agrees(b);
  }
}

TEST_CASE(
    "unrolled loops, accumulators of every dtype, two in one loop, one beside a vector loop") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::u32}) {
    for (const std::int64_t n : {3, 16, 70, 129}) {
      KernelBuilder b("accumulate");
      const auto x = b.input("x", dtype, 3 * n + 1), y = b.output("y", dtype, 6);
      for (const auto combine : {Accumulator::Combine::sum, Accumulator::Combine::maximum}) {
        Id second;
        const Id first = b.accumulator(combine, dtype, [&](std::uint32_t a) {
          second = b.accumulator(Accumulator::Combine::sum, dtype, [&](std::uint32_t c) {
            b.accumulate(c, b.load(x, b.index(3 * n)));
            b.loop(LoopKind::unroll, 3, [&](Id r) {
              b.loop(LoopKind::vector, n, [&](Id i) {
                const Id value = b.load(x, b.add(b.scale(i, 3), r));
                b.accumulate(a, value);
                b.accumulate(c, b.apply(Op::multiply, {value, value}));
              });
            });
          });
        });
        const std::int64_t at = combine == Accumulator::Combine::sum ? 0 : 2;
        b.store(y, b.index(at), first);
        b.store(y, b.index(at + 1), second);
      }
      agrees(b);
    }
  }
}

TEST_CASE("a maximum passes NaN on") {
  KernelBuilder b("maximum");
  const auto x = b.input("x", DType::f32, 40), y = b.output("y", DType::f32, 40),
             z = b.output("z", DType::f32, 1);
  b.loop(LoopKind::vector, 40,
         [&](Id i) { b.store(y, i, b.apply(Op::maximum, {b.load(x, i), b.number(0)})); });
  const Id most = b.accumulator(Accumulator::Combine::maximum, DType::f32, [&](std::uint32_t a) {
    b.loop(LoopKind::vector, 40, [&](Id i) { b.accumulate(a, b.load(x, i)); });
  });
  b.store(z, b.index(0), most);
  Contents contents = random_contents(b.kernel, 1);
  contents[0][21] = std::numeric_limits<double>::quiet_NaN();
  CHECK(differences(jit(), b.kernel, contents) == "");
}

TEST_CASE("philox is Random123's") {
  // kat_vectors of Random123. The reference draws by this function.
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox4x32_10({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  for (const std::int64_t n : {3, 16, 75}) {
    KernelBuilder b("draw");
    const auto seed = b.input("seed", DType::u32, 3), y = b.output("y", DType::u32, n);
    const auto z = b.output("z", DType::u32, 8);
    b.loop(LoopKind::vector, n, [&](Id i) {
      b.store(y, i,
              b.philox(b.load(seed, b.index(0)), b.load(seed, b.index(1)), b.load(seed, b.index(2)),
                       i, 77));
    });
    b.loop(LoopKind::serial, 8, [&](Id i) {
      const Id element = b.add(b.scale(i, std::int64_t{1} << 34), b.index(3));
      b.store(z, i,
              b.philox(b.number(5, DType::u32), b.number(6, DType::u32), b.number(7, DType::u32),
                       element, 0));
    });
    agrees(b);
  }
}

TEST_CASE("every elementwise op of every dtype agrees with its definition") {
  KernelComparison all;
  for (const OpDefinition* op : all_ops()) {
    if (!op->scalar) continue;
    for (const Sample& sample : op->samples) {
      KernelBuilder b(std::string(op->name));
      std::vector<std::uint32_t> inputs;
      for (std::size_t i = 0; i < sample.operands.size(); ++i)
        inputs.push_back(b.input("x" + std::to_string(i), sample.operands[i].type.dtype, 37));
      std::vector<Type> types;
      for (const Sample::Operand& operand : sample.operands)
        types.push_back({operand.type.dtype, {}});
      const TypeOrError type = op->type(types, sample.attributes, {sample.type.dtype, {}});
      REQUIRE(type.type);
      const auto y = b.output("y", type.type->dtype, 37);
      b.loop(LoopKind::vector, 37, [&](Id i) {
        std::vector<Id> operands;
        for (const auto input : inputs) operands.push_back(b.load(input, i));
        b.store(y, i,
                b.value({.kind = kernel::ValueKind::apply,
                         .dtype = type.type->dtype,
                         .operands = operands,
                         .op = op->op,
                         .comparison = sample.attributes.comparison}));
      });
      Contents contents = random_contents(b.kernel, 9);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (is_real(sample.operands[i].type.dtype))
          for (double& x : contents[i])
            x = rounded_to(sample.operands[i].type.dtype,
                           sample.operands[i].low +
                               (x + 2) / 4 * (sample.operands[i].high - sample.operands[i].low));
      all.add(std::move(b.kernel), std::move(contents));
    }
  }
  CHECK(all.differences(jit()) == "");
}
