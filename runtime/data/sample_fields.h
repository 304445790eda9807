#pragma once

#include <array>
#include <span>
#include <string_view>

#include "runtime/data/data_set.h"
#include "runtime/data/source_options.h"

namespace ganc::runtime {

// Which field of a source takes a sample's values and which its label, and how they are written. A
// sample has one of each: a source that is asked for two images would have to show the same one
// twice.
class SampleFields {
 public:
  // `thing`: what a sample is ("image", "point"), for messages.
  static Result<SampleFields> create(const SourceSpec& spec, const SourceOptions& options, bool f64,
                                     std::string_view thing);

  const std::vector<FieldSpec>& all() const { return fields_; }
  bool is_f64() const { return f64_; }
  const FieldSpec* values() const { return values_ < 0 ? nullptr : &fields_[to_index(values_)]; }
  const FieldSpec* label() const { return label_ < 0 ? nullptr : &fields_[to_index(label_)]; }

  // A Failure where labels go up to `classes` - 1 and the label's field has fewer classes.
  Result<void> check_classes(const SourceSpec& spec, std::int64_t classes) const;

  void write_bytes(std::span<const std::uint8_t> bytes, std::int64_t at,
                   std::vector<FieldValues>& fields) const;
  void write_numbers(std::span<const double> numbers, std::int64_t at,
                     std::vector<FieldValues>& fields) const;
  void write_label(std::int64_t label, std::int64_t at, std::vector<FieldValues>& fields) const;

 private:
  static std::size_t to_index(std::int64_t i) { return static_cast<std::size_t>(i); }

  std::vector<FieldSpec> fields_;
  std::int64_t values_ = -1, label_ = -1;  // positions in the spec
  bool f64_ = false;
  std::array<double, 256> value_of_byte_{};
};

}  // namespace ganc::runtime
