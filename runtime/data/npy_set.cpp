#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "runtime/data/image_set.h"
#include "runtime/data/philox.h"
#include "runtime/data/sources.h"
#include "runtime/files.h"
#include "runtime/npy.h"

namespace ganc::runtime {
namespace {

enum class Number { f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8, b1 };

constexpr std::string_view number_names[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                             "i8", "u1", "u2", "u4", "u8", "b1"};

bool is_whole(Number number) {
  return number != Number::f2 && number != Number::f4 && number != Number::f8;
}

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// IEEE binary16: 1 sign, 5 exponent, 10 fraction bits.
double half_to_double(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = (bits & 1023) / 1024.0;
  double magnitude =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  if (exponent == 31)
    magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
  return bits >> 15 ? -magnitude : magnitude;
}

double real_number(Number number, const char* from) {
  switch (number) {
    case Number::f2:
      return half_to_double(load<std::uint16_t>(from));
    case Number::f4:
      return load<float>(from);
    case Number::f8:
      return load<double>(from);
    case Number::i1:
      return load<std::int8_t>(from);
    case Number::i2:
      return load<std::int16_t>(from);
    case Number::i4:
      return load<std::int32_t>(from);
    case Number::i8:
      return static_cast<double>(load<std::int64_t>(from));
    case Number::u1:
    case Number::b1:
      return load<std::uint8_t>(from);
    case Number::u2:
      return load<std::uint16_t>(from);
    case Number::u4:
      return load<std::uint32_t>(from);
    case Number::u8:
      return static_cast<double>(load<std::uint64_t>(from));
  }
  __builtin_unreachable();
}

// Of a whole Number; what is beyond int64 becomes its largest.
std::int64_t whole_number(Number number, const char* from) {
  if (number == Number::i8) return load<std::int64_t>(from);
  if (number == Number::u8) {
    const auto value = load<std::uint64_t>(from);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return value > static_cast<std::uint64_t>(most) ? most : static_cast<std::int64_t>(value);
  }
  return static_cast<std::int64_t>(real_number(number, from));  // 32 bits or fewer: exact
}

// One field's array, in memory or read as it is needed.
struct Column {
  FieldSpec field;
  Number number;
  std::int64_t item_bytes;
  std::uint64_t data_offset;
  std::shared_ptr<const File> file;  // for messages, and for reading where `bytes` are empty
  std::vector<char> bytes;

  std::int64_t sample_bytes() const { return field.elements() * item_bytes; }
};

Result<void> store(const Column& column, const char* from, std::int64_t index, std::int64_t at,
                   bool f64, FieldValues& to) {
  const std::int64_t elements = column.field.elements();
  auto place = static_cast<std::size_t>(at * elements);
  const bool real = column.field.kind == FieldSpec::Kind::real;
  const std::int64_t low =
      column.field.kind == FieldSpec::Kind::class_ ? 0 : std::numeric_limits<std::int32_t>::min();
  const std::int64_t high = column.field.kind == FieldSpec::Kind::class_
                                ? column.field.classes - 1
                                : std::numeric_limits<std::int32_t>::max();
  for (std::int64_t i = 0; i < elements; ++i, ++place, from += column.item_bytes) {
    if (real) {
      const double value = real_number(column.number, from);
      if (f64) {
        to.f64[place] = value;
      } else {
        to.f32[place] = static_cast<float>(value);
      }
      continue;
    }
    const std::int64_t value = whole_number(column.number, from);
    if (value < low || value > high)
      return fail(fmt::format("sample {} of {} has {}, but field `{}` takes {} to {}", index,
                              column.file->path().native(), value, column.field.name, low, high));
    to.i32[place] = static_cast<std::int32_t>(value);
  }
  return {};
}

// Mirrors the images [.., width] among a sample's fields.
void mirror(const FieldSpec& field, std::int64_t at, FieldValues& values) {
  if (field.kind != FieldSpec::Kind::real || field.elements() == 0) return;
  const auto turn = [&](auto& numbers) {
    const auto begin = numbers.begin() + at * field.elements();
    for (auto row = begin; row != begin + field.elements(); row += field.shape.back())
      std::reverse(row, row + field.shape.back());
  };
  values.f64.empty() ? turn(values.f32) : turn(values.f64);
}

class ArraySet final : public DataSet {
 public:
  // `flip_seed`: where samples are mirrored at random.
  ArraySet(std::vector<Column> columns, std::int64_t count, bool f64,
           std::optional<std::uint64_t> flip_seed, std::string description, std::string name)
      : DataSet(fields_of(columns), f64),
        columns_(std::move(columns)),
        count_(count),
        flip_seed_(flip_seed),
        description_(std::move(description)),
        name_(std::move(name)) {}

  std::int64_t count() const override { return count_; }
  Result<void> read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                    std::vector<FieldValues>& fields) const override {
    const bool turned = flip_seed_ && mirrored(*flip_seed_, index, visit);
    std::vector<char> room;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      const auto bytes = static_cast<std::size_t>(column.sample_bytes());
      const auto offset = static_cast<std::size_t>(index) * bytes;
      const char* from = column.bytes.data() + offset;
      if (column.bytes.empty()) {
        room.resize(bytes);
        if (auto read = column.file->read_at(column.data_offset + offset, room.data(), bytes);
            !read)
          return read;
        from = room.data();
      }
      if (auto stored = store(column, from, index, at, is_f64(), fields[i]); !stored) return stored;
      if (turned) mirror(column.field, at, fields[i]);
    }
    return {};
  }
  std::string describe() const override { return description_; }
  std::string short_name() const override { return name_; }

