#pragma once

#include <functional>
#include <span>

#include "runtime/data/image_target.h"
#include "runtime/data/sample_fields.h"

namespace ganc::runtime {

// Images of one size as bytes, in memory or fetched when they are read.
class ImageSet final : public DataSet {
 public:
  // The bytes [channels, height, width] of image `index`, held elsewhere or put into `room`.
  using Fetch = std::function<Result<std::span<const std::uint8_t>>(
      std::int64_t index, std::vector<std::uint8_t>& room)>;

  struct Parts {
    SampleFields fields;
    std::int64_t count = 0;
    ImageTarget size;                  // all known, unless there is no field for values
    std::vector<std::int32_t> labels;  // [count], or empty
    bool flip = false;
    std::uint64_t seed = 0;
    unsigned threads = 1;  // that fetch at once; 1 where fetching is quick
    Fetch fetch;
    std::string description, name;
  };

  explicit ImageSet(Parts parts)
      : DataSet(parts.fields.all(), parts.fields.is_f64()), parts_(std::move(parts)) {}

  std::int64_t count() const override { return parts_.count; }
  Result<void> read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                    std::vector<FieldValues>& fields) const override;
  Result<void> read_batch(std::span<const SampleVisit> samples,
                          std::vector<FieldValues>& fields) const override;
  std::string describe() const override { return parts_.description; }
  std::string short_name() const override { return parts_.name; }

 private:
  Parts parts_;
};

// A Fetch from `bytes`, [count, elements].
ImageSet::Fetch held_in_memory(std::vector<std::uint8_t> bytes, std::int64_t elements);

// For a run's folder: the source's name, or what --data names.
std::string set_name(const SourceRequest& request, const std::filesystem::path& path);

}  // namespace ganc::runtime
