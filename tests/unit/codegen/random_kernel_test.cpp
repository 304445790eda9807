// Random loop nests over random buffers: reference against machine code. GANC_FUZZ_ROUNDS sets how
// many, GANC_FUZZ_SEED where to begin.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using kernel::Accumulator;
using kernel::LoopKind;
using Id = KernelBuilder::Id;

namespace {

unsigned environment(const char* name, unsigned otherwise) {
  const char* wanted = std::getenv(name);
  return wanted ? static_cast<unsigned>(std::atoi(wanted)) : otherwise;
}

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed), b_("random") {}

  kernel::Kernel run() {
    for (int i = 0; i < 3; ++i)
      inputs_.push_back(b_.input("x" + std::to_string(i), DType::f32, upto(200)));
    keys_ = b_.input("k", DType::i32, upto(50));
    marks_ = b_.input("p", DType::pred, upto(50));
    const std::int64_t units = upto(4);
    b_.loop(LoopKind::parallel, units, [&](Id unit) {
      const int nests = static_cast<int>(upto(3));
      for (int i = 0; i < nests; ++i) nest(unit, units);
    });
    return std::move(b_.kernel);
  }

 private:
  std::int64_t upto(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit)) + 1;
  }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::uint32_t pick(const std::vector<std::uint32_t>& from) {
    return from[random_() % from.size()];
  }

  // A non-negative index made of the variables at hand.
  Id index(const std::vector<Id>& variables, int depth) {
    if (depth == 0 || chance(30)) return variables[random_() % variables.size()];
    const Id a = index(variables, depth - 1);
    switch (random_() % 6) {
      case 0:
        return b_.add(a, index(variables, depth - 1));
      case 1:
        return b_.scale(a, upto(5));
      case 2:
        return b_.divide(a, upto(40));
      case 3:
        return b_.modulo(a, upto(40));
      case 4:
        return b_.add(a, b_.index(upto(9)));
      default:
        return b_.minimum(a, b_.index(upto(60)));
    }
  }

  Id inside(const std::vector<Id>& variables, std::uint32_t buffer) {
    return b_.modulo(index(variables, 3), b_.kernel.buffers[buffer].elements);
  }

  Id condition(const std::vector<Id>& variables) {
    switch (random_() % 3) {
      case 0:
        return b_.load(marks_, inside(variables, marks_));
      case 1:
        return b_.compare_index(Comparison::less, index(variables, 2), b_.index(upto(50)));
      default:
        return b_.compare(Comparison::greater, number(variables, 1), b_.number(0.25));
    }
  }

  Id load(const std::vector<Id>& variables) {
    const std::uint32_t buffer = pick(inputs_);
    const std::int64_t size = b_.kernel.buffers[buffer].elements;
    switch (random_() % 4) {
      case 0: {  // may lie outside, but is not read there
        const Id at = b_.add(index(variables, 2), b_.index(-upto(5)));
        const Id low = b_.compare_index(Comparison::greater_equal, at, b_.index(0));
        const Id high = b_.compare_index(Comparison::less, at, b_.index(size));
        return b_.load(buffer, at, b_.apply(Op::logical_and, DType::pred, {low, high}));
      }
      case 1:
        return b_.load(buffer,
                       b_.clamp(b_.to_index(b_.load(keys_, inside(variables, keys_))), size));
      case 2:
        return b_.load(buffer,
                       b_.clamp(b_.add(b_.index(size), b_.scale(index(variables, 2), -1)), size));
      default:
        return b_.load(buffer, inside(variables, buffer));
    }
  }

  Id number(const std::vector<Id>& variables, int depth) {
    if (depth == 0 || chance(25)) {
      if (!known_.empty() && chance(30)) return known_[random_() % known_.size()];
      return chance(80) ? load(variables) : b_.number(static_cast<double>(upto(5)) - 2.5);
    }
    const Id a = number(variables, depth - 1);
    switch (random_() % 7) {
      case 0:
        return b_.apply(Op::add, {a, number(variables, depth - 1)});
      case 1:
        return b_.apply(Op::multiply, {a, b_.apply(Op::tanh, {number(variables, depth - 1)})});
      case 2:
        return b_.apply(Op::maximum, {a, number(variables, depth - 1)});
      case 3:
        return b_.apply(Op::select, {condition(variables), a, number(variables, depth - 1)});
      case 4:
        return b_.apply(Op::logistic, {a});
      case 5:
        return b_.apply(Op::add, {a, b_.from_index(b_.modulo(index(variables, 2), 7), DType::f32)});
      default:
        return b_.apply(Op::subtract, {a, number(variables, depth - 1)});
    }
  }

  // An output that is written once an iteration of all loops, at a place of its own.
  void nest(Id unit, std::int64_t units) {
    const std::int64_t rows = upto(5), columns = upto(80);
    const auto y = b_.buffer("y", DType::f32, units * rows * columns, true, true);
    const auto sums = b_.output("s", DType::f32, units * rows);
    b_.loop(LoopKind::serial, rows, [&](Id row) {
      const Id outer = b_.add(b_.scale(unit, rows), row);
      const auto body = [&](std::uint32_t* sum) {
        b_.loop(chance(80) ? LoopKind::vector : LoopKind::serial, columns, [&](Id column) {
          const std::vector<Id> variables = {unit, row, column};
          const std::size_t before = known_.size();
          if (chance(40)) known_.push_back(inner_sum(variables));
          const Id value = number(variables, 3);
          const Id place = b_.add(b_.scale(outer, columns), column);
          b_.store(y, place, chance(30) ? b_.apply(Op::add, {value, b_.load(y, place)}) : value,
                   chance(20) ? condition(variables) : Id{});
          if (sum) b_.accumulate(*sum, number(variables, 1));
          known_.resize(before);
        });
      };
      if (chance(50)) {
        const auto combine = chance(50) ? Accumulator::Combine::sum : Accumulator::Combine::maximum;
        const Id result =
            b_.accumulator(combine, DType::f32, [&](std::uint32_t sum) { body(&sum); });
        b_.store(sums, outer, result);
      } else {
        body(nullptr);
      }
    });
  }

  Id inner_sum(std::vector<Id> variables) {
    return b_.accumulator(Accumulator::Combine::sum, DType::f32, [&](std::uint32_t sum) {
      b_.loop(chance(70) ? LoopKind::serial : LoopKind::unroll, upto(4), [&](Id i) {
        variables.push_back(i);
        b_.accumulate(sum, number(variables, 2));
        variables.pop_back();
      });
    });
  }

  std::mt19937 random_;
  KernelBuilder b_;
  std::vector<std::uint32_t> inputs_;
  std::vector<Id> known_;
  std::uint32_t keys_ = 0, marks_ = 0;
};

}  // namespace

TEST_CASE("random kernels") {
  const unsigned rounds = environment("GANC_FUZZ_ROUNDS", 40),
                 seed = environment("GANC_FUZZ_SEED", 1);
  WARN("seed " << seed << ", " << rounds << " rounds");
  for (unsigned first = 0; first < rounds; first += 20) {
    Jit jit;
    KernelComparison all;
    for (unsigned i = first; i < std::min(first + 20, rounds); ++i) {
      kernel::Kernel kernel = Generator(seed + i).run();
      kernel.name += std::to_string(seed + i);
      Contents contents = random_contents(kernel, seed + i);
      all.add(std::move(kernel), std::move(contents));
    }
    REQUIRE(all.differences(jit, 1e-4) == "");
  }
}
