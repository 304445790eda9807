#include <sys/stat.h>

#include "data_fixture.h"

namespace ganc::runtime {
namespace {

const std::vector<FieldSpec> colour = {real_field({3, 4, 6})};  // height 4, width 6

SourceSpec images(std::vector<FieldSpec> fields,
                  std::map<std::string, SourceArgument> arguments = {}) {
  arguments.emplace("name", std::string("faces"));
  return source("images", std::move(fields), std::move(arguments));
}

TEST_CASE("a folder's images come in order of their paths, planes first", "[data]") {
  const TemporaryFolder folder;
  folder.write("b/2.PNG", png_bytes(marked_image(6, 4, 3, 2)));
  folder.write("a/sub/1.png", png_bytes(marked_image(6, 4, 3, 1)));
  folder.write("0.png", png_bytes(marked_image(6, 4, 3, 0)));
  folder.write("c/3.jpeg", jpeg_bytes(Image{6, 4, 3, Bytes(72, 90)}));
  folder.write("c/notes.txt", {1});
  folder.write(".hidden.png", {1});
  const auto set = opened(images(colour), at_path(folder.path()));
  CHECK(set->count() == 4);
  CHECK(set->describe() == set->short_name() + ": 4 images from " + folder.path().string() +
                               ", 1 other files passed over");
  for (int mark = 0; mark < 3; ++mark) {
    const Image image = marked_image(6, 4, 3, mark);
    const auto values = sample(*set, mark)[0].f32;
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < 24; ++i)
        REQUIRE(values[c * 24 + i] == static_cast<float>(image.pixels[3 * i + c] / 127.5 - 1));
  }
  CHECK(sample(*set, 3)[0].f32[0] == Approx(90 / 127.5 - 1).margin(0.05));
}

TEST_CASE("sub-folders in order of name are the classes", "[data]") {
  const TemporaryFolder folder;
  for (const char* name : {"dog/a.png", "dog/b.png", "cat/deep/er/c.png", "eel/d.png"})
    folder.write(name, png_bytes(marked_image(6, 4, 3, 0)));
  const auto set = opened(images({real_field({3, 4, 6}), class_field(3)}), at_path(folder.path()));
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < set->count(); ++i) labels.push_back(sample(*set, i)[1].i32[0]);
  CHECK(labels == std::vector<std::int32_t>{0, 1, 1, 2});
  CHECK_THAT(set->describe(), Catch::EndsWith(", 3 classes"));
  CHECK(opened(images({integer_field({})}), at_path(folder.path()))->count() == 4);  // labels alone
  CHECK_THAT(refusal(images({class_field(2)}), at_path(folder.path())),
             Catch::Contains("has 3 sub-folders, each a class, but field `y` is class[2]"));
  folder.write("stray.png", png_bytes(marked_image(6, 4, 3, 0)));
  CHECK_THAT(refusal(images({class_field(3)}), at_path(folder.path())),
             Catch::Contains("stray.png is in no sub-folder, so it has no class for field `y`"));
  const TemporaryFolder flat;
  flat.write("a.png", png_bytes(marked_image(6, 4, 3, 0)));
  CHECK_THAT(refusal(images({class_field(3)}), at_path(flat.path())),
             Catch::Contains("has no sub-folders, which would be the classes for field `y`"));
}

TEST_CASE("a split is a sub-folder where there are such", "[data]") {
  const TemporaryFolder folder;
  folder.write("train/cat/a.png", png_bytes(marked_image(6, 4, 3, 0)));
  const auto split = [](const char* name) {
    return source("mnist", {real_field({3, 4, 6}), class_field(1)}, {{"split", std::string(name)}});
  };
  CHECK(opened(split("train"), at_path(folder.path()))->count() == 1);
  CHECK_THAT(refusal(split("test"), at_path(folder.path())),
             Catch::Contains("has no sub-folder `test` for `split`"));
  CHECK(opened(split("test"), at_path(folder / "train"))->count() == 1);
}

TEST_CASE("the data folder is where a name is looked for", "[data]") {
  const TemporaryFolder folder;
  folder.write("faces/a.png", png_bytes(marked_image(6, 4, 3, 0)));
  const auto set = opened(images(colour), {.data_dir = folder.path().string(), .threads = 1});
  CHECK(set->short_name() == "faces");
  CHECK_THAT(
      refusal(images(colour), {.data_dir = "/no/such"}),
      Catch::Contains(
          "its data are not found; looked in /no/such/faces; expected a folder of PNG or JPEG "
          "images; pass --data PATH"));
  CHECK_THAT(refusal(source("images", colour)),
             Catch::Contains("it needs a name, as in images(\"faces\")"));
}

