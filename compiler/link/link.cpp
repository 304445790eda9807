#include "compiler/link/link.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/link/trainer_libraries.h"

LLD_HAS_DRIVER(elf)

namespace ganc {
namespace {

namespace fs = std::filesystem;

// True where all of `bytes` are written; else errno says why not.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// An object in memory under a path that lld can open: no temporary file, nothing left behind by a
// crash.
class MemoryFile {
 public:
  static std::expected<MemoryFile, std::string> create(const std::string& bytes) {
    MemoryFile file(memfd_create("ganc-object", MFD_CLOEXEC));
    if (file.descriptor_ < 0) return failed("create");
    if (!write_all(file.descriptor_, bytes)) return failed("write");
    return file;
  }
  MemoryFile(MemoryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
  static std::unexpected<std::string> failed(std::string_view what) {
    return std::unexpected("cannot " + std::string(what) +
                           " an object in memory: " + std::strerror(errno));
  }
  int descriptor_;
};

// A pipe that lld writes the executable into, and the bytes that came out of it: lld cannot survive
// a full disk.
class OutputPipe {
 public:
  OutputPipe() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
    write_end_ = ends[1];
    reader_ = std::thread([this, end = ends[0]] {
      std::array<char, 1 << 16> part;
      for (;;) {
        const ssize_t count = read(end, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        bytes_.append(part.data(), static_cast<std::size_t>(count));
      }
      close(end);
    });
  }
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;
  ~OutputPipe() { finish(); }
  bool open() const { return write_end_ >= 0; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(write_end_); }
  // Ends the writing.
  const std::string& finish() {
    if (open()) close(std::exchange(write_end_, -1));
    if (reader_.joinable()) reader_.join();
    return bytes_;
  }

 private:
  int write_end_ = -1;
  std::string bytes_;
  std::thread reader_;
};

// lld's command line. Static and at a fixed address; no segment is writable and executable; only
// what is reached from `main` is kept; no build id and no symbols, so equal inputs give equal
// files.
std::vector<std::string> linker_arguments(const std::vector<MemoryFile>& objects,
                                          const fs::path& folder, const std::string& output) {
  std::vector<std::string> arguments = {"ld.lld",
                                        "-static",
                                        "--no-pie",
                                        "-m",
                                        "elf_x86_64",
                                        "--eh-frame-hdr",
                                        "--gc-sections",
                                        "--strip-all",
                                        "--build-id=none",
                                        "--fatal-warnings",
                                        "-z",
                                        "noexecstack",
                                        "-z",
                                        "relro",
                                        "-z",
                                        "separate-code",
                                        "-o",
                                        output};
  for (std::string_view file : leading_files) arguments.push_back((folder / file).string());
  for (const MemoryFile& object : objects) arguments.push_back(object.path());
  for (std::string_view file : archives) arguments.push_back((folder / file).string());
  for (std::string_view file : trailing_files) arguments.push_back((folder / file).string());
  return arguments;
}

// lld's messages, or nothing where it succeeded.
std::optional<std::string> run_linker(const std::vector<std::string>& arguments) {
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  const lld::Result result = lld::lldMain(pointers, stream, stream, drivers);
  if (result.retCode == 0) return std::nullopt;
  stream.flush();
  while (!messages.empty() && messages.back() == '\n') messages.pop_back();
  return messages.empty() ? "lld failed without a message" : messages;
}

std::unexpected<std::string> unwritable(const fs::path& output, std::string_view why) {
  return std::unexpected("cannot write " + output.string() + ": " + std::string(why));
}

// An executable file at `output`, whole or not at all.
std::expected<void, std::string> write_executable(const fs::path& output, std::string_view bytes) {
  const fs::path part = output.string() + "." + std::to_string(getpid()) + ".part";
  const int descriptor = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0777);
  if (descriptor < 0) return unwritable(output, std::strerror(errno));
  int error = write_all(descriptor, bytes) ? 0 : errno;
  if (close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && rename(part.c_str(), output.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(part.c_str());
  return unwritable(output, std::strerror(error));
}

}  // namespace

std::expected<void, std::string> check_output(const fs::path& output) {
  std::error_code error;
  const fs::file_status status = fs::status(output, error);
  if (fs::exists(status) && !fs::is_regular_file(status))
    return unwritable(output, "it is there and is no regular file");
  const fs::path folder = output.has_parent_path() ? output.parent_path() : ".";
  if (access((folder / "").c_str(), W_OK | X_OK) != 0)
    return unwritable(output, std::strerror(errno));
  if (!output.has_filename()) return unwritable(output, "it names no file");
  return {};
}

std::expected<std::uintmax_t, std::string> link_executable(std::span<const std::string> objects,
                                                           const fs::path& output,
                                                           const fs::path& library_folder) {
  if (auto checked = check_output(output); !checked) return std::unexpected(checked.error());
  std::vector<MemoryFile> files;
  for (const std::string& object : objects) {
    auto file = MemoryFile::create(object);
    if (!file) return std::unexpected(file.error());
    files.push_back(std::move(*file));
  }

  OutputPipe pipe;
  if (!pipe.open()) return unwritable(output, std::strerror(errno));
  if (auto messages = run_linker(linker_arguments(files, library_folder, pipe.path())))
    return std::unexpected("cannot link " + output.string() + ": " + *messages);
  const std::string& bytes = pipe.finish();
  if (auto written = write_executable(output, bytes); !written)
    return std::unexpected(written.error());
  return bytes.size();
}

}  // namespace ganc
