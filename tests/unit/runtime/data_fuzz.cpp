#include <functional>

#include "data_fixture.h"
#include "runtime/data/philox.h"

// Damaged files: whatever is in them, reading ends with samples or with one message that names the
// path, never with a crash or a hang. GANC_FUZZ_COUNT is the number of files of each kind,
// GANC_FUZZ_SEED the first seed.
namespace ganc::runtime {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// One to four edits: a bit, a byte, a run cut out, doubled or overwritten, the end cut off.
Bytes mutated(Bytes bytes, std::uint64_t seed) {
  Draws draws(seed, Stream::point, 0);
  const std::uint32_t edits = 1 + draws.below(4);
  for (std::uint32_t i = 0; i < edits && !bytes.empty(); ++i) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    // Headers are small and matter most: every other edit is in the first 64 bytes.
    const auto at = bytes.begin() + draws.below(draws.below(2) ? std::min(size, 64u) : size);
    const auto run = std::min<std::ptrdiff_t>(1 + draws.below(16), bytes.end() - at);
    switch (draws.below(6)) {
      case 0:
        *at = static_cast<std::uint8_t>(*at ^ (1u << draws.below(8)));
        break;
      case 1:
        *at = static_cast<std::uint8_t>(draws.word());
        break;
      case 2:
        bytes.erase(at, at + run);
        break;
      case 3: {
        const Bytes copy(at, at + run);
        bytes.insert(at, copy.begin(), copy.end());
        break;
      }
      case 4:
        std::fill(at, at + run, draws.below(2) ? 0xFF : 0x00);
        break;
      case 5:
        bytes.erase(at, bytes.end());
        break;
    }
  }
  return bytes;
}

using Read = std::function<Result<void>(const std::filesystem::path&)>;

void read_damaged(const std::string& name, const Bytes& good, const Read& read) {
  const TemporaryFolder folder;
  const std::uint64_t seed = from_environment("GANC_FUZZ_SEED", 1);
  const std::uint64_t count = from_environment("GANC_FUZZ_COUNT", 1500);
  const auto whole = read(folder.write(name, good));
  INFO((whole ? std::string() : whole.error().message));
  REQUIRE(whole);
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto path = folder.write(name, mutated(good, seed + i));
    const auto result = read(path);
    if (result) continue;
    ++refused;
    if (result.error().message.find(path.string()) == std::string::npos) {
      INFO("seed " << seed + i << ": " << result.error().message);
      FAIL_CHECK();
    }
  }
  INFO("seeds from " << seed);
  CHECK(refused > count / 4);
}

Result<void> read_all(const SourceSpec& spec, const std::filesystem::path& path) {
  auto set = open_data_set(spec, at_path(path), false);
  if (!set) return std::unexpected(set.error());
  auto fields = (*set)->make_room(1);
  for (std::int64_t i = 0; i < (*set)->count(); ++i)
    if (auto done = (*set)->read(i, 0, 0, fields); !done) return done;
  return {};
}

Result<void> read_picture(const std::filesystem::path& path) {
  const auto image = read_image(path);
  if (!image) return std::unexpected(image.error());
  REQUIRE(image->pixels.size() ==
          static_cast<std::size_t>(image->width * image->height * image->channels));
  return {};
}

TEST_CASE("damaged PNG files", "[data][fuzz]") {
  read_damaged("a.png", png_bytes(marked_image(24, 16, 3, 1)), read_picture);
  const Bytes rows = {0, 0b00010100, 1, 0b11100100};
  read_damaged("b.png", png_of(4, 2, 2, 3, rows, {{"PLTE", Bytes(12, 77)}, {"tRNS", {1, 2}}}),
               read_picture);
}

TEST_CASE("damaged JPEG files", "[data][fuzz]") {
  read_damaged("a.jpg", jpeg_bytes(marked_image(24, 16, 3, 1)), read_picture);
  read_damaged("b.jpg", jpeg_bytes(marked_image(24, 16, 1, 1), true), read_picture);
}

TEST_CASE("damaged IDX files", "[data][fuzz]") {
  const auto spec = source("mnist", {real_field({20})});
  const auto read = [&](const std::filesystem::path& path) { return read_all(spec, path); };
  read_damaged("a-idx3", idx_bytes({6, 4, 5}), read);
  read_damaged("a-idx3.gz", gzip_bytes(idx_bytes({60, 4, 5}, 0, 7)), read);
}

TEST_CASE("damaged arrays", "[data][fuzz]") {
  const auto spec = source("npy", {real_field({5})}, {{"name", std::string("a")}});
  const Bytes good = npy_bytes("<i4", "(6, 5)", Bytes(120));
  read_damaged("a.npy", good,
               [&](const std::filesystem::path& path) { return read_all(spec, path); });
}

}  // namespace
}  // namespace ganc::runtime
