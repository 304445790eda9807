#include "compiler/source/source.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace ganc {
namespace {

bool continues_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

Span join(Span first, Span last) {
  if (!first.known()) return last;
  if (!last.known()) return first;
  if (first.file != last.file) {
    std::fprintf(stderr, "ganc: bug: join of spans of two files (%u, %u)\n", first.file, last.file);
    std::abort();
  }
  return {first.file, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

std::uint32_t Sources::add(std::string name, std::string text) {
  File file{std::move(name), std::move(text), {0}};
  for (std::size_t i = 0; i < file.text.size(); ++i) {
    if (file.text[i] == '\n') file.line_starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
  files_.push_back(std::move(file));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string_view Sources::text(Span span) const {
  if (!span.known()) return {};
  const std::string_view all = text(span.file);
  const std::size_t begin = std::min<std::size_t>(span.begin, all.size());
  const std::size_t end = std::clamp<std::size_t>(span.end, begin, all.size());
  return all.substr(begin, end - begin);
}

std::uint32_t Sources::line_start(const File& file, std::uint32_t offset, std::size_t* number) {
  const auto& starts = file.line_starts;
  const auto next = std::upper_bound(starts.begin(), starts.end(), offset);
  *number = static_cast<std::size_t>(next - starts.begin());
  return *(next - 1);
}

Position Sources::position(std::uint32_t file, std::uint32_t offset) const {
  const File& f = files_.at(file);
  offset = std::min(offset, static_cast<std::uint32_t>(f.text.size()));
  std::size_t number = 0;
  const std::uint32_t start = line_start(f, offset, &number);
  std::uint32_t column = 1;
  for (std::uint32_t i = start; i < offset; ++i) column += !continues_code_point(f.text[i]);
  return {static_cast<std::uint32_t>(number), column};
}

std::string_view Sources::line(std::uint32_t file, std::uint32_t offset) const {
  const File& f = files_.at(file);
  offset = std::min(offset, static_cast<std::uint32_t>(f.text.size()));
  std::size_t number = 0;
  const std::uint32_t start = line_start(f, offset, &number);
  std::size_t end = f.text.find('\n', start);
  if (end == std::string::npos) end = f.text.size();
  if (end > start && f.text[end - 1] == '\r') --end;
  return std::string_view(f.text).substr(start, end - start);
}

}  // namespace ganc
