#include <sys/stat.h>

#include "data_fixture.h"

namespace ganc::runtime {
namespace {

std::string refusal_of(const std::filesystem::path& path) {
  const auto image = read_image(path);
  return image ? "" : image.error().message;
}

TEST_CASE("a PNG that was written is read as it was", "[image]") {
  const TemporaryFolder folder;
  for (const std::int64_t channels : {1, 3}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {17, 5}, {200, 120}}) {
      const Image image = marked_image(width, height, channels, 3);
      const auto path = folder / "a.png";
      REQUIRE(write_png(image, path));
      const auto back = read_image(path);
      REQUIRE(back);
      CHECK(back->width == width);
      CHECK(back->height == height);
      CHECK(back->channels == channels);
      CHECK(back->pixels == image.pixels);
    }
  }
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  CHECK(files == 1);  // no temporary file is left
}

TEST_CASE("a PNG cannot be written where there is no folder", "[image]") {
  const TemporaryFolder folder;
  const auto written = write_png(marked_image(2, 2, 1, 0), folder / "no" / "a.png");
  REQUIRE(!written);
  CHECK_THAT(written.error().message, Catch::Contains((folder / "no").string()) &&
                                          Catch::Contains("No such file or directory"));
}

TEST_CASE("JPEG files are read, baseline and progressive, grey and RGB", "[image]") {
  const TemporaryFolder folder;
  Image image{40, 24, 3, {}};
  for (int i = 0; i < 40 * 24 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i / 16));
  for (const bool progressive : {false, true}) {
    const auto back = read_image(folder.write("a.bin", jpeg_bytes(image, progressive)));
    REQUIRE(back);
    CHECK(back->width == 40);
    CHECK(back->channels == 3);
    double off = 0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      off += std::abs(back->pixels[i] - image.pixels[i]);
    CHECK(off / static_cast<double>(image.pixels.size()) < 6);
  }
  const auto grey = decode_image(jpeg_bytes(marked_image(9, 9, 1, 0)));
  REQUIRE(grey);
  CHECK(grey->channels == 1);
}

TEST_CASE("other kinds of PNG become 8-bit grey or RGB", "[image]") {
  const auto pixels = [](const Bytes& png, std::int64_t channels) {
    const auto image = decode_image(png);
    INFO((image ? std::string() : image.error().message));
    REQUIRE(image);
    CHECK(image->channels == channels);
    return image->pixels;
  };
  // Each row of the raw bytes begins with its filter, 0. Depth, then type: 0 grey, 2 RGB, 3
  // palette, 4 and 6 with alpha.
  CHECK(pixels(png_of(8, 1, 1, 0, {0, 0b10100000}), 1) == Bytes{255, 0, 255, 0, 0, 0, 0, 0});
  CHECK(pixels(png_of(2, 1, 4, 0, {0, 0x1F}), 1) == Bytes{17, 255});
  CHECK(pixels(png_of(2, 1, 16, 0, {0, 0x80, 0x00, 0xFF, 0xFF}), 1) == Bytes{128, 255});
  CHECK(pixels(png_of(2, 1, 8, 4, {0, 10, 0, 20, 255}), 1) == Bytes{10, 20});
  CHECK(pixels(png_of(1, 2, 8, 6, {0, 1, 2, 3, 0, 0, 4, 5, 6, 9}), 3) == Bytes{1, 2, 3, 4, 5, 6});
  const Bytes palette = {9, 8, 7, 200, 100, 50};
  const auto with_palette = png_of(4, 1, 2, 3, {0, 0b00010100}, {{"PLTE", palette}, {"tRNS", {0}}});
  CHECK(pixels(with_palette, 3) == Bytes{9, 8, 7, 200, 100, 50, 200, 100, 50, 9, 8, 7});
  // A broken colour profile is no broken image.
  CHECK(pixels(png_of(1, 1, 8, 0, {0, 77}, {{"iCCP", {1, 2, 3}}, {"gAMA", {0, 0, 0, 0}}}), 1) ==
        Bytes{77});
}

