#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

// The one layer between the runtime and the file system. Every failure is one sentence with the
// path, the system's reason and, where there is one, the remedy. Nothing here blocks on a FIFO or
// reads a folder as a file.

// "cannot ACTION PATH: No space left on device; free some space or ..." of an errno.
Failure file_failure(std::string_view action, const std::filesystem::path& path, int error);

class File {
 public:
  // A regular file for reading; a folder, FIFO, socket or device is an error.
  static Result<File> open(const std::filesystem::path& path);
  // For writing, emptied if it is there.
  static Result<File> create(const std::filesystem::path& path);
  // For writing at its end, made if it is not there.
  static Result<File> append(const std::filesystem::path& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  const std::filesystem::path& path() const { return path_; }
  // When the file was opened.
  std::uint64_t size() const { return size_; }

  // Exactly `bytes` from `offset`; less is an error.
  Result<void> read_at(std::uint64_t offset, void* to, std::size_t bytes) const;
  Result<void> write(const void* from, std::size_t bytes);
  Result<void> write(std::string_view text) { return write(text.data(), text.size()); }
  Result<void> write_at(std::uint64_t offset, const void* from, std::size_t bytes);
  Result<void> truncate(std::uint64_t bytes);
  // False where another process holds the file. Held until the file is closed or the process ends.
  Result<bool> hold();
  // Waits until the content is on the disk.
  Result<void> sync();
  Result<void> close();

 private:
  File(int descriptor, std::filesystem::path path, std::uint64_t size)
      : descriptor_(descriptor), path_(std::move(path)), size_(size) {}
  int descriptor_ = -1;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
};

// A whole regular file of at most `limit` bytes.
Result<std::vector<char>> read_file(const std::filesystem::path& path,
                                    std::uint64_t limit = UINT64_C(1) << 40);
Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t limit = 1 << 28);
// Leaves the old file or the new one, whatever happens: written to `path` + ".part", synced,
// renamed.
Result<void> replace_file(const std::filesystem::path& path, std::string_view bytes);
// `from` becomes `to`, which may be there; the folder is synced.
Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
// `link` points to `target` (a name in the same folder), atomically.
Result<void> replace_link(const std::filesystem::path& link, const std::string& target);
Result<void> remove_file(const std::filesystem::path& path);
// With its parents; it may be there.
Result<void> make_folder(const std::filesystem::path& path);
// False if it was there already; any other obstacle is a failure.
Result<bool> make_new_folder(const std::filesystem::path& path);
// The names in a folder, sorted.
Result<std::vector<std::string>> list_folder(const std::filesystem::path& path);

bool is_folder(const std::filesystem::path& path);
bool exists(const std::filesystem::path& path);

}  // namespace ganc::runtime
