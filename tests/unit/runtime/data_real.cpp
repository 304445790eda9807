#include <numeric>

#include "data_fixture.h"
#include "runtime/data/loader.h"

// Real data, where GAN_DATA_DIR says that they are.
namespace ganc::runtime {
namespace {

// "" and a visible word where there are none.
std::string data_folder(const std::string& name) {
  const char* folder = std::getenv("GAN_DATA_DIR");
  if (folder && *folder && std::filesystem::exists(std::filesystem::path(folder) / name))
    return folder;
  WARN("skipped: GAN_DATA_DIR is not set to a folder with `" << name << "`");
  return "";
}

TEST_CASE("MNIST's test images are read with their labels", "[data]") {
  const std::string folder = data_folder("mnist");
  if (folder.empty()) return;
  const auto spec = source("mnist", {real_field({1, 28, 28}), class_field(10)},
                           {{"split", std::string("test")}, {"range", std::vector<double>{0, 1}}});
  const auto set = opened(spec, {.data_dir = folder});
  REQUIRE(set->count() == 10000);
  std::vector<std::int32_t> labels;
  double ink = 0;
  for (std::int64_t i = 0; i < 10000; ++i) {
    const auto fields = sample(*set, i);
    labels.push_back(fields[1].i32[0]);
    ink += std::accumulate(fields[0].f32.begin(), fields[0].f32.end(), 0.0) / 784 / 10000;
  }
  CHECK(std::vector(labels.begin(), labels.begin() + 8) ==
        std::vector<std::int32_t>{7, 2, 1, 0, 4, 1, 4, 9});
  CHECK(std::ranges::count(labels, 5) == 892);
  CHECK(ink == Approx(0.1325).epsilon(0.001));
}

TEST_CASE("CIFAR-10's folders are its classes", "[data]") {
  const std::string folder = data_folder("cifar10/train");
  if (folder.empty()) return;
  const auto set = opened(source("images", {real_field({3, 32, 32}), class_field(10)},
                                 {{"name", std::string("cifar10/train")}}),
                          {.data_dir = folder, .threads = 2});
  CHECK(set->count() == 10000);
  CHECK(set->short_name() == "train");
  CHECK(sample(*set, 0)[1].i32[0] == 0);
  CHECK(sample(*set, 9999)[1].i32[0] == 9);
  Loader loader(
      std::shared_ptr<const DataSet>(opened(source("images", {real_field({3, 16, 16})},
                                                   {{"name", std::string("facades/train")},
                                                    {"resize", 16.0},
                                                    {"crop", 16.0},
                                                    {"flip", true}}),
                                            {.data_dir = folder, .threads = 2})),
      64, 0, 0);
  for (int i = 0; i < 3; ++i) CHECK(loader.next());
}

}  // namespace
}  // namespace ganc::runtime
