// Largest errors of the elementary functions in f32, in units in the last place against long
// double.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using Id = KernelBuilder::Id;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

Jit& jit() {
  static Jit jit;
  return jit;
}

std::vector<float> evaluate(Op op, const std::vector<float>& x, Isa isa) {
  const auto n = static_cast<std::int64_t>(x.size());
  KernelBuilder b("f");
  const auto from = b.input("x", DType::f32, n), to = b.output("y", DType::f32, n);
  b.loop(kernel::LoopKind::vector, n,
         [&](Id i) { b.store(to, i, b.apply(op, {b.load(from, i)})); });
  Contents contents = {std::vector<double>(x.begin(), x.end()), std::vector<double>(x.size())};
  run_compiled(b.kernel, jit().add(b.kernel, {.isa = isa}), contents);
  return {contents[1].begin(), contents[1].end()};
}

// Numbers spread evenly over the bit patterns of [low, high], so over all magnitudes.
std::vector<float> sweep(float low, float high, int count) {
  const auto ordered = [](float x) {
    std::int32_t bits = 0;
    std::memcpy(&bits, &x, 4);
    return bits < 0 ? std::int64_t{INT32_MIN} - bits : std::int64_t{bits};
  };
  const std::int64_t from = ordered(low), to = ordered(high);
  std::vector<float> numbers;
  for (int i = 0; i < count; ++i) {
    const std::int64_t at = from + (to - from) * i / (count - 1);
    const auto bits = static_cast<std::int32_t>(at < 0 ? INT32_MIN - at : at);
    float x = 0;
    std::memcpy(&x, &bits, 4);
    numbers.push_back(x);
  }
  for (int i = 0; i < count; ++i)
    numbers.push_back(low + (high - low) * static_cast<float>(i) / static_cast<float>(count));
  return numbers;
}

double error_in_ulp(float got, long double want) {
  const auto rounded = static_cast<float>(want);
  if (std::isnan(got) || std::isinf(got) || std::isinf(rounded)) {
    const bool same = std::isnan(got) ? std::isnan(rounded) : got == rounded;
    // One side of the largest number, the other infinite: as if the numbers went on.
    if (!same && std::isinf(got) != std::isinf(rounded) && std::abs(want) > 3.4028e38L) return 1;
    return same ? 0 : 1e9;
  }
  const long double ulp = std::max(
      static_cast<long double>(std::nextafter(std::abs(rounded), infinity)) - std::abs(rounded),
      0x1p-149L);
  return static_cast<double>(std::abs(static_cast<long double>(got) - want) / ulp);
}

struct Function {
  Op op;
  long double (*exact)(long double);
  float low, high;
  double ulp;
};

}  // namespace

TEST_CASE("elementary functions in f32 keep the errors that math32.h states") {
  const Function functions[] = {
      {Op::exponential, std::exp, -110, 89, 1.5},
      {Op::exponential_minus_one, std::expm1, -40, 89, 2},
      {Op::log, std::log, 0, 3.4e38f, 1},
      {Op::log_plus_one, std::log1p, -0.9999999f, 3.4e38f, 2},
      {Op::tanh, std::tanh, -20, 20, 3},
      {Op::erf, std::erf, -6, 6, 2},
      {Op::sine, std::sin, -1e5f, 1e5f, 2},
      {Op::cosine, std::cos, -1e5f, 1e5f, 2},
  };
  for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
    if (!runs_here(isa)) {
      WARN("this machine has no " << name(isa));
      continue;
    }
    for (const Function& f : functions) {
      const std::vector<float> x = sweep(f.low, f.high, 200000), y = evaluate(f.op, x, isa);
      double worst = 0;
      float where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = error_in_ulp(y[i], f.exact(x[i]));
        if (error > worst) worst = error, where = x[i];
      }
      INFO("op " << static_cast<int>(f.op) << " worst at " << where << " on " << name(isa));
      CHECK(worst <= f.ulp);
    }
  }
}

