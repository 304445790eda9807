#include "runtime/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ganc::runtime {
namespace {

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space, or write to another disk";
    case EFBIG:
      return "; the limit on the size of files (ulimit -f) is too small";
    case EACCES:
    case EPERM:
      return "; check its permissions and those of its folder";
    case EROFS:
      return "; choose a place that can be written";
    case EMFILE:
    case ENFILE:
      return "; raise the limit on open files (ulimit -n)";
    default:
      return "";
  }
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a folder";
  if (S_ISFIFO(mode)) return "it is a FIFO";
  if (S_ISSOCK(mode)) return "it is a socket";
  return "it is a device";
}

Result<int> open_descriptor(std::string_view action, const std::filesystem::path& path, int flags) {
  int descriptor;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return std::unexpected(file_failure(action, path, errno));
  return descriptor;
}

// Makes a rename or a new name in `folder` last. Not every file system can sync a folder; the ones
// that cannot need not.
Result<void> sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path name = folder.empty() ? "." : folder;
  auto descriptor = open_descriptor("open", name, O_RDONLY | O_DIRECTORY);
  if (!descriptor) return std::unexpected(descriptor.error());
  const int result = ::fsync(*descriptor);
  const int error = errno;
  ::close(*descriptor);
  if (result != 0 && error != EINVAL && error != ENOTSUP && error != EROFS)
    return std::unexpected(file_failure("sync", name, error));
  return {};
}

}  // namespace

Failure file_failure(std::string_view action, const std::filesystem::path& path, int error) {
  return {fmt::format("cannot {} {}: {}{}", action, path.native(), std::strerror(error),
                      remedy(error))};
}

Result<File> File::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes returns at once; it changes nothing for a regular
  // file.
  auto descriptor = open_descriptor("read", path, O_RDONLY | O_NONBLOCK);
  if (!descriptor) return std::unexpected(descriptor.error());
  struct stat status{};
  if (::fstat(*descriptor, &status) != 0) {
    const int error = errno;
    ::close(*descriptor);
    return std::unexpected(file_failure("read", path, error));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(*descriptor);
    return fail(fmt::format("cannot read {}: {}, and a file is needed here", path.native(),
                            kind_of(status.st_mode)));
  }
  return File(*descriptor, path, static_cast<std::uint64_t>(status.st_size));
}

Result<File> File::create(const std::filesystem::path& path) {
  // A FIFO or device in the way is not written to.
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return fail(fmt::format("cannot create {}: {}, and a file is needed here", path.native(),
                            kind_of(status.st_mode)));
  auto descriptor = open_descriptor("create", path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!descriptor) return std::unexpected(descriptor.error());
  return File(*descriptor, path, 0);
}

Result<File> File::append(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return fail(fmt::format("cannot write {}: {}, and a file is needed here", path.native(),
                            kind_of(status.st_mode)));
  auto descriptor = open_descriptor("write", path, O_WRONLY | O_CREAT | O_APPEND);
  if (!descriptor) return std::unexpected(descriptor.error());
  return File(*descriptor, path, 0);
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      size_(other.size_) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> File::read_at(std::uint64_t offset, void* to, std::size_t bytes) const {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = ::pread(descriptor_, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(file_failure("read", path_, errno));
    if (n == 0)
      return fail(fmt::format("cannot read {}: it ends at byte {}, {} bytes too early",
                              path_.native(), offset, bytes));
    at += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> File::write(const void* from, std::size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = ::write(descriptor_, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(file_failure("write", path_, errno));
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> File::write_at(std::uint64_t offset, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = ::pwrite(descriptor_, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(file_failure("write", path_, errno));
    at += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> File::truncate(std::uint64_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    return std::unexpected(file_failure("shorten", path_, errno));
  return {};
}

Result<bool> File::hold() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  // A file system that knows no locks has nothing to say about other processes.
  if (errno == ENOLCK || errno == ENOTSUP || errno == EINVAL) return true;
  return std::unexpected(file_failure("lock", path_, errno));
}

Result<void> File::sync() {
  if (::fsync(descriptor_) != 0) return std::unexpected(file_failure("sync", path_, errno));
  return {};
}

Result<void> File::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0)
    return std::unexpected(file_failure("close", path_, errno));
  return {};
}

Result<std::vector<char>> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  if (file->size() > limit)
    return fail(fmt::format("cannot read {}: its {} bytes are more than the {} that can be right",
                            path.native(), file->size(), limit));
  std::vector<char> bytes(file->size());
  if (auto r = file->read_at(0, bytes.data(), bytes.size()); !r) return std::unexpected(r.error());
  return bytes;
}

Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t limit) {
  auto bytes = read_file(path, limit);
  if (!bytes) return std::unexpected(bytes.error());
  return std::string(bytes->begin(), bytes->end());
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path part = path.native() + ".part";
  auto write = [&]() -> Result<void> {
    auto file = File::create(part);
    if (!file) return std::unexpected(file.error());
    if (auto r = file->write(bytes); !r) return r;
    if (auto r = file->sync(); !r) return r;
    if (auto r = file->close(); !r) return r;
    return rename_file(part, path);
  };
  auto result = write();
  if (!result) ::unlink(part.c_str());
  return result;
}

Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return std::unexpected(file_failure("rename " + from.native() + " to", to, errno));
  return sync_folder(to.parent_path());
}

Result<void> replace_link(const std::filesystem::path& link, const std::string& target) {
  const std::filesystem::path part = link.native() + ".part";
  ::unlink(part.c_str());
  if (::symlink(target.c_str(), part.c_str()) != 0)
    return std::unexpected(file_failure("create the link", link, errno));
  return rename_file(part, link);
}

Result<void> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(file_failure("remove", path, errno));
  return {};
}

Result<void> make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && is_folder(path)) return {};
  return std::unexpected(file_failure("create folder", path, error ? error.value() : ENOTDIR));
}

Result<bool> make_new_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  if (errno == EEXIST) return false;
  return std::unexpected(file_failure("create folder", path, errno));
}

Result<std::vector<std::string>> list_folder(const std::filesystem::path& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return std::unexpected(file_failure("read folder", path, errno));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(folder);
  if (error != 0) return std::unexpected(file_failure("read folder", path, error));
  std::sort(names.begin(), names.end());
  return names;
}

bool is_folder(const std::filesystem::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool exists(const std::filesystem::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace ganc::runtime
