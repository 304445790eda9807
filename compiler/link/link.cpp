#include "compiler/link/link.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/link/trainer_libraries.h"

LLD_HAS_DRIVER(elf)

namespace ganc {
namespace {

namespace fs = std::filesystem;

// An object in memory under a path that lld can open: no temporary file, nothing left behind by a
// crash.
class MemoryFile {
 public:
  static std::expected<MemoryFile, std::string> create(const std::string& bytes) {
    MemoryFile file(memfd_create("ganc-object", MFD_CLOEXEC));
    if (file.descriptor_ < 0) return failed("create");
    for (std::size_t written = 0; written < bytes.size();) {
      const ssize_t count = write(file.descriptor_, bytes.data() + written, bytes.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("write");
      written += static_cast<std::size_t>(count);
    }
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

// lld's command line. Static and at a fixed address; no segment is writable and executable; only
// what is reached from `main` is kept; no build id and no symbols, so equal inputs give equal
// files.
std::vector<std::string> linker_arguments(const std::vector<MemoryFile>& objects,
                                          const fs::path& folder, const fs::path& part) {
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
                                        part.string()};
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

}  // namespace

std::expected<std::uintmax_t, std::string> link_executable(std::span<const std::string> objects,
                                                           const fs::path& output,
                                                           const fs::path& library_folder) {
  std::error_code error;
  // A folder, a FIFO or a device is no place for an executable; lld would write into it.
  const fs::file_status status = fs::status(output, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return std::unexpected("cannot write " + output.string() +
                           ": it is there and is no regular file");
  }
  std::vector<MemoryFile> files;
  for (const std::string& object : objects) {
    auto file = MemoryFile::create(object);
    if (!file) return std::unexpected(file.error());
    files.push_back(std::move(*file));
  }

  const fs::path part = output.string() + "." + std::to_string(getpid()) + ".part";
  if (auto messages = run_linker(linker_arguments(files, library_folder, part))) {
    fs::remove(part, error);
    return std::unexpected("cannot link " + output.string() + ": " + *messages);
  }
  const std::uintmax_t size = fs::file_size(part, error);
  if (error) return std::unexpected("cannot read " + part.string() + ": " + error.message());
  fs::rename(part, output, error);
  if (error) {
    const std::string reason = error.message();
    fs::remove(part, error);
    return std::unexpected("cannot write " + output.string() + ": " + reason);
  }
  return size;
}

}  // namespace ganc