TEST_CASE("elementary functions in f32 at their ends") {
  const auto at = [](Op op, float x) { return evaluate(op, {x, x}, best_isa())[0]; };
  for (const Op op : {Op::exponential, Op::exponential_minus_one, Op::log, Op::log_plus_one,
                      Op::tanh, Op::erf, Op::sine, Op::cosine, Op::logistic, Op::sqrt, Op::rsqrt})
    CHECK(std::isnan(at(op, nan_value)));
  CHECK(at(Op::exponential, -200) == 0);
  CHECK(at(Op::exponential, -infinity) == 0);
  CHECK(at(Op::exponential, infinity) == infinity);
  CHECK(at(Op::exponential, 200) == infinity);
  CHECK(at(Op::exponential, 0) == 1);
  CHECK(at(Op::exponential_minus_one, -infinity) == -1);
  CHECK(at(Op::exponential_minus_one, infinity) == infinity);
  CHECK(at(Op::exponential_minus_one, 1e-30f) == 1e-30f);
  CHECK(at(Op::log, 0) == -infinity);
  CHECK(at(Op::log, infinity) == infinity);
  CHECK(std::isnan(at(Op::log, -1)));
  CHECK(std::isnan(at(Op::log, -infinity)));
  CHECK(at(Op::log, 1) == 0);
  CHECK(at(Op::log_plus_one, -1) == -infinity);
  CHECK(at(Op::log_plus_one, infinity) == infinity);
  CHECK(std::isnan(at(Op::log_plus_one, -2)));
  CHECK(at(Op::log_plus_one, 1e-30f) == 1e-30f);
  CHECK(at(Op::tanh, infinity) == 1);
  CHECK(at(Op::tanh, -infinity) == -1);
  CHECK(at(Op::tanh, 100) == 1);
  CHECK(at(Op::tanh, 1e-30f) == 1e-30f);
  CHECK(at(Op::erf, infinity) == 1);
  CHECK(at(Op::erf, -infinity) == -1);
  CHECK(std::isnan(at(Op::sine, infinity)));
  CHECK(std::isnan(at(Op::cosine, -infinity)));
  CHECK(std::abs(at(Op::sine, 1e30f)) <= 1);
}

TEST_CASE("power in f32 is C's powf") {
  std::vector<float> a, b;
  const std::vector<float> special = {0,     -0.0f,  1,        -1,        2,        -2,
                                      0.5f,  -0.5f,  3,        -3,        2.5f,     1e-40f,
                                      1e30f, -1e30f, infinity, -infinity, nan_value};
  for (const float x : special)
    for (const float y : special) a.push_back(x), b.push_back(y);
  for (const float x : sweep(1e-30f, 1e30f, 300))
    for (const float y : {-3.0f, -1.5f, 0.1f, 0.5f, 1.0f, 2.0f, 7.25f})
      a.push_back(x), b.push_back(y);
  const auto n = static_cast<std::int64_t>(a.size());
  KernelBuilder k("power");
  const auto x = k.input("a", DType::f32, n), y = k.input("b", DType::f32, n),
             z = k.output("z", DType::f32, n);
  k.loop(kernel::LoopKind::vector, n,
         [&](Id i) { k.store(z, i, k.apply(Op::power, {k.load(x, i), k.load(y, i)})); });
  Contents contents = {{a.begin(), a.end()}, {b.begin(), b.end()}, std::vector<double>(a.size())};
  run_compiled(k.kernel, jit().add(k.kernel, {.isa = best_isa()}), contents);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const long double want =
        std::pow(static_cast<long double>(a[i]), static_cast<long double>(b[i]));
    INFO(a[i] << " to the " << b[i] << " gave " << contents[2][i] << " in place of "
              << static_cast<double>(want));
    CHECK(error_in_ulp(static_cast<float>(contents[2][i]), want) <= 1);
  }
}