TEST_CASE("images of another size or colour are refused with the remedy", "[data]") {
  const TemporaryFolder folder;
  const auto path = folder.write("a.png", png_bytes(marked_image(48, 32, 3, 0)));
  const auto places = at_path(folder.path());
  CHECK(refusal(images({real_field({3, 64, 64})}), places) ==
        "a.gan:2: images: " + path.string() +
            " is 48x32 RGB, but field `x` is [3, 64, 64]; `resize = 64, crop = 64` in the source "
            "would adapt it");
  CHECK_THAT(
      refusal(source("digits", {real_field({3, 64, 64})}), places),
      Catch::EndsWith("the source `images(\"...\", resize = 64, crop = 64)` would adapt it"));
  CHECK_THAT(refusal(images({real_field({3, 64, 32})}), places),
             Catch::EndsWith("declare the field for 48x32"));
  CHECK_THAT(refusal(images({real_field({1, 32, 48})}), places),
             Catch::EndsWith("declare three channels, or make the files grey"));
  CHECK_THAT(refusal(images({real_field({3, 16, 16})}, {{"resize", 16.0}}), places),
             Catch::Contains("is 48x32 RGB, after `resize` 24x16, but"));
  CHECK_THAT(refusal(images({real_field({3, 40, 40})}, {{"crop", 40.0}}), places),
             Catch::Contains("is 48x32 RGB, too small for `crop = 40`, but"));
  CHECK(refusal(images({real_field({3, 16, 16})}, {{"resize", 16.0}, {"crop", 16.0}}), places) ==
        "");
  CHECK(refusal(images({real_field({3, 32, 48})}), places) == "");
  CHECK(refusal(images({real_field({3, 32, 32})}, {{"crop", 32.0}}), places) == "");
  CHECK(refusal(images({real_field({3 * 32 * 48})}), places) == "");  // a reshape
  CHECK_THAT(refusal(images({real_field({100})}), places),
             Catch::EndsWith("declare the field for 48x32"));
}

TEST_CASE("grey becomes RGB where sizes are adapted, else it is an error", "[data]") {
  const TemporaryFolder folder;
  folder.write("a.png", png_bytes(marked_image(4, 4, 1, 5)));
  const auto places = at_path(folder.path());
  CHECK_THAT(refusal(images({real_field({3, 4, 4})}), places),
             Catch::Contains("is 4x4 grey, but field `x` is [3, 4, 4]"));
  const auto values =
      sample(*opened(images({real_field({3, 4, 4})}, {{"crop", 4.0}}), places), 0)[0].f32;
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(values[i] == static_cast<float>(marked_image(4, 4, 1, 5).pixels[i] / 127.5 - 1));
    CHECK(values[16 + i] == values[i]);
    CHECK(values[32 + i] == values[i]);
  }
}

TEST_CASE("resize and crop that contradict the declaration are refused", "[data]") {
  const TemporaryFolder folder;
  folder.write("a.png", png_bytes(marked_image(8, 8, 3, 0)));
  const auto places = at_path(folder.path());
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"crop", 4.0}}), places),
             Catch::EndsWith("`crop = 4` does not make field `x`: [3, 8, 8]"));
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"resize", 4.0}}), places),
             Catch::EndsWith("`resize = 4` does not make field `x`: [3, 8, 8]"));
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"resize", 4.0}, {"crop", 8.0}}), places),
             Catch::EndsWith("`crop = 8` is larger than `resize = 4`"));
  CHECK_THAT(refusal(images({real_field({50})}, {{"crop", 5.0}}), places),
             Catch::EndsWith("`crop = 5` does not make field `x`: [50]"));
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"resize", 0.5}}), places),
             Catch::EndsWith("`resize` is a whole number from 0 to 32768, not 0.5"));
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"flip", std::string("yes")}}), places),
             Catch::EndsWith("`flip` is true or false"));
  CHECK_THAT(refusal(images({real_field({3, 8, 8})}, {{"name", 3.0}}), places),
             Catch::EndsWith("`name` is a text in quotes"));
  CHECK_THAT(
      refusal(images({real_field({3, 8, 8})}, {{"zoom", 3.0}}), places),
      Catch::EndsWith("has no argument `zoom`; it has name, resize, crop, flip, range, split"));
  const TemporaryFolder thin;
  thin.write("a.png", png_bytes(marked_image(30000, 1, 1, 0)));
  CHECK_THAT(refusal(images({real_field({1, 999, 999})}, {{"resize", 999.0}, {"crop", 999.0}}),
                     at_path(thin.path())),
             Catch::EndsWith("it is too narrow to be resized"));
}

