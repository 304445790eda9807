#include "compiler/schedule/filter_transform.h"

#include <catch2/catch.hpp>

#include "tests/unit/random_value.h"

using namespace ganc;
using namespace ganc::planning;
using ganc::test::Random;

namespace {

std::vector<double> times(const FilterTransform::Matrix& m, const std::vector<double>& x) {
  std::vector<double> y;
  for (const auto& row : m) {
    REQUIRE(row.size() == x.size());
    y.push_back(0);
    for (std::size_t i = 0; i < x.size(); ++i) y.back() += row[i] * x[i];
  }
  return y;
}

std::vector<double> random_numbers(Random& random, std::int64_t count) {
  std::vector<double> x;
  for (std::int64_t i = 0; i < count; ++i) x.push_back(random.uniform(-1, 1));
  return x;
}

}  // namespace

TEST_CASE("every filter transform computes the filter") {
  Random random(3);
  int count = 0;
  for (std::int64_t outputs = 1; outputs <= 8; ++outputs)
    for (std::int64_t taps = 1; outputs + taps - 1 <= 8; ++taps, ++count) {
      const FilterTransform t = filter_transform(outputs, taps);
      const auto d = random_numbers(random, t.points()), g = random_numbers(random, taps);
      std::vector<double> products = times(t.filter, g);
      const std::vector<double> points = times(t.input, d);
      for (std::size_t i = 0; i < points.size(); ++i) products[i] *= points[i];
      const std::vector<double> y = times(t.output, products);
      REQUIRE(y.size() == static_cast<std::size_t>(outputs));
      for (std::int64_t o = 0; o < outputs; ++o) {
        double expected = 0;
        for (std::int64_t k = 0; k < taps; ++k)
          expected += d[static_cast<std::size_t>(o + k)] * g[static_cast<std::size_t>(k)];
        CHECK(y[static_cast<std::size_t>(o)] == Approx(expected).margin(1e-11));
      }
    }
  CHECK(count == 36);
}

// Against the positions that meet by the definition of the convolution.
TEST_CASE("an axis as filters without strides and holes") {
  Random random(5);
  int found = 0;
  for (int i = 0; i < 2000; ++i) {
    SpatialAxis axis;
    // One of them at most; two are none.
    std::int64_t steps[3] = {1, 1, 1};
    steps[random.integer(0, 2)] = random.integer(1, 5);
    steps[random.integer(0, 2)] = random.integer(1, 5);
    axis.window = {.stride = steps[0],
                   .pad_low = random.integer(-7, 4),
                   .lhs_dilation = steps[1],
                   .rhs_dilation = steps[2]};
    axis.lhs_extent = random.integer(1, 9);
    axis.rhs_extent = random.integer(1, 25);
    axis.outputs = random.integer(1, 12);
    auto form = filter_axis(axis);
    const int dilated =
        static_cast<int>(std::ranges::count_if(steps, [](auto n) { return n > 1; }));
    REQUIRE(form.has_value() == (dilated < 2));
    if (!form) continue;
    ++found;
    const std::int64_t size = random.integer(1, 5);
    const bool of_taps = i % 3 == 0, of_outputs = i % 3 == 1;
    if (of_taps) form = in_pieces_of_taps(*form, size);
    if (of_outputs) form = in_pieces_of_outputs(*form, size);
    const auto expected = meeting_positions(axis);
    std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> got(expected.size());
    for (std::int64_t p = 0; p < form->phases; ++p)
      for (std::int64_t n = 0; n < form->pieces; ++n)
        for (std::int64_t o = 0; o < form->outputs; ++o) {
          const std::int64_t out = (o + (of_outputs ? n * size : 0)) * form->phases + p;
          if (out >= form->extent) continue;
          for (std::int64_t s = 0; s < form->subs; ++s)
            for (std::int64_t j = 0; j < form->taps; ++j) {
              const std::int64_t x =
                  (o + j) * form->lhs_step + form->first(form->lhs_first, p, s, n);
              const std::int64_t k = j * form->rhs_step + form->first(form->rhs_first, p, s, n);
              if (x < 0 || x >= axis.lhs_extent || k < 0 || k >= axis.rhs_extent) continue;
              got.at(static_cast<std::size_t>(out))
                  .emplace_back(static_cast<std::int32_t>(x), static_cast<std::int32_t>(k));
            }
        }
    for (std::size_t row = 0; row < got.size(); ++row) {
      std::ranges::sort(got[row], {}, [](const auto& pair) { return pair.second; });
      CHECK(got[row] == expected[row]);
    }
  }
  CHECK(found > 1000);
}
