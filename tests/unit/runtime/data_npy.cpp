#include <cmath>
#include <set>

#include "data_fixture.h"

namespace ganc::runtime {
namespace {

SourceSpec npy(std::vector<FieldSpec> fields) {
  return source("npy", std::move(fields), {{"name", std::string("points")}});
}

TEST_CASE("arrays of every type of number are read as they are", "[data]") {
  const TemporaryFolder folder;
  const auto values = [&](const std::string& type, const Bytes& content) {
    const auto path = folder.write("a.npy", npy_bytes(type, "(1, 3)", content));
    return sample(*opened(npy({real_field({3})}), at_path(path), true), 0)[0].f64;
  };
  using Reals = std::vector<double>;
  CHECK(values("<f4", content_of<float>({1.5f, -2, 1e30f})) == Reals{1.5, -2, double{1e30f}});
  CHECK(values("<f8", content_of<double>({1e300, -2, 0.1})) == Reals{1e300, -2, 0.1});
  CHECK(values("<f2", content_of<std::uint16_t>({0x3C00, 0xC001, 0x0001})) ==
        Reals{1, -2.001953125, 5.960464477539063e-8});
  CHECK(std::isinf(values("<f2", content_of<std::uint16_t>({0x7C00, 0, 0}))[0]));
  CHECK(std::isnan(values("<f2", content_of<std::uint16_t>({0x7C01, 0, 0}))[0]));
  CHECK(values("|u1", {0, 128, 255}) == Reals{0, 128, 255});
  CHECK(values("|i1", {0, 128, 255}) == Reals{0, -128, -1});
  CHECK(values("|b1", {0, 1, 1}) == Reals{0, 1, 1});
  CHECK(values("<i2", content_of<std::int16_t>({-300, 0, 300})) == Reals{-300, 0, 300});
  CHECK(values("<u2", content_of<std::uint16_t>({65535, 0, 300})) == Reals{65535, 0, 300});
  CHECK(values("<i4", content_of<std::int32_t>({-70000, 0, 3})) == Reals{-70000, 0, 3});
  CHECK(values("<u4", content_of<std::uint32_t>({4000000000u, 0, 3})) == Reals{4e9, 0, 3});
  CHECK(values("<i8", content_of<std::int64_t>({-5000000000, 0, 3})) == Reals{-5e9, 0, 3});
  CHECK(values("<u8", content_of<std::uint64_t>({1ull << 63, 0, 3})) == Reals{0x1p63, 0, 3});
}

TEST_CASE("an array is found by its name, with or without its ending", "[data]") {
  const TemporaryFolder folder;
  folder.write("points.npy", npy_bytes("<f4", "(2, 2)", content_of<float>({1, 2, 3, 4})));
  const auto set = opened(npy({real_field({2})}), {.data_dir = folder.path().string()});
  CHECK(set->count() == 2);
  CHECK(set->short_name() == "points");
  CHECK(set->describe() == "points: 2 samples from " + (folder / "points.npy").string());
  CHECK(sample(*set, 1)[0].f32 == std::vector<float>{3, 4});
  CHECK_THAT(refusal(npy({real_field({2})}), {.data_dir = "/no"}),
             Catch::Contains("looked in /no/points and /no/points.npy"));
  // In place of a drawn source.
  CHECK(opened(source("ring", {real_field({2})}), at_path(folder / "points.npy"))->count() == 2);
}

TEST_CASE("a folder has an array for each field", "[data]") {
  const TemporaryFolder folder;
  folder.write("x.npy", npy_bytes("<f4", "(3, 2)", content_of<float>({1, 2, 3, 4, 5, 6})));
  folder.write("y.npy", npy_bytes("<i8", "(3,)", content_of<std::int64_t>({2, 0, 1})));
  folder.write("n.npy", npy_bytes("|u1", "(3, 2)", {1, 2, 3, 4, 5, 6}));
  const auto spec = npy({real_field({2}), class_field(3), integer_field({2})});
  const auto set = opened(spec, at_path(folder.path()));
  const auto fields = sample(*set, 2);
  CHECK(fields[0].f32 == std::vector<float>{5, 6});
  CHECK(fields[1].i32 == std::vector<std::int32_t>{1});
  CHECK(fields[2].i32 == std::vector<std::int32_t>{5, 6});
  const auto reread = open_data_set(spec, at_path(folder.path()), false, 10);
  REQUIRE(reread);
  const auto again = sample(**reread, 2);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(again[i].f32 == fields[i].f32);
    CHECK(again[i].i32 == fields[i].i32);
  }
  CHECK_THAT(
      refusal(spec, at_path(folder / "x.npy")),
      Catch::Contains("is one array, but there are 3 fields; put x.npy and y.npy into a folder"));
  folder.write("y.npy", npy_bytes("<i8", "(2,)", content_of<std::int64_t>({2, 0})));
  CHECK_THAT(refusal(spec, at_path(folder.path())),
             Catch::Contains(
                 "y.npy is an array [2] of i8, but the arrays of the other fields have 3 samples"));
}

TEST_CASE("images in an array are mirrored where the source asks for it", "[data]") {
  const TemporaryFolder folder;
  const auto path = folder.write("a.npy", npy_bytes("|u1", "(1, 1, 2, 3)", {1, 2, 3, 4, 5, 6}));
  const auto flipped = [](std::vector<std::int64_t> shape) {
    return source("images", {real_field(std::move(shape))}, {{"flip", true}});
  };
  const auto set = opened(flipped({1, 2, 3}), at_path(path));
  std::set<std::vector<float>> seen;
  for (std::uint64_t visit = 0; visit < 40; ++visit) seen.insert(sample(*set, 0, visit)[0].f32);
  CHECK(seen == std::set<std::vector<float>>{{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}});
  CHECK_THAT(refusal(flipped({6}), at_path(path)),
             Catch::EndsWith("`flip` needs images, but field `x` is [6]"));
}

TEST_CASE("arrays that do not fit their field are refused", "[data]") {
  const TemporaryFolder folder;
  const auto reason = [&](FieldSpec field, const std::string& type, const std::string& shape,
                          const Bytes& content) {
    return refusal(npy({std::move(field)}),
                   at_path(folder.write("a.npy", npy_bytes(type, shape, content))));
  };
  const Bytes six(24);
  CHECK(reason(real_field({3}), "<f4", "(2, 3)", six) == "");
  CHECK(reason(real_field({3, 1}), "<f4", "(2, 3)", six) == "");  // a reshape
  CHECK_THAT(
      reason(real_field({2}), "<f4", "(2, 3)", six),
      Catch::EndsWith("a.npy is an array [2, 3] of f4, but field `x` is [2]: expected [count, 2]"));
  CHECK_THAT(reason(real_field({}), "<f4", "(2, 3)", six), Catch::EndsWith("expected [count]"));
  CHECK_THAT(reason(real_field({}), "<f4", "()", Bytes(4)),
             Catch::EndsWith("so it has no samples"));
  CHECK_THAT(reason(real_field({3}), "<f4", "(0, 3)", {}), Catch::EndsWith("so it has no samples"));
  CHECK_THAT(reason(class_field(3), "<f4", "(6,)", six),
             Catch::EndsWith("but field `y` takes whole numbers; save a.astype('int32')"));
  CHECK_THAT(
      reason(class_field(3), "|u1", "(4,)", {0, 1, 2, 3}),
      Catch::Contains("sample 3 of ") && Catch::EndsWith("has 3, but field `y` takes 0 to 2"));
  CHECK_THAT(reason(class_field(3), "|i1", "(1,)", {255}), Catch::Contains("has -1, but"));
  CHECK_THAT(
      reason(integer_field({}), "<u8", "(1,)", content_of<std::uint64_t>({~0ull})),
      Catch::Contains("has 9223372036854775807, but field `n` takes -2147483648 to 2147483647"));
}

TEST_CASE("damaged arrays are refused with their path", "[data]") {
  const TemporaryFolder folder;
  const Bytes good = npy_bytes("<f4", "(2, 3)", Bytes(24));
  const auto reason = [&](const Bytes& bytes) {
    return refusal(npy({real_field({3})}), at_path(folder.write("a.npy", bytes)));
  };
  for (const Bytes& bytes :
       {Bytes(good.begin(), good.end() - 1), Bytes(good.begin(), good.begin() + 40),
        Bytes(good.begin(), good.begin() + 7), npy_bytes("<f4", "(2, 99999999999999)", Bytes(24)),
        npy_bytes("<f4", "(-2, 3)", Bytes(24)), npy_bytes(">f4", "(2, 3)", Bytes(24)),
        npy_bytes("|O", "(2, 3)", Bytes(24))}) {
    CHECK_THAT(reason(bytes), Catch::Contains("cannot read " + (folder / "a.npy").string() + ": "));
  }
}

}  // namespace
}  // namespace ganc::runtime