TEST_CASE("images decoded at each reading are those held in memory", "[data]") {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i)
    folder.write(fmt::format("{:02}.png", i), png_bytes(marked_image(6, 4, 3, i)));
  const auto spec = images(colour, {{"flip", true}});
  const auto held = opened(spec, at_path(folder.path()));
  const auto reread = open_data_set(spec, at_path(folder.path()), false, 20 * 72 - 1);
  REQUIRE(reread);
  CHECK_THAT((*reread)->describe(), Catch::EndsWith(", decoded as they are read"));
  std::vector<SampleVisit> order;
  for (std::int64_t i = 0; i < 20; ++i)
    order.push_back({(i * 7) % 20, static_cast<std::uint64_t>(i)});
  auto a = held->make_room(20), b = (*reread)->make_room(20);
  REQUIRE(held->read_batch(order, a));
  REQUIRE((*reread)->read_batch(order, b));
  CHECK(a[0].f32 == b[0].f32);
  std::filesystem::remove(folder / "03.png");
  const auto failed = (*reread)->read_batch(order, b);
  REQUIRE(!failed);
  CHECK_THAT(failed.error().message, Catch::Contains("03.png"));
}

TEST_CASE("the first bad image in order is named, whatever the threads", "[data]") {
  const TemporaryFolder folder;
  for (int i = 0; i < 40; ++i)
    folder.write(fmt::format("{:02}.png", i), png_bytes(marked_image(6, 4, 3, i)));
  for (const char* bad : {"17.png", "23.png", "39.png"}) folder.write(bad, {1, 2, 3});
  for (const unsigned threads : {1u, 2u, 7u}) {
    const DataPlaces places{.path = folder.path().string(), .threads = threads};
    CHECK(refusal(images(colour), places) ==
          "cannot read " + (folder / "17.png").string() + ": not a PNG or JPEG file");
  }
}

TEST_CASE("folders without images, and what is no image, are refused", "[data]") {
  const TemporaryFolder folder;
  CHECK(refusal(images(colour), at_path(folder.path())) ==
        "no image in " + folder.path().string() + ": expected files named *.png, *.jpg or *.jpeg");
  const auto single = folder.write("one/a.png", png_bytes(marked_image(6, 4, 3, 0)));
  CHECK_THAT(refusal(images(colour), at_path(single)),
             Catch::EndsWith("one image; name the folder that it is in"));
  const auto zip = folder.write("a.npz", {'P', 'K', 3, 4});
  CHECK_THAT(refusal(images(colour), at_path(zip)), Catch::Contains("a zip archive"));
  REQUIRE(mkfifo((folder / "one" / "b.png").c_str(), 0600) == 0);
  CHECK_THAT(refusal(images(colour), at_path(folder / "one")), Catch::Contains("b.png"));
  std::filesystem::remove(folder / "one" / "b.png");
  std::filesystem::create_directory(folder / "one" / "c.png");
  CHECK_THAT(refusal(images(colour), at_path(folder / "one")), Catch::Contains("c.png"));
  std::filesystem::remove(folder / "one" / "c.png");
  std::filesystem::create_directory_symlink("..", folder / "one" / "loop");
  CHECK_THAT(refusal(images(colour), at_path(folder / "one")), Catch::Contains("folders 32 deep"));
}

TEST_CASE("unreadable files and folders are named", "[data]") {
  if (geteuid() == 0) {
    WARN("skipped: the superuser may read everything");
    return;
  }
  const TemporaryFolder folder;
  const auto path = folder.write("a.png", png_bytes(marked_image(6, 4, 3, 0)));
  REQUIRE(chmod(path.c_str(), 0) == 0);
  CHECK_THAT(refusal(images(colour), at_path(folder.path())),
             Catch::Contains(path.string()) && Catch::Contains("Permission denied"));
}

}  // namespace
}  // namespace ganc::runtime