TEST_CASE("a file that is no image is refused with path and reason", "[image]") {
  const TemporaryFolder folder;
  const auto is = [&](const std::string& name, const std::string& reason) {
    CHECK(refusal_of(folder / name) == "cannot read " + (folder / name).string() + ": " + reason);
  };
  folder.write("empty.png", {});
  is("empty.png", "the file is empty");
  folder.write("text.png", {'h', 'e', 'l', 'l', 'o'});
  is("text.png", "not a PNG or JPEG file");
  Bytes png = png_bytes(marked_image(30, 20, 3, 1));
  folder.write("short.png", Bytes(png.begin(), png.begin() + 100));
  is("short.png", "damaged PNG: the file ends too early");
  Bytes longer = png;
  longer.push_back(0);
  folder.write("long.png", longer);
  is("long.png", "damaged PNG: bytes after its end");
  png[png.size() / 2] ^= 1;
  folder.write("flipped.png", png);
  CHECK_THAT(refusal_of(folder / "flipped.png"), Catch::Contains("damaged PNG: "));
  const Bytes jpeg = jpeg_bytes(marked_image(30, 20, 3, 1));
  folder.write("short.jpg", Bytes(jpeg.begin(), jpeg.end() - 40));
  is("short.jpg", "damaged JPEG: Premature end of JPEG file");
  folder.write("start.jpg", Bytes(jpeg.begin(), jpeg.begin() + 4));
  CHECK_THAT(refusal_of(folder / "start.jpg"), Catch::Contains("damaged JPEG: "));
}

TEST_CASE("what is no regular file is refused and does not block", "[image]") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  std::filesystem::create_directory(folder / "folder.png");
  for (const char* name : {"pipe.png", "folder.png", "absent.png"}) {
    INFO(name);
    CHECK_THAT(refusal_of(folder / name), Catch::Contains((folder / name).string()));
  }
}

TEST_CASE("a size that the file cannot hold is refused before memory is asked for", "[image]") {
  CHECK(check_image_size({100000, 100000, 3}, 1 << 30).error().message ==
        "it declares 100000x100000 pixels, more than a gigabyte");
  CHECK(check_image_size({10000, 10000, 3}, 1000).error().message ==
        "it declares 10000x10000 pixels, which 1000 bytes cannot hold");
  CHECK(check_image_size({0, 10, 1}, 1000).error().message == "it declares 0x10 pixels");
  CHECK(check_image_size({std::int64_t{1} << 20, std::int64_t{1} << 20, 3}, 1000).has_value() ==
        false);
  CHECK(check_image_size({4000, 4000, 3}, 3000));
  Bytes jpeg = jpeg_bytes(marked_image(30, 20, 1, 1));
  const Bytes marker = {0xFF, 0xC0};
  const auto frame = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end());
  REQUIRE(frame != jpeg.end());
  std::fill(frame + 5, frame + 9, 0xF0);  // height and width
  CHECK_THAT(decode_image(jpeg).error().message, Catch::Contains("it declares 61680x61680 pixels"));
  CHECK_THAT(decode_image(png_of(30000, 30000, 1, 0, {0})).error().message,
             Catch::Contains("it declares 30000x30000 pixels"));
  CHECK_THAT(decode_image(png_of(1u << 30, 4, 8, 0, {0})).error().message,
             Catch::Contains("damaged PNG"));
}

