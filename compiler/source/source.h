#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ganc {

// A range of bytes of one file. `file` is an index into Sources; a default Span is nowhere.
struct Span {
  static constexpr std::uint32_t nowhere = UINT32_MAX;
  std::uint32_t file = nowhere;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool known() const { return file != nowhere; }
  bool operator==(const Span&) const = default;
};

// From the first byte of `first` to the last of `last`; both of the same file.
Span join(Span first, Span last);

// 1-based. A column counts bytes of UTF-8 code points, not bytes: what an editor shows.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// The texts that a compilation read. Files are never removed; references stay valid.
class Sources {
 public:
  // `name` is what diagnostics print; `text` may hold anything, also what is no UTF-8.
  std::uint32_t add(std::string name, std::string text);

  std::size_t count() const { return files_.size(); }
  const std::string& name(std::uint32_t file) const { return files_.at(file).name; }
  const std::string& text(std::uint32_t file) const { return files_.at(file).text; }
  std::string_view text(Span span) const;
  Position position(std::uint32_t file, std::uint32_t offset) const;
  // The line that holds `offset`, without its end.
  std::string_view line(std::uint32_t file, std::uint32_t offset) const;

 private:
  struct File {
    std::string name;
    std::string text;
    std::vector<std::uint32_t> line_starts;
  };
  // The offset at which the line of `offset` starts, and the line's number.
  static std::uint32_t line_start(const File& file, std::uint32_t offset, std::size_t* number);

  std::deque<File> files_;
};

}  // namespace ganc