  // Every class and integer held in memory, so that a wrong one stops before training.
  Result<void> check_whole_numbers() const {
    for (const Column& column : columns_) {
      if (column.field.kind == FieldSpec::Kind::real || column.bytes.empty()) continue;
      FieldValues one;
      one.i32.resize(static_cast<std::size_t>(column.field.elements()));
      const char* from = column.bytes.data();
      for (std::int64_t i = 0; i < count_; ++i, from += column.sample_bytes())
        if (auto stored = store(column, from, i, 0, false, one); !stored) return stored;
    }
    return {};
  }

 private:
  static std::vector<FieldSpec> fields_of(const std::vector<Column>& columns) {
    std::vector<FieldSpec> fields;
    for (const Column& column : columns) fields.push_back(column.field);
    return fields;
  }

  std::vector<Column> columns_;
  std::int64_t count_;
  std::optional<std::uint64_t> flip_seed_;
  std::string description_, name_;
};

// The header's shape is [count, ...] with as many elements as the field.
Result<Column> open_column(const SourceRequest& request, const FieldSpec& field,
                           const std::filesystem::path& path, std::int64_t& count) {
  const auto header = read_npy_header(path);
  if (!header) return std::unexpected(header.error());
  auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  const auto misfit = [&](std::string_view what) {
    return source_failure(request.spec,
                          fmt::format("{} is an array {} of {}, {}", path.native(),
                                      shape_text(header->shape), header->dtype, what));
  };
  const auto name = std::ranges::find(number_names, header->dtype);
  if (name == std::end(number_names)) return misfit("a type that is not read");
  Column column{field,
                static_cast<Number>(name - std::begin(number_names)),
                header->item_bytes,
                header->data_offset,
                std::make_shared<const File>(std::move(*file)),
                {}};
  if (header->shape.empty() || header->shape[0] == 0) return misfit("so it has no samples");
  // The header was checked against the file: the product is small.
  std::int64_t elements = 1;
  for (std::size_t i = 1; i < header->shape.size(); ++i) elements *= header->shape[i];
  if (elements != field.elements())
    return misfit(fmt::format("but field `{}` is {}: expected [count{}{}", field.name,
                              shape_text(field.shape), field.shape.empty() ? "" : ", ",
                              shape_text(field.shape).substr(1)));
  if (field.kind != FieldSpec::Kind::real && !is_whole(column.number))
    return misfit(
        fmt::format("but field `{}` takes whole numbers; save a.astype('int32')", field.name));
  if (count > 0 && count != header->shape[0])
    return misfit(fmt::format("but the arrays of the other fields have {} samples", count));
  count = header->shape[0];
  return column;
}

}  // namespace

OpenedSet open_npy(const SourceRequest& request, const std::filesystem::path& path) {
  const SourceSpec& spec = request.spec;
  const bool folder = is_folder(path);
  if (spec.fields.empty()) return source_failure(spec, "no field is declared");
  if (!folder && spec.fields.size() > 1)
    return source_failure(
        spec,
        fmt::format("{} is one array, but there are {} fields; put {}.npy and {}.npy "
                    "into a folder and name that",
                    path.native(), spec.fields.size(), spec.fields[0].name, spec.fields[1].name));
  std::vector<Column> columns;
  std::int64_t count = 0;
  std::uint64_t bytes = 0;
  for (const FieldSpec& field : spec.fields) {
    auto column = open_column(request, field, folder ? path / (field.name + ".npy") : path, count);
    if (!column) return std::unexpected(column.error());
    bytes += column->file->size();
    columns.push_back(std::move(*column));
  }
  std::optional<std::uint64_t> flip_seed;
  if (request.options.flip) {
    for (const FieldSpec& field : spec.fields)
      if (field.kind == FieldSpec::Kind::real && field.shape.size() != 2 && field.shape.size() != 3)
        return source_failure(spec, fmt::format("`flip` needs images, but field `{}` is {}",
                                                field.name, shape_text(field.shape)));
    flip_seed = request.places.seed;
  }
  const bool hold = bytes <= request.memory;
  const std::string name = set_name(request, path);
  std::string description = fmt::format("{}: {} samples from {}", name, count, path.native());
  if (!hold) description += ", read as they are needed";
  for (Column& column : columns) {
    if (!hold) break;
    column.bytes.resize(static_cast<std::size_t>(count * column.sample_bytes()));
    if (auto read =
            column.file->read_at(column.data_offset, column.bytes.data(), column.bytes.size());
        !read)
      return std::unexpected(read.error());
  }
  auto set = std::make_unique<ArraySet>(std::move(columns), count, request.f64, flip_seed,
                                        std::move(description), name);
  if (auto right = set->check_whole_numbers(); !right) return std::unexpected(right.error());
  return set;
}

}  // namespace ganc::runtime
