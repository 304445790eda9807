#include <sys/stat.h>

#include "data_fixture.h"

namespace ganc::runtime {
namespace {

const std::vector<FieldSpec> labelled = {real_field({1, 4, 4}), class_field(10)};

// The training part of a small MNIST: 5 images of 4x4 and labels 0 to 4.
void write_small_mnist(const TemporaryFolder& folder, const std::string& start = "train") {
  folder.write(start + "-images-idx3-ubyte", idx_bytes({5, 4, 4}));
  folder.write(start + "-labels-idx1-ubyte", idx_bytes({5}));
}

TEST_CASE("IDX files are read with their labels, plain or packed, by any of their names",
          "[data]") {
  for (const auto* names : {"train-images-idx3-ubyte train-labels-idx1-ubyte",
                            "train-images.idx3-ubyte train-labels.idx1-ubyte.gz",
                            "train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz"}) {
    INFO(names);
    const TemporaryFolder folder;
    const std::string both = names;
    for (const auto& [name, bytes] :
         {std::pair{both.substr(0, both.find(' ')), idx_bytes({5, 4, 4})},
          {both.substr(both.find(' ') + 1), idx_bytes({5})}})
      folder.write(name, name.ends_with(".gz") ? gzip_bytes(bytes) : bytes);
    const auto set = opened(source("mnist", labelled), at_path(folder.path()));
    CHECK(set->count() == 5);
    const auto fields = sample(*set, 3);
    for (std::size_t i = 0; i < 16; ++i)
      CHECK(fields[0].f32[i] == static_cast<float>((48 + static_cast<double>(i)) / 127.5 - 1));
    CHECK(fields[1].i32 == std::vector<std::int32_t>{3});
  }
}

TEST_CASE("a set says which part and which folder it is", "[data]") {
  const TemporaryFolder folder;
  write_small_mnist(folder, "t10k");
  const auto places = DataPlaces{.data_dir = folder.path().string()};
  std::filesystem::create_directory(folder / "mnist");
  for (const char* name : {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"})
    std::filesystem::rename(folder / name, folder / "mnist" / name);
  const auto test = opened(source("mnist", labelled), places);  // no training files: the test files
  CHECK(test->describe() == "mnist: 5 test images of 4x4 from " + (folder / "mnist").string());
  CHECK(test->short_name() == "mnist");
  folder.write("mnist/train-images-idx3-ubyte", idx_bytes({7, 4, 4}));
  const auto spec = source("mnist", {real_field({16})});
  CHECK(opened(spec, places)->describe().starts_with("mnist: 7 train images"));
  CHECK(opened(source("mnist", {real_field({16})}, {{"split", std::string("test")}}), places)
            ->count() == 5);
  CHECK_THAT(refusal(source("mnist", labelled), places),
             Catch::Contains("no labels beside") &&
                 Catch::Contains("for field `y`; expected train-labels-idx1-ubyte or "));
  CHECK_THAT(refusal(source("mnist", {real_field({16})}, {{"split", std::string("all")}}), places),
             Catch::Contains("`split` is \"train\" or \"test\", not \"all\""));
}

TEST_CASE("a range is what bytes become, in float and in double", "[data]") {
  const TemporaryFolder folder;
  const auto path = folder.write("numbers", idx_bytes({2, 256}));
  const auto places = at_path(path);
  const auto narrow = opened(
      source("mnist", {real_field({256})}, {{"range", std::vector<double>{0, 1}}}), places, true);
  const auto usual = opened(source("mnist", {real_field({256})}), places, true);
  for (std::size_t v = 0; v < 256; ++v) {
    CHECK(sample(*narrow, 0)[0].f64[v] == static_cast<double>(v) / 255);
    CHECK(sample(*usual, 1)[0].f64[v] == static_cast<double>(v) / 127.5 - 1);
  }
}

TEST_CASE("what is not found is looked for by name, and --data is offered", "[data]") {
  const TemporaryFolder folder;
  CHECK(refusal(source("mnist", labelled)) ==
        "a.gan:2: mnist: its data are not found; looked in nothing, as GAN_DATA_DIR is not set; "
        "expected "
        "train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or with .gz; pass --data PATH, "
        "or set "
        "GAN_DATA_DIR to the folder that has `mnist`");
  CHECK_THAT(refusal(source("mnist", labelled), {.data_dir = folder.path().string()}),
             Catch::Contains("looked in " + (folder / "mnist").string() + " and "));
  CHECK(refusal(source("mnist", labelled), {.path = "/no/such"}) ==
        "a.gan:2: mnist: --data /no/such: there is no such file or folder");
}

TEST_CASE("one file of images stands for a folder, with its labels beside it", "[data]") {
  const TemporaryFolder folder;
  const auto images = folder.write("my-images.idx3", gzip_bytes(idx_bytes({5, 4, 4})));
  folder.write("my-labels.idx1", idx_bytes({5}, 4));
  const auto set = opened(source("digits", labelled), at_path(images));  // replaces a drawn source
  CHECK(set->count() == 5);
  CHECK(set->short_name() == "my-images");
  CHECK(sample(*set, 0)[1].i32[0] == 4);
  const auto alone = folder.write("numbers", idx_bytes({5, 4, 4}));
  CHECK_THAT(refusal(source("mnist", labelled), at_path(alone)),
             Catch::Contains("no labels beside"));
}

TEST_CASE("images of another size need resize or crop", "[data]") {
  const TemporaryFolder folder;
  const auto path = folder.write("a-images-idx3", idx_bytes({2, 4, 4}));
  const auto wide = source("mnist", {real_field({1, 8, 8})});
  CHECK_THAT(refusal(wide, at_path(path)),
             Catch::Contains(
                 "are [4, 4], but field `x` is [1, 8, 8]; another size needs `resize` or `crop`"));
  CHECK(refusal(source("mnist", {real_field({1, 2, 8})}), at_path(path)) !=
        "");  // no reshape of an image
  CHECK(refusal(source("mnist", {real_field({16, 1, 1})}), at_path(path)) == "");
  const auto larger =
      opened(source("mnist", {real_field({3, 8, 8})}, {{"resize", 8.0}}), at_path(path));
  CHECK(sample(*larger, 1)[0].f32.size() == 192);
  const auto middle =
      opened(source("mnist", {real_field({4})}, {{"crop", 2.0}}), at_path(path), true);
  CHECK(sample(*middle, 0)[0].f64 ==
        std::vector<double>{5 / 127.5 - 1, 6 / 127.5 - 1, 9 / 127.5 - 1, 10 / 127.5 - 1});
  CHECK_THAT(refusal(source("mnist", {real_field({1, 8, 8})}, {{"crop", 8.0}}), at_path(path)),
             Catch::Contains("is 4x4 grey, too small for `crop = 8`, but field `x` is [1, 8, 8]; "
                             "`resize = 8, crop = 8` in the source would adapt it"));
}

TEST_CASE("images are mirrored by seed, sample and visit", "[data]") {
  const TemporaryFolder folder;
  const auto path = folder.write("a", idx_bytes({50, 1, 2}));
  const auto spec = source("mnist", {real_field({2})}, {{"flip", true}});
  const auto set = opened(spec, at_path(path)), again = opened(spec, at_path(path));
  int mirrored = 0;
  for (std::int64_t i = 0; i < 50; ++i)
    for (std::uint64_t visit = 0; visit < 20; ++visit) {
      const auto pixels = sample(*set, i, visit)[0].f32;
      REQUIRE(pixels == sample(*again, i, visit)[0].f32);
      mirrored += pixels[0] > pixels[1];
    }
  CHECK(mirrored == Approx(500).margin(60));
  const auto flat = folder.write("b", idx_bytes({5, 2}));
  CHECK_THAT(refusal(spec, at_path(flat)),
             Catch::Contains("`flip` needs images, but the samples of "));
}

TEST_CASE("a set larger than its share of the memory is read again, alike", "[data]") {
  const TemporaryFolder folder;
  write_small_mnist(folder);
  const auto spec = source("mnist", labelled);
  const auto held = opened(spec, at_path(folder.path()));
  const auto reread = open_data_set(spec, at_path(folder.path()), false, 79);
  REQUIRE(reread);
  CHECK_THAT((*reread)->describe(), Catch::EndsWith(", read as they are needed"));
  for (std::int64_t i = 0; i < 5; ++i) {
    CHECK(sample(*held, i)[0].f32 == sample(**reread, i)[0].f32);
    CHECK(sample(*held, i)[1].i32 == sample(**reread, i)[1].i32);
  }
  const auto packed = folder.write("images.gz", gzip_bytes(idx_bytes({5, 4, 4})));
  const auto refused =
      open_data_set(source("mnist", {real_field({16})}), at_path(packed), false, 79);
  REQUIRE(!refused);
  CHECK_THAT(refused.error().message,
             Catch::Contains("more than a quarter of the memory; unpack it (gunzip)"));
}

TEST_CASE("damaged IDX files are refused, each with its path and reason", "[data]") {
  const TemporaryFolder folder;
  const auto is = [&](const Bytes& bytes, const std::string& reason) {
    const auto path = folder.write("a", bytes);
    CHECK(refusal(source("mnist", {real_field({16})}), at_path(path)) ==
          "cannot read " + path.string() + ": " + reason);
  };
  const Bytes good = idx_bytes({5, 4, 4});
  is({}, "the file is empty");
  is({0, 1, 2}, "not IDX (plain or gzip), not .npy, and no folder of PNG or JPEG images");
  is({0, 0, 8}, "not an IDX file, which begins with two zero bytes");
  is({0, 0, 0x0D, 1, 0, 0, 0, 0}, "IDX numbers of type 0x0D; only bytes (0x08) are read");
  is({0, 0, 8, 200}, "an IDX array of 200 axes; 1 to 8 are read");
  is({0, 0, 8, 3, 0, 0}, "it ends within its IDX header");
  is(idx_bytes({0, 4, 4}), "its IDX header declares no samples");
  is(Bytes(good.begin(), good.end() - 1), "its IDX header declares 80 bytes, but 79 follow");
  Bytes longer = good;
  longer.push_back(1);
  is(longer, "its IDX header declares 80 bytes, but 81 follow");
  Bytes huge = good;
  std::fill(huge.begin() + 4, huge.begin() + 16, 0xFF);
  is(huge, "its IDX header declares too large an array");
  std::fill(huge.begin() + 4, huge.begin() + 16, 0);
  huge[5] = huge[9] = huge[15] = 1;  // 2^32 bytes
  is(huge, "its IDX header declares 4294967296 bytes, but 80 follow");
  is(gzip_bytes({1, 2, 3, 4, 5}), "not an IDX file, which begins with two zero bytes");
  is({0x1F, 0x8B, 8}, "damaged gzip file: it ends too early");
}

TEST_CASE("damaged gzip files are refused, each with its path and reason", "[data]") {
  const TemporaryFolder folder;
  const auto reason = [&](const Bytes& bytes) {
    const auto path = folder.write("a.gz", bytes);
    return refusal(source("mnist", {real_field({16})}), at_path(path));
  };
  const Bytes good = gzip_bytes(idx_bytes({5, 4, 4}));
  CHECK(reason(good) == "");
  CHECK_THAT(reason(Bytes(good.begin(), good.end() - 3)),
             Catch::Contains("damaged gzip file: it ends too early"));
  Bytes wrong = good;
  wrong[wrong.size() - 6] ^= 1;
  CHECK_THAT(reason(wrong), Catch::Contains("damaged gzip file: incorrect data check"));
  Bytes followed = good;
  followed.insert(followed.end(), {1, 2, 3});
  CHECK_THAT(reason(followed), Catch::Contains("damaged gzip file: "));
  Bytes content = idx_bytes({5, 4, 4});
  content.pop_back();
  CHECK_THAT(reason(gzip_bytes(content)),
             Catch::Contains("it unpacks to fewer than the 96 bytes that its header declares"));
  content.insert(content.end(), {1, 2});
  CHECK_THAT(reason(gzip_bytes(content)),
             Catch::Contains("it unpacks to more than the 96 bytes that its header declares"));
  Bytes huge = idx_bytes({5, 4, 4});
  huge[4] = 3;  // 800 MB in 100 bytes
  CHECK_THAT(reason(gzip_bytes(huge)), Catch::Contains("it unpacks to fewer than the "));
  // Two members, one behind the other, are one file.
  const Bytes all = idx_bytes({5, 4, 4});
  Bytes two = gzip_bytes(Bytes(all.begin(), all.begin() + 50));
  const Bytes second = gzip_bytes(Bytes(all.begin() + 50, all.end()));
  two.insert(two.end(), second.begin(), second.end());
  CHECK(reason(two) == "");
}

TEST_CASE("labels that do not belong to the images are refused", "[data]") {
  const TemporaryFolder folder;
  write_small_mnist(folder);
  const auto reason = [&](const Bytes& labels, std::int64_t classes = 10) {
    folder.write("train-labels-idx1-ubyte", labels);
    return refusal(source("mnist", {real_field({16}), class_field(classes)}),
                   at_path(folder.path()));
  };
  CHECK_THAT(reason(idx_bytes({4})),
             Catch::Contains("has 4 labels, but ") && Catch::Contains("has 5 images"));
  CHECK_THAT(reason(idx_bytes({5, 1})),
             Catch::Contains("is no list of labels: its shape is [5, 1]"));
  CHECK_THAT(reason(idx_bytes({5}), 3),
             Catch::Contains("label 3 of ") && Catch::Contains("is 3, but field `y` is class[3]"));
  CHECK(reason(idx_bytes({5}), 5) == "");
}

TEST_CASE("files that are no files do not block", "[data]") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THAT(refusal(source("mnist", {real_field({16})}), at_path(folder / "pipe")),
             Catch::Contains((folder / "pipe").string()));
  REQUIRE(mkfifo((folder / "train-images-idx3-ubyte").c_str(), 0600) == 0);
  CHECK_THAT(refusal(source("mnist", {real_field({16})}), at_path(folder.path())),
             Catch::Contains((folder / "train-images-idx3-ubyte").string()));
  std::filesystem::create_directory(folder / "train-labels-idx1-ubyte");
  std::filesystem::remove(folder / "train-images-idx3-ubyte");
  folder.write("train-images-idx3-ubyte", idx_bytes({5, 4, 4}));
  CHECK_THAT(refusal(source("mnist", labelled), at_path(folder.path())),
             Catch::Contains((folder / "train-labels-idx1-ubyte").string()));
}

}  // namespace
}  // namespace ganc::runtime
