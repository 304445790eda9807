#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/unit/elaborate/forward.h"

namespace ganc::testing {
namespace {

// One sample [2, 3] of 1 .. 6 and one of 11 .. 16, so that a wrong place is seen at once.
Numbers counted() {
  return {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
}

Numbers on_counted(const std::string& body) {
  Forward f("net F(x: [2, 3]) { " + body + " }");
  return f.set("arg/x", counted()).run();
}

// What the body does to both samples, as written for the first: the second is 10 more.
void check_places(const std::string& body, const Numbers& first) {
  INFO(body);
  Numbers expected = first;
  for (const double v : first) expected.push_back(v == 0 ? 0 : v + 10);
  check_close(on_counted(body), expected);
}

TEST_CASE("movement puts every element in its place") {
  check_places("reshape(x, [3, 2])", {1, 2, 3, 4, 5, 6});
  check_places("reshape(x, [-1])", {1, 2, 3, 4, 5, 6});
  check_places("flatten(x)", {1, 2, 3, 4, 5, 6});
  check_places("transpose(x, [1, 0])", {1, 4, 2, 5, 3, 6});
  check_places("x[0]", {1, 2, 3});
  check_places("x[-1]", {4, 5, 6});
  check_places("x[:, 1]", {2, 5});
  check_places("x[..., 0]", {1, 4});
  check_places("x[1, 1:]", {5, 6});
  check_places("x[:1]", {1, 2, 3});
  check_places("x[:, -2:]", {2, 3, 5, 6});
  check_places("reshape(x[_, :, _, :], [6])", {1, 2, 3, 4, 5, 6});
  check_places("roll(x, 1)", {4, 5, 6, 1, 2, 3});
  check_places("roll(x, 1, axis = 1)", {3, 1, 2, 6, 4, 5});
  check_places("roll(x, -1, axis = 1)", {2, 3, 1, 5, 6, 4});
  check_places("reverse(x)", {4, 5, 6, 1, 2, 3});
  check_places("reverse(x, axis = 1)", {3, 2, 1, 6, 5, 4});
  check_places("concat(x, x[:1])", {1, 2, 3, 4, 5, 6, 1, 2, 3});
  check_places("concat(x, x[:, :1], axis = 1)", {1, 2, 3, 1, 4, 5, 6, 4});
  check_places("stack([x[0], x[1]])", {1, 2, 3, 4, 5, 6});
  check_places("broadcast(x[0], [2, 3])", {1, 2, 3, 1, 2, 3});
  check_places("pad(x, 1)", {0, 1, 2, 3, 0, 0, 4, 5, 6, 0});
  check_places("pad(x, [1, 0])", {0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0});
  check_places("pad(x, 2, mode = \"reflect\")", {3, 2, 1, 2, 3, 2, 1, 6, 5, 4, 5, 6, 5, 4});
  check_places("pad(x, 2, mode = \"edge\")", {1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5, 6, 6, 6});
  check_places("x[:, int([2, 0])]", {3, 1, 6, 4});
  check_places("x[range(2) + 0]", {1, 2, 3, 4, 5, 6});
  check_places("sort(-x[0]) * -1", {3, 2, 1});
  check_places("sort(reverse(x, axis = 1))", {1, 2, 3, 4, 5, 6});
  check_places("sort(reverse(x), axis = 0)", {1, 2, 3, 4, 5, 6});
}

TEST_CASE("reductions take all axes, those of `axis` or all but those of `keep`") {
  check_close(on_counted("sum(x)"), {21, 81});
  check_close(on_counted("mean(x)"), {3.5, 13.5});
  check_close(on_counted("min(x)"), {1, 11});
  check_close(on_counted("max(x)"), {6, 16});
  check_close(on_counted("sum(x, axis = 0)"), {5, 7, 9, 25, 27, 29});
  check_close(on_counted("sum(x, axis = -1)"), {6, 15, 36, 45});
  check_close(on_counted("sum(x, keep = 0)"), {6, 15, 36, 45});
  check_close(on_counted("mean(x, keep = 1)"), {2.5, 3.5, 4.5, 12.5, 13.5, 14.5});
  check_close(on_counted("sum(x, axis = [0, 1])"), {21, 81});
  check_close(on_counted("cumsum(x)"), {1, 3, 6, 4, 9, 15, 11, 23, 36, 14, 29, 45});
  check_close(on_counted("cumsum(x, axis = 0)"), {1, 2, 3, 5, 7, 9, 11, 12, 13, 25, 27, 29});
  check_close(on_counted("int(argmax(x))"), {2, 2, 2, 2});
  check_close(on_counted("int(argmax(min(x, 5), axis = 1))"), {2, 1, 0, 0});
  check_close(on_counted("norm(x)"),
              {std::sqrt(91.0), std::sqrt(121.0 + 144 + 169 + 196 + 225 + 256)});
  check_close(on_counted("sum(all_samples(x), axis = 0)"), {12, 14, 16, 18, 20, 22});
  check_close(on_counted("each_sample(all_samples(x)) + count(x)"),
              {3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 18});
  check_close(on_counted("other(x)"), {11, 12, 13, 14, 15, 16, 1, 2, 3, 4, 5, 6});
  check_close(on_counted("batch_mean(x)"), {6, 7, 8, 9, 10, 11});
  check_close(on_counted("pack(x, 2)"), {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16});
}

TEST_CASE("softmax sums to one along its axis and normalize has length one") {
  const Numbers x = numbers(12);
  for (const int axis : {0, 1}) {
    Forward f(fmt::format("net F(x: [2, 3]) {{ softmax(x, axis = {}) }}", axis));
    Numbers expected(12);
    for (std::size_t i = 0; i < 12; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < 12; ++j) {
        const bool same = axis == 1 ? i / 3 == j / 3 : i / 6 == j / 6 && i % 3 == j % 3;
        sum += same ? std::exp(x[j]) : 0;
      }
      expected[i] = std::exp(x[i]) / sum;
    }
    check_close(f.set("arg/x", x).run(), expected);
  }
  Forward f("net F(x: [2, 3]) { norm(normalize(x)) }");
  check_close(f.set("arg/x", x).run(), {1, 1});
}

TEST_CASE("classes index, are compared and become one-hot") {
  Forward f(
      "net F(y: class[4], w: [4, 2]) { concat(one_hot(y), real(y == 2)[_], w[y], [classes(y)]) }");
  const Numbers w = numbers(16);
  f.set("arg/y", {2, 0}).set("arg/w", w);
  check_close(f.run(), {0, 0, 1, 0, 1, w[4], w[5], 4, 1, 0, 0, 0, 0, w[8], w[9], 4});
}

TEST_CASE("losses of a sample are their formulas") {
  Forward f("net F(a: [3], y: class[3]) { cross_entropy(a, y) }");
  const Numbers a = numbers(6);
  const auto loss = [&](std::size_t n, std::size_t y) {
    return std::log(std::exp(a[3 * n]) + std::exp(a[3 * n + 1]) + std::exp(a[3 * n + 2])) -
           a[3 * n + y];
  };
  check_close(f.set("arg/a", a).set("arg/y", {1, 2}).run(), {loss(0, 1), loss(1, 2)});
  Forward kl("net F(mu: [2], logvar: [2]) { kl_normal(mu, logvar) }");
  const auto one = [](double m, double l) { return (m * m + std::exp(l) - 1 - l) / 2; };
  check_close(kl.set("arg/mu", {1, 2, 3, 4}).set("arg/logvar", {0.1, 0.2, 0.3, 0.4}).run(),
              {one(1, 0.1) + one(2, 0.2), one(3, 0.3) + one(4, 0.4)});
}

TEST_CASE("resampling in one to three dimensions") {
  Forward up("net F(x: [1, 2, 2]) { upsample(x) }", 1);
  check_close(up.set("arg/x", {1, 2, 3, 4}).run(),
              {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  Forward up1("net F(x: [1, 3]) { upsample(x, 3) }", 1);
  check_close(up1.set("arg/x", {1, 2, 3}).run(), {1, 1, 1, 2, 2, 2, 3, 3, 3});
  Forward pool("net F(x: [1, 2, 4]) { concat(avgpool(x), maxpool(x)) }", 1);
  check_close(pool.set("arg/x", {1, 2, 3, 4, 5, 6, 7, 8}).run(), {3.5, 5.5, 6, 8});
  Forward overlap("net F(x: [1, 5]) { concat(maxpool(x, 3, 1), avgpool(x, 3, 1)) }", 1);
  check_close(overlap.set("arg/x", {1, 5, 2, 4, 3}).run(), {5, 5, 4, 8.0 / 3, 11.0 / 3, 3});
  Forward cube("net F(x: [1, 2, 2, 2]) { avgpool(x) }", 1);
  check_close(cube.set("arg/x", {1, 2, 3, 4, 5, 6, 7, 8}).run(), {4.5});
  Forward resize("net F(x: [1, 4, 4]) { resize(resize(x, 2), 4) }", 1);
  Numbers x(16);
  std::iota(x.begin(), x.end(), 0);
  check_close(resize.set("arg/x", x).run(), {2.5, 2.5, 4.5, 4.5, 2.5, 2.5, 4.5, 4.5, 10.5, 10.5,
                                             12.5, 12.5, 10.5, 10.5, 12.5, 12.5});
  Forward shuffle("net F(x: [4, 1, 2]) { pixel_shuffle(x) }", 1);
  check_close(shuffle.set("arg/x", {1, 2, 3, 4, 5, 6, 7, 8}).run(), {1, 3, 2, 4, 5, 7, 6, 8});
}

TEST_CASE(
    "sampling at the pixels' own points gives the image, half way between gives the mean, outside "
    "gives 0") {
  const std::string grid =
      "let ys = (range(3) + 0.5) / 3 * 2 - 1\n"
      "let xs = (range(2) + 0.5) / 2 * 2 - 1\n";
  const Numbers x = numbers(6);
  Forward same(
      "net F(x: [1, 3, 2]) {\n" + grid +
          "sample_at(x, stack([broadcast(ys[:, _], [3, 2]), broadcast(xs[_, :], [3, 2])])) }",
      1);
  check_close(same.set("arg/x", x).run(), x);
  Forward half("net F(x: [1, 3, 2]) {\n" + grid +
                   "sample_at(x, stack([broadcast(ys[:, _], [3, 1]), broadcast(0 * ys[:, _], [3, "
                   "1])])) + 0 * sum(xs) }",
               1);
  check_close(half.set("arg/x", x).run(),
              {(x[0] + x[1]) / 2, (x[2] + x[3]) / 2, (x[4] + x[5]) / 2});
  Forward far("net F(x: [1, 3, 2]) { sample_at(x, broadcast(5, [2, 1, 1])) }", 1);
  check_close(far.set("arg/x", x).run(), {0});
}

}  // namespace
}  // namespace ganc::testing
