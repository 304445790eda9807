#include "compiler/link/link.h"

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <elf.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder of its own for each test, with the libraries of ganc and the fixture in the runtime's
// place.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "ganc-link-XXXXXX").string();
    path = mkdtemp(name.data());
    fs::create_directory(path / "lib");
    for (const auto& entry : fs::directory_iterator(GANC_LIBRARIES)) {
      fs::create_symlink(entry.path(), path / "lib" / entry.path().filename());
    }
    fs::remove(path / "lib" / "libganc_runtime.a");
    fs::create_symlink(FIXTURE_RUNTIME, path / "lib" / "libganc_runtime.a");
  }
  ~Folder() { fs::remove_all(path); }
  fs::path lib() const { return path / "lib"; }
};

std::string run(const fs::path& program) {
  std::string output;
  FILE* pipe = popen(program.c_str(), "r");
  for (std::array<char, 256> part; fgets(part.data(), part.size(), pipe) != nullptr;)
    output += part.data();
  return pclose(pipe) == 0 ? output : "failed: " + output;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("an executable is static, runs with threads and exceptions, and is small") {
  Folder folder;
  const std::string object = read_file(FIXTURE_PROGRAM);
  REQUIRE(!object.empty());
  const auto size =
      ganc::link_executable(std::array{object}, folder.path / "trainer", folder.lib());
  REQUIRE(size.has_value());
  CHECK(run(folder.path / "trainer") == "caught 42 2.718\n");
  CHECK(*size == fs::file_size(folder.path / "trainer"));
  CHECK(*size < 3'000'000);
  CHECK(entries(folder.path) == 2);  // lib and trainer: nothing temporary is left

  // No interpreter, no dynamic section, no segment that is writable and executable.
  const std::string image = read_file(folder.path / "trainer");
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(image.data());
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(image.data() + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i) {
    CHECK(segments[i].p_type != PT_INTERP);
    CHECK(segments[i].p_type != PT_DYNAMIC);
    CHECK((segments[i].p_flags & (PF_W | PF_X)) != (PF_W | PF_X));
  }
}

TEST_CASE("linking twice in one process gives equal files") {
  Folder folder;
  const std::string object = read_file(FIXTURE_PROGRAM);
  REQUIRE(ganc::link_executable(std::array{object}, folder.path / "a", folder.lib()));
  REQUIRE(ganc::link_executable(std::array{object}, folder.path / "b", folder.lib()));
  CHECK(read_file(folder.path / "a") == read_file(folder.path / "b"));
}

TEST_CASE("a failed link says why and leaves the old file") {
  Folder folder;
  std::ofstream(folder.path / "trainer") << "old";
  SECTION("an undefined symbol") {
    const auto size = ganc::link_executable({}, folder.path / "trainer", folder.lib());
    REQUIRE(!size);
    CHECK(size.error().find("fixture_answer") != std::string::npos);
  }
  SECTION("no object file") {
    const auto size = ganc::link_executable(std::array{std::string("junk")},
                                            folder.path / "trainer", folder.lib());
    REQUIRE(!size);
  }
  CHECK(read_file(folder.path / "trainer") == "old");
  CHECK(entries(folder.path) == 2);
}

TEST_CASE("an output that meets a limit of files leaves the old one and nothing else") {
  Folder folder;
  std::ofstream(folder.path / "trainer") << "old";
  const std::string object = read_file(FIXTURE_PROGRAM);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 200'000;
  REQUIRE(object.size() < small.rlim_cur);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto size =
      ganc::link_executable(std::array{object}, folder.path / "trainer", folder.lib());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  REQUIRE(!size);
  CHECK(size.error() == "cannot write " + (folder.path / "trainer").string() + ": File too large");
  CHECK(read_file(folder.path / "trainer") == "old");
  CHECK(entries(folder.path) == 2);
}

TEST_CASE("an output that cannot be written is named") {
  Folder folder;
  const std::array object{read_file(FIXTURE_PROGRAM)};
  const auto absent =
      ganc::link_executable(object, folder.path / "absent" / "trainer", folder.lib());
  REQUIRE(!absent);
  CHECK(absent.error().find("absent/trainer") != std::string::npos);
  const auto is_folder = ganc::link_executable(object, folder.lib(), folder.lib());
  REQUIRE(!is_folder);
  CHECK(is_folder.error().find("no regular file") != std::string::npos);
  REQUIRE(mkfifo((folder.path / "fifo").c_str(), 0600) == 0);
  CHECK(!ganc::link_executable(object, folder.path / "fifo", folder.lib()));
}

TEST_CASE("a library folder that lacks a file is named with the remedy") {
  Folder folder;
  fs::remove(folder.lib() / "libjpeg.a");
  setenv("GANC_LIB", folder.lib().c_str(), 1);
  const auto lacking = ganc::trainer_library_folder();
  unsetenv("GANC_LIB");
  REQUIRE(!lacking);
  CHECK(lacking.error().find("libjpeg.a is missing") != std::string::npos);
}
