#include "runtime/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/convert.h"
#include "runtime/files.h"

namespace ganc::runtime {
namespace {

constexpr std::uint64_t header_limit = 1 << 16;

std::unexpected<Failure> unreadable(const std::filesystem::path& path, std::string_view reason) {
  return fail(fmt::format("cannot read {}: {}", path.native(), reason));
}

// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  bool accept(char c) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == c) return ++at_, true;
    return false;
  }
  std::optional<std::string_view> quoted() {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }
  std::optional<bool> boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"})
      if (text_.substr(at_).starts_with(word)) return at_ += word.size(), word == "True";
    return std::nullopt;
  }
  std::optional<std::vector<std::int64_t>> tuple() {
    if (!accept('(')) return std::nullopt;
    std::vector<std::int64_t> numbers;
    while (!accept(')')) {
      skip_space();
      std::int64_t number = -1;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
      if (error != std::errc() || number < 0) return std::nullopt;
      at_ = static_cast<std::size_t>(end - text_.data());
      accept('L');  // Python 2 wrote long integers so
      numbers.push_back(number);
      if (!accept(',')) {
        if (!accept(')')) return std::nullopt;
        break;
      }
    }
    return numbers;
  }
  bool at_end() { return skip_space(), at_ == text_.size(); }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

struct Fields {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Why the dictionary cannot be read, or nothing.
std::optional<std::string> parse(std::string_view text, Fields& fields) {
  HeaderReader reader(text);
  if (!reader.accept('{')) return "its header is no dictionary; it is damaged";
  while (!reader.accept('}')) {
    const auto key = reader.quoted();
    if (!key || !reader.accept(':')) return "its header is damaged";
    if (*key == "descr") {
      fields.descr = reader.quoted();
      if (!fields.descr)
        return "it holds records, not numbers; save one field with numpy.save(path, a['field'])";
    } else if (*key == "fortran_order") {
      fields.fortran_order = reader.boolean();
    } else if (*key == "shape") {
      fields.shape = reader.tuple();
      if (!fields.shape) return "the shape in its header is damaged";
    } else {
      return fmt::format("its header has the unknown key '{}'", *key);
    }
    if (!reader.accept(',')) {
      if (!reader.accept('}')) return "its header is damaged";
      break;
    }
  }
  if (!reader.at_end()) return "its header is damaged";
  if (!fields.descr || !fields.fortran_order || !fields.shape)
    return "its header lacks 'descr', 'fortran_order' or 'shape'";
  return std::nullopt;
}

// "f4" of "<f4", and the bytes of one number.
Result<std::pair<std::string, std::int64_t>> item(const std::filesystem::path& path,
                                                  std::string_view descr) {
  static constexpr std::string_view known[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                               "i8", "u1", "u2", "u4", "u8", "b1"};
  if (descr.starts_with('>'))
    return unreadable(path, "its numbers are big-endian; save a.astype(a.dtype.newbyteorder('<'))");
  const std::string_view plain = descr.substr(descr.find_first_not_of("<|=") == 1 ? 1 : 0);
  for (const std::string_view name : known)
    if (plain == name) return std::pair{std::string(name), std::int64_t{name[1] - '0'}};
  return unreadable(
      path, fmt::format("it holds numbers of the type '{}'; save a.astype('float32')", descr));
}

Result<ArrayHeader> read_header(const File& file) {
  const auto& path = file.path();
  unsigned char start[12] = {};
  if (file.size() < sizeof start) return unreadable(path, "it is too short for a .npy file");
  if (auto r = file.read_at(0, start, sizeof start); !r) return std::unexpected(r.error());
  if (std::memcmp(start, "\x93NUMPY", 6) != 0) return unreadable(path, "it is not a .npy file");
  const bool long_header = start[6] >= 2;
  if (start[6] < 1 || start[6] > 3)
    return unreadable(path, fmt::format("its format version {} is unknown", start[6]));
  std::uint64_t length = start[8] | start[9] << 8;
  if (long_header) length |= std::uint64_t{start[10]} << 16 | std::uint64_t{start[11]} << 24;
  const std::uint64_t begin = long_header ? 12 : 10;
  if (length > header_limit || begin + length > file.size())
    return unreadable(path, fmt::format("its header of {} bytes does not fit in the file", length));
  std::string text(length, '\0');
  if (auto r = file.read_at(begin, text.data(), text.size()); !r) return std::unexpected(r.error());

  Fields fields;
  if (auto reason = parse(text, fields)) return unreadable(path, *reason);
  if (*fields.fortran_order && fields.shape->size() > 1)
    return unreadable(path, "it is in Fortran order; save numpy.ascontiguousarray(a)");
  auto type = item(path, *fields.descr);
  if (!type) return std::unexpected(type.error());
  ArrayHeader header{type->first, type->second, *fields.shape, begin + length};

  std::int64_t bytes = type->second;
  for (const std::int64_t extent : header.shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return unreadable(path,
                        fmt::format("its shape ({}) is too large", fmt::join(header.shape, ", ")));
  const std::uint64_t there = file.size() - header.data_offset;
  if (static_cast<std::uint64_t>(bytes) != there)
    return unreadable(path, fmt::format("its shape ({}) needs {} bytes of numbers, but {} follow",
                                        fmt::join(header.shape, ", "), bytes, there));
  return header;
}

}  // namespace

std::int64_t Array::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

Array to_array(const Tensor& tensor) {
  Array array{std::string(npy_name(tensor.dtype)), tensor.shape, tensor.bytes};
  if (tensor.dtype != DType::bf16) return array;
  Tensor wide(DType::f32, tensor.shape);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) wide.set(i, tensor.number(i));
  array.bytes = std::move(wide.bytes);
  return array;
}

Result<ArrayHeader> read_npy_header(const std::filesystem::path& path) {
  auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  return read_header(*file);
}

Result<Array> read_npy(const std::filesystem::path& path) {
  auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  auto header = read_header(*file);
  if (!header) return std::unexpected(header.error());
  Array array{header->dtype, header->shape, std::vector<char>(file->size() - header->data_offset)};
  if (auto r = file->read_at(header->data_offset, array.bytes.data(), array.bytes.size()); !r)
    return std::unexpected(r.error());
  return array;
}

Result<void> write_npy(const std::filesystem::path& path, const Array& array) {
  const char order = array.dtype.ends_with('1') ? '|' : '<';
  std::string shape = fmt::format("{}", fmt::join(array.shape, ", "));
  if (array.shape.size() == 1) shape += ',';
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   order, array.dtype, shape);
  // The numbers begin at a multiple of 64; the header ends in a newline.
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(array.bytes.data(), array.bytes.size());
  return replace_file(path, bytes);
}

}  // namespace ganc::runtime
