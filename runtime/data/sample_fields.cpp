#include "runtime/data/sample_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace ganc::runtime {

std::int64_t FieldSpec::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t n : shape) product *= n;
  return product;
}

Result<SampleFields> SampleFields::create(const SourceSpec& spec, const SourceOptions& options,
                                          bool f64, std::string_view thing) {
  SampleFields made;
  made.fields_ = spec.fields;
  made.f64_ = f64;
  for (int byte = 0; byte < 256; ++byte)
    made.value_of_byte_[to_index(byte)] = options.low + (options.high - options.low) * byte / 255;
  for (std::size_t i = 0; i < spec.fields.size(); ++i) {
    const FieldSpec& field = spec.fields[i];
    const bool real = field.kind == FieldSpec::Kind::real;
    std::int64_t& place = real ? made.values_ : made.label_;
    if (place >= 0)
      return source_failure(
          spec,
          fmt::format(
              "a sample is one {} and one label, but fields `{}` and `{}` both ask for the {}",
              thing, spec.fields[to_index(place)].name, field.name, real ? thing : "label"));
    if (!real && field.elements() != 1)
      return source_failure(spec, fmt::format("the label is one number, but field `{}` is {}",
                                              field.name, shape_text(field.shape)));
    place = static_cast<std::int64_t>(i);
  }
  if (spec.fields.empty()) return source_failure(spec, "no field is declared");
  return made;
}

Result<void> SampleFields::check_classes(const SourceSpec& spec, std::int64_t classes) const {
  const FieldSpec* field = label();
  if (!field || field->kind != FieldSpec::Kind::class_ || field->classes >= classes) return {};
  return source_failure(spec, fmt::format("it has {} classes, but field `{}` is class[{}]", classes,
                                          field->name, field->classes));
}

void SampleFields::write_bytes(std::span<const std::uint8_t> bytes, std::int64_t at,
                               std::vector<FieldValues>& fields) const {
  if (values_ < 0) return;
  FieldValues& to = fields[to_index(values_)];
  const auto offset = at * static_cast<std::int64_t>(bytes.size());
  const auto value = [&](std::uint8_t byte) { return value_of_byte_[byte]; };
  if (f64_) {
    std::ranges::transform(bytes, to.f64.begin() + offset, value);
  } else {
    std::ranges::transform(bytes, to.f32.begin() + offset,
                           [&](std::uint8_t byte) { return static_cast<float>(value(byte)); });
  }
}

void SampleFields::write_numbers(std::span<const double> numbers, std::int64_t at,
                                 std::vector<FieldValues>& fields) const {
  if (values_ < 0) return;
  FieldValues& to = fields[to_index(values_)];
  const auto offset = at * static_cast<std::int64_t>(numbers.size());
  if (f64_) {
    std::ranges::copy(numbers, to.f64.begin() + offset);
  } else {
    std::ranges::transform(numbers, to.f32.begin() + offset,
                           [](double number) { return static_cast<float>(number); });
  }
}

void SampleFields::write_label(std::int64_t label, std::int64_t at,
                               std::vector<FieldValues>& fields) const {
  if (label_ >= 0) fields[to_index(label_)].i32[to_index(at)] = static_cast<std::int32_t>(label);
}

}  // namespace ganc::runtime