TEST_CASE("a grid has its cells in reading order between black margins", "[image]") {
  const std::vector<float> values = {-1, 1,    0, 1, NAN, 5,
                                     -5, 0.5f, 1, 1, 1,   1};  // three of [1, 2, 2]
  const Image image = grid(values, 3, 1, 2, 2, -1, 1, 0);
  REQUIRE(image.width == 2 + 2 * 4);
  REQUIRE(image.height == 2 + 2 * 4);
  REQUIRE(image.channels == 1);
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return int{image.pixels[static_cast<std::size_t>(y * image.width + x)]};
  };
  CHECK(at(2, 2) == 0);
  CHECK(at(3, 2) == 255);
  CHECK(at(2, 3) == 128);
  CHECK(at(6, 2) == 0);    // NaN
  CHECK(at(7, 2) == 255);  // above the range
  CHECK(at(7, 3) == 191);
  CHECK(at(2, 6) == 255);
  CHECK(at(6, 6) == 0);  // no fourth cell
  CHECK(at(0, 0) == 0);
  const Image colour = grid(values, 1, 3, 2, 2, -1, 1, 0);
  CHECK(colour.channels == 3);
  CHECK(int{colour.pixels[(2 * 6 + 2) * 3 + 2]} == 255);
  CHECK(grid(values, 1, 2, 2, 2, -1, 1, 0).width == 10);  // each of two channels is a cell
  CHECK(grid({}, 0, 1, 2, 2, -1, 1, 0).width == 6);
}

TEST_CASE("a grid that is painted piece by piece is the same", "[image]") {
  std::vector<float> values(6 * 3 * 2 * 2);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 36 - 1;
  GridPainter painter(6, 3, 2, 2, 2);
  const std::span<const float> all = values;
  painter.paint(all.first(24), -1, 1);
  painter.paint(all.subspan(24), -1, 1);
  const Image image = painter.take(), whole = grid(values, 6, 3, 2, 2, -1, 1, 2);
  CHECK(image.width == whole.width);
  CHECK(image.height == whole.height);
  CHECK(image.pixels == whole.pixels);
}

TEST_CASE("a grid keeps groups together and is near a square", "[image]") {
  const auto size = [](std::int64_t count, std::int64_t height, std::int64_t width,
                       std::int64_t group) {
    const std::vector<float> values(static_cast<std::size_t>(count * height * width), 1);
    const Image image = grid(values, count, 1, height, width, -1, 1, group);
    return std::pair(image.width, image.height);
  };
  CHECK(size(640, 28, 28, 10) ==
        std::pair<std::int64_t, std::int64_t>(2 + 30 * 30 + 2 * 6, 2 + 22 * 30));
  CHECK(size(128, 8, 8, 2) ==
        std::pair<std::int64_t, std::int64_t>(2 + 12 * 10 + 5 * 6, 2 + 11 * 10));
  CHECK(size(10, 2, 2, 10) ==
        std::pair<std::int64_t, std::int64_t>(2 + 10 * 4, 2 + 4));  // one sample
  CHECK(size(6, 2, 2, 3) == std::pair<std::int64_t, std::int64_t>(2 + 3 * 4, 2 + 2 * 4));

  // Two samples of two cells beside each other: the gap is between the samples.
  const Image image = grid(std::vector<float>(16, 1), 4, 1, 4, 1, -1, 1, 2);
  REQUIRE(image.width == 2 + 4 * 3 + 6);
  REQUIRE(image.height == 2 + 6);
  std::string row;
  for (std::int64_t x = 0; x < image.width; ++x)
    row += image.pixels[static_cast<std::size_t>(2 * image.width + x)] ? '#' : '.';
  CHECK(row == "..#..#........#..#..");
}

TEST_CASE("a scatter plot has reals in grey behind fakes in red", "[image]") {
  const Image image = scatter({-1, -1, 1, 1, NAN, 0}, {1, 1, 100, 100});
  REQUIRE(image.width == 512);
  REQUIRE(image.height == 512);
  int grey = 0, red = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const auto [r, g, b] = std::tuple(image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]);
    if (r == g && g == b && r < 255) ++grey;
    if (r > g) {
      ++red;
      CHECK(i / 3 / 512 < 256);  // up is up
      CHECK(i / 3 % 512 > 256);
    }
  }
  CHECK(grey == 9);
  CHECK(red == 9);
  CHECK(scatter({}, {}).pixels.size() == 512 * 512 * 3);
  CHECK(scatter({}, {2, 2}).pixels != scatter({}, {}).pixels);
}

}  // namespace
}  // namespace ganc::runtime
