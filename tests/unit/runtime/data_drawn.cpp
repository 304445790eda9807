#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <thread>

#include "data_fixture.h"
#include "runtime/data/draw_digit.h"
#include "runtime/data/philox.h"

namespace ganc::runtime {
namespace {

TEST_CASE("Philox gives the numbers of its authors' known answers", "[data]") {
  // kat_vectors of Random123, philox4x32 10.
  CHECK(philox({0, 0, 0, 0}, 0) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t{0}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("digits are drawn alike for a seed, differently for another", "[data]") {
  const auto spec = source("digits", {real_field({1, 28, 28}), class_field(10)});
  const auto a = opened(spec, {.seed = 1}), b = opened(spec, {.seed = 1}),
             c = opened(spec, {.seed = 2});
  CHECK(a->count() == 10000);
  CHECK(a->short_name() == "digits");
  CHECK(a->describe() == "digits: 10000 drawn images of 28x28");
  for (const std::int64_t i : {0, 7, 9999}) {
    CHECK(sample(*a, i)[0].f32 == sample(*b, i)[0].f32);
    CHECK(sample(*a, i)[0].f32 == sample(*a, i, 5)[0].f32);  // kept, and no function of the visit
    CHECK(sample(*a, i)[0].f32 != sample(*c, i)[0].f32);
    CHECK(sample(*a, i)[1].i32 == std::vector<std::int32_t>{static_cast<std::int32_t>(i % 10)});
  }
}

TEST_CASE("digits look like MNIST's: white on black, in the middle, with a black border",
          "[data]") {
  const auto set =
      opened(source("digits", {real_field({784})}, {{"range", std::vector<double>{0, 1}}}));
  double ink = 0, height = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const auto pixels = sample(*set, i)[0].f32;
    double total = 0, x = 0, y = 0;
    std::size_t top = 28, bottom = 0;
    for (std::size_t k = 0; k < 784; ++k) {
      REQUIRE(pixels[k] >= 0);
      REQUIRE(pixels[k] <= 1);
      total += pixels[k];
      x += pixels[k] * static_cast<double>(k % 28);
      y += pixels[k] * static_cast<double>(k / 28);
      if (pixels[k] > 0.5) top = std::min(top, k / 28), bottom = std::max(bottom, k / 28);
    }
    REQUIRE(total > 10);
    CHECK(std::abs(x / total - 13.5) < 5);
    CHECK(std::abs(y / total - 13.5) < 5);
    ink += total / 784 / 1000;
    height += static_cast<double>(bottom - top + 1) / 1000;
  }
  CHECK(ink > 0.08);  // MNIST: 0.13
  CHECK(ink < 0.18);
  CHECK(height > 18);  // MNIST: 20
  CHECK(height < 21);
}

TEST_CASE("digits are drawn at any square size, in colour too", "[data]") {
  for (const std::int64_t side : {8, 13, 64, 256}) {
    const auto set = opened(source("digits", {real_field({3, side, side})}, {{"samples", 30.0}}));
    CHECK(set->count() == 30);
    const auto pixels = sample(*set, 3)[0].f32;
    CHECK(*std::ranges::max_element(pixels) > 0.5);
    CHECK(*std::ranges::min_element(pixels) == -1);
    const auto plane = static_cast<std::ptrdiff_t>(side * side);
    CHECK(std::vector(pixels.begin(), pixels.begin() + plane) !=
          std::vector(pixels.begin() + plane, pixels.begin() + 2 * plane));
  }
  CHECK(opened(source("digits", {class_field(10)}))->count() == 10000);
}

TEST_CASE("digits read by many threads at once are those read by one", "[data]") {
  const auto spec = source("digits", {real_field({1, 28, 28})}, {{"samples", 64.0}});
  const auto one = opened(spec), many = opened(spec);
  std::vector<std::vector<FieldValues>> rooms;
  for (int t = 0; t < 4; ++t) rooms.push_back(many->make_room(64));
  {
    std::vector<std::jthread> threads;
    for (auto& room : rooms)
      threads.emplace_back([&] {
        for (std::int64_t i = 0; i < 64; ++i) (void)many->read(i, 0, i, room);
      });
  }
  auto expected = one->make_room(64);
  for (std::int64_t i = 0; i < 64; ++i) REQUIRE(one->read(i, 0, i, expected));
  for (const auto& room : rooms) CHECK(room[0].f32 == expected[0].f32);
}

TEST_CASE("digits that do not fit in memory are drawn at each reading", "[data]") {
  const auto spec = source("digits", {real_field({1, 28, 28})});
  const auto small = open_data_set(spec, {}, false, 1000), large = open_data_set(spec, {}, false);
  REQUIRE(small);
  CHECK(sample(**small, 5)[0].f32 == sample(**large, 5)[0].f32);
}

TEST_CASE("ten thousand digits take well under two seconds", "[data]") {
  const auto begin = std::chrono::steady_clock::now();
  Bytes pixels(784);
  for (std::uint64_t i = 0; i < 1000; ++i) draw_digit(static_cast<int>(i % 10), 28, 0, i, pixels);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  INFO(taken.count() << " s for 1,000");
  CHECK(taken.count() < 2);  // a tenth of it: machines are shared, and sanitizers slow
}

TEST_CASE("a ring has its Gaussians, evenly", "[data]") {
  const auto set = opened(source("ring", {real_field({2}), class_field(8)},
                                 {{"radius", 2.0}, {"std", 0.02}, {"modes", 8.0}}),
                          {}, true);
  std::map<int, int> counts;
  double variance = 0;
  for (std::int64_t i = 0; i < set->count(); ++i) {
    const auto fields = sample(*set, i);
    const double angle = 2 * M_PI * fields[1].i32[0] / 8;
    const double dx = fields[0].f64[0] - 2 * std::cos(angle),
                 dy = fields[0].f64[1] - 2 * std::sin(angle);
    REQUIRE(std::hypot(dx, dy) < 0.02 * 6);
    variance += (dx * dx + dy * dy) / 2 / 10000;
    ++counts[fields[1].i32[0]];
  }
  CHECK(std::sqrt(variance) == Approx(0.02).epsilon(0.03));
  REQUIRE(counts.size() == 8);
  for (const auto& [mode, count] : counts) CHECK(count == Approx(1250).epsilon(0.1));
}

TEST_CASE("a grid and a swiss roll are where they should be", "[data]") {
  const auto set = opened(source("grid", {real_field({2})}, {{"samples", 2000.0}}));
  std::set<std::pair<long, long>> modes;
  for (std::int64_t i = 0; i < 2000; ++i) {
    const auto point = sample(*set, i)[0].f32;
    for (const float v : point) REQUIRE(std::abs(v / 2 - std::round(v / 2)) < 0.15);
    modes.emplace(std::lround(point[0] / 2), std::lround(point[1] / 2));
  }
  CHECK(modes.size() == 25);
  CHECK(modes.contains({-2, 2}));

  const auto roll = opened(source("swissroll", {real_field({2})}));
  CHECK(roll->describe() == "swissroll: 10000 drawn points");
  double nearest = 9, farthest = 0;
  for (std::int64_t i = 0; i < roll->count(); ++i) {
    const auto point = sample(*roll, i)[0].f32;
    nearest = std::min<double>(nearest, std::hypot(point[0], point[1]));
    farthest = std::max<double>(farthest, std::hypot(point[0], point[1]));
  }
  CHECK(nearest == Approx(1.5 * M_PI / 7.5).epsilon(0.2));
  CHECK(farthest == Approx(4.5 * M_PI / 7.5).epsilon(0.1));
}

TEST_CASE("wrong arguments of drawn sources are refused, each by its reason", "[data]") {
  const std::vector<FieldSpec> image = {real_field({1, 28, 28})}, point = {real_field({2})};
  const auto numbers = [](double a, double b) { return std::vector<double>{a, b}; };
  CHECK(refusal(source("digits", image, {{"sample", 3.0}})) ==
        "a.gan:2: digits: has no argument `sample`; it has range, samples");
  CHECK(refusal(source("digits", image, {{"samples", 0.5}})) ==
        "a.gan:2: digits: `samples` is a whole number from 1 to 1000000000, not 0.5");
  CHECK(refusal(source("digits", image, {{"samples", std::string("3")}})) ==
        "a.gan:2: digits: `samples` is a whole number from 1 to 1000000000");
  CHECK(refusal(source("digits", image, {{"range", numbers(1, 0)}})) ==
        "a.gan:2: digits: `range` is a list of two numbers, the lower first: [0, 1]");
  CHECK(refusal(source("digits", image, {{"range", numbers(0, NAN)}})) != "");
  CHECK(refusal(source("digits", image, {{"range", 0.0}})) == "");
  CHECK(refusal(source("ring", point, {{"modes", 0.0}})) ==
        "a.gan:2: ring: `modes` is a whole number from 1 to 1000000, not 0");
  CHECK(refusal(source("ring", point, {{"std", -1.0}})) ==
        "a.gan:2: ring: `std` is a number from 0 to 1000000, not -1");
  CHECK(refusal(source("ring", point, {{"radius", NAN}})) != "");
  CHECK(refusal(source("grid", point, {{"side", 1e9}})) != "");
}

TEST_CASE("fields that a drawn source cannot fill are refused", "[data]") {
  CHECK(refusal(source("digits", {real_field({1, 28, 30})})) ==
        "a.gan:2: digits: digits are squares of 8x8 to 256x256 with 1 or 3 channels, such as [1, "
        "28, 28], "
        "but field `x` is [1, 28, 30]");
  CHECK(refusal(source("digits", {real_field({2, 28, 28})})) != "");
  CHECK(refusal(source("digits", {real_field({1, 7, 7})})) != "");
  CHECK(refusal(source("digits", {real_field({1, 257, 257})})) != "");
  CHECK(refusal(source("digits", {real_field({785})})) != "");
  CHECK(refusal(source("digits", {real_field({784}), class_field(9)})) ==
        "a.gan:2: digits: it has 10 classes, but field `y` is class[9]");
  CHECK(refusal(source("digits", {real_field({784}), real_field({784}, "photo")})) ==
        "a.gan:2: digits: a sample is one image and one label, but fields `x` and `photo` both ask "
        "for the "
        "image");
  CHECK(refusal(source("digits", {integer_field({3})})) ==
        "a.gan:2: digits: the label is one number, but field `n` is [3]");
  CHECK(refusal(source("digits", {})) == "a.gan:2: digits: no field is declared");
  CHECK(refusal(source("ring", {real_field({3})})) ==
        "a.gan:2: ring: points are [2], but field `x` is [3]");
  CHECK(refusal(source("ring", {real_field({2}), class_field(7)})) ==
        "a.gan:2: ring: it has 8 classes, but field `y` is class[7]");
  CHECK(refusal(source("swissroll", {real_field({2}), class_field(2)})) ==
        "a.gan:2: swissroll: it has no labels for field `y`");
  CHECK(refusal(source("scenes", {real_field({2})}))
            .starts_with(
                "a.gan:2: scenes: this trainer cannot read such a source; pass --data PATH"));
}

}  // namespace
}  // namespace ganc::runtime
