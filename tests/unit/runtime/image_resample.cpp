#include "data_fixture.h"
#include "runtime/images/resample.h"

namespace ganc::runtime {
namespace {

TEST_CASE("an even picture stays even at any size", "[image]") {
  const Image image{37, 23, 3, Bytes(37 * 23 * 3, 201)};
  for (const auto& [width, height] : {std::pair{5, 3}, {64, 64}, {37, 1}, {1, 90}}) {
    const Image other = resized(image, width, height);
    CHECK(other.pixels == Bytes(static_cast<std::size_t>(width * height * 3), 201));
  }
}

TEST_CASE("halving averages with a triangle as wide as four pixels", "[image]") {
  const Image image{8, 1, 1, {0, 0, 0, 0, 255, 255, 255, 255}};
  // Weights 1 3 3 1 over 8; at the border what is left of them.
  CHECK(resized(image, 4, 1).pixels == Bytes{0, 32, 223, 255});
  const Image column{1, 8, 1, image.pixels};
  CHECK(resized(column, 1, 4).pixels == Bytes{0, 32, 223, 255});
}

TEST_CASE("enlarging is bilinear between the centres of pixels", "[image]") {
  const Image image{2, 1, 1, {0, 200}};
  CHECK(resized(image, 4, 1).pixels == Bytes{0, 50, 150, 200});
}

TEST_CASE("the shorter side is brought to size, the longer keeps the proportion", "[image]") {
  const Image wide = resized_shorter_side(marked_image(120, 60, 1, 0), 20);
  CHECK(wide.width == 40);
  CHECK(wide.height == 20);
  const Image tall = resized_shorter_side(marked_image(10, 25, 3, 0), 12);
  CHECK(tall.width == 12);
  CHECK(tall.height == 30);
  CHECK(resized_shorter_side(marked_image(20, 40, 1, 0), 20).pixels ==
        marked_image(20, 40, 1, 0).pixels);
}

TEST_CASE("the middle is cut out", "[image]") {
  const Image image{5, 3, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}};
  CHECK(cropped_to_centre(image, 3).pixels == Bytes{1, 2, 3, 6, 7, 8, 11, 12, 13});
  CHECK(cropped_to_centre(image, 1).pixels == Bytes{7});
}

}  // namespace
}  // namespace ganc::runtime
