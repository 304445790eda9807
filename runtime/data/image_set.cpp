#include "runtime/data/image_set.h"

#include <algorithm>
#include <memory>

#include "runtime/data/philox.h"
#include "runtime/data/workers.h"

namespace ganc::runtime {

Result<void> ImageSet::read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                            std::vector<FieldValues>& fields) const {
  if (!parts_.labels.empty())
    parts_.fields.write_label(parts_.labels[static_cast<std::size_t>(index)], at, fields);
  if (!parts_.fields.values()) return {};
  std::vector<std::uint8_t> room;
  const auto bytes = parts_.fetch(index, room);
  if (!bytes) return std::unexpected(bytes.error());
  if (parts_.flip && mirrored(parts_.seed, index, visit)) {
    std::vector<std::uint8_t> turned(bytes->begin(), bytes->end());
    for (auto row = turned.begin(); row != turned.end(); row += parts_.size.width)
      std::reverse(row, row + parts_.size.width);
    parts_.fields.write_bytes(turned, at, fields);
    return {};
  }
  parts_.fields.write_bytes(*bytes, at, fields);
  return {};
}

Result<void> ImageSet::read_batch(std::span<const SampleVisit> samples,
                                  std::vector<FieldValues>& fields) const {
  return share_work(static_cast<std::int64_t>(samples.size()), parts_.threads, [&](std::int64_t i) {
    const SampleVisit& sample = samples[static_cast<std::size_t>(i)];
    return read(sample.index, sample.visit, i, fields);
  });
}

ImageSet::Fetch held_in_memory(std::vector<std::uint8_t> bytes, std::int64_t elements) {
  auto held = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  return [held, elements](std::int64_t index,
                          std::vector<std::uint8_t>&) -> Result<std::span<const std::uint8_t>> {
    return std::span(*held).subspan(static_cast<std::size_t>(index * elements),
                                    static_cast<std::size_t>(elements));
  };
}

std::string set_name(const SourceRequest& request, const std::filesystem::path& path) {
  const SourceFunction function = source_function(request.spec.function);
  if (request.places.path.empty() && function == SourceFunction::mnist) return "mnist";
  std::filesystem::path last = path.lexically_normal();
  if (!last.has_filename()) last = last.parent_path();
  std::string name = last.filename().string();
  if (!std::filesystem::is_directory(path)) {
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    name = std::filesystem::path(name).stem().string();
  }
  return name.empty() || name == "." || name == ".." ? request.spec.function : name;
}

}  // namespace ganc::runtime
