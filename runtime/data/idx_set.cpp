#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "runtime/data/idx.h"
#include "runtime/data/image_set.h"
#include "runtime/data/workers.h"

namespace ganc::runtime {
namespace {

struct IdxPaths {
  std::filesystem::path images, labels;  // labels: empty where there are none
  std::string split;                     // "train", "test", or "" where a file was named
  std::vector<std::string> label_names;  // that were looked for
};

std::filesystem::path first_there(const std::filesystem::path& folder,
                                  const std::vector<std::string>& names) {
  std::error_code absent;
  for (const std::string& name : names)
    if (std::filesystem::exists(folder / name, absent)) return folder / name;
  return {};
}

Result<IdxPaths> find_idx(const SourceRequest& request, const std::filesystem::path& folder) {
  std::vector<std::string> splits = {"train", "test"};
  if (!request.options.split.empty()) splits = {request.options.split};
  for (const std::string& split : splits) {
    IdxPaths paths{first_there(folder, idx_names(split, false)), {}, split, idx_names(split, true)};
    if (paths.images.empty()) continue;
    paths.labels = first_there(folder, paths.label_names);
    return paths;
  }
  return source_failure(
      request.spec,
      fmt::format("{} has no {} images; expected one of {}", folder.native(),
                  fmt::join(splits, " or "), fmt::join(idx_names(splits.front(), false), ", ")));
}

// The labels beside a file of images: the same name with `labels` for `images` and `idx1` for
// `idx3`.
IdxPaths beside(const std::filesystem::path& images) {
  std::string name = images.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const auto replace = [&](std::string_view from, std::string_view to) {
    const std::size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  };
  replace("images", "labels");
  replace("idx3", "idx1");
  IdxPaths paths{images, {}, "", {name, name + ".gz"}};
  if (name + ".gz" != images.filename() && name != images.filename())
    paths.labels = first_there(images.parent_path(), paths.label_names);
  return paths;
}

Result<std::vector<std::int32_t>> read_labels(const SourceRequest& request, const IdxPaths& paths,
                                              const FieldSpec& field, std::int64_t images) {
  if (paths.labels.empty())
    return source_failure(
        request.spec,
        fmt::format("no labels beside {} for field `{}`; expected {}", paths.images.native(),
                    field.name, fmt::join(paths.label_names, " or ")));
  const auto idx = open_idx_file(paths.labels);
  if (!idx) return std::unexpected(idx.error());
  if (idx->shape.size() != 1)
    return source_failure(request.spec, fmt::format("{} is no list of labels: its shape is {}",
                                                    paths.labels.native(), shape_text(idx->shape)));
  if (idx->count() != images)
    return source_failure(
        request.spec, fmt::format("{} has {} labels, but {} has {} images", paths.labels.native(),
                                  idx->count(), paths.images.native(), images));
  const auto bytes = read_idx(*idx);
  if (!bytes) return std::unexpected(bytes.error());
  if (field.kind == FieldSpec::Kind::class_) {
    const auto beyond =
        std::ranges::find_if(*bytes, [&](auto label) { return label >= field.classes; });
    if (beyond != bytes->end())
      return source_failure(
          request.spec,
          fmt::format("label {} of {} is {}, but field `{}` is class[{}]", beyond - bytes->begin(),
                      paths.labels.native(), *beyond, field.name, field.classes));
  }
  return std::vector<std::int32_t>(bytes->begin(), bytes->end());
}

bool asks_for_size(const SourceRequest& request) {
  return request.options.resize > 0 || request.options.crop > 0;
}

// The geometry of the samples as they are: a reshape where the field is no image.
Result<ImageTarget> plain_geometry(const SourceRequest& request, const FieldSpec& field,
                                   const IdxFile& idx) {
  auto target = image_target(request, field);
  if (!target) return target;
  const std::vector<std::int64_t> sample(idx.shape.begin() + 1, idx.shape.end());
  const bool image = sample.size() == 2;
  if (idx.sample_bytes != target->elements ||
      (image && target->height > 0 && (target->height != sample[0] || target->width != sample[1])))
    return source_failure(request.spec,
                          fmt::format("the samples of {} are {}, but field `{}` is {}; "
                                      "another size needs `resize` or `crop`",
                                      idx.file.path().native(), shape_text(sample), field.name,
                                      shape_text(field.shape)));
  if (target->height == 0) {
    if (request.options.flip && !image)
      return source_failure(request.spec,
                            fmt::format("`flip` needs images, but the samples of {} are {}",
                                        idx.file.path().native(), shape_text(sample)));
    target->channels = image ? 1 : target->elements;
    target->height = image ? sample[0] : 1;
    target->width = image ? sample[1] : 1;
  }
  return target;
}

// Every image brought to the declared size, now.
Result<ImageSet::Fetch> resampled(const SourceRequest& request, const FieldSpec& field,
                                  const IdxFile& idx, ImageTarget& target) {
  auto wanted = image_target(request, field);
  if (!wanted) return std::unexpected(wanted.error());
  if (idx.shape.size() != 3)
    return source_failure(request.spec,
                          fmt::format("`resize` and `crop` are for images, but {} is {}",
                                      idx.file.path().native(), shape_text(idx.shape)));
  const auto all = read_idx(idx);
  if (!all) return std::unexpected(all.error());
  const auto one = [&](std::int64_t i, ImageTarget& size) {
    const auto begin = all->begin() + i * idx.sample_bytes;
    return adapted({idx.shape[2], idx.shape[1], 1, {begin, begin + idx.sample_bytes}}, size,
                   request, field, idx.file.path());
  };
  target = *wanted;
  if (auto first = one(0, target); !first) return std::unexpected(first.error());
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(idx.count() * target.elements));
  auto done = share_work(idx.count(), request.places.threads, [&](std::int64_t i) -> Result<void> {
    ImageTarget size = target;
    const auto image = one(i, size);
    if (!image) return std::unexpected(image.error());
    std::ranges::copy(*image, bytes.begin() + i * target.elements);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return held_in_memory(std::move(bytes), target.elements);
}

Result<ImageSet::Fetch> read_when_asked(IdxFile idx) {
  auto kept = std::make_shared<const IdxFile>(std::move(idx));
  return [kept](std::int64_t index,
                std::vector<std::uint8_t>& room) -> Result<std::span<const std::uint8_t>> {
    room.resize(static_cast<std::size_t>(kept->sample_bytes));
    const auto offset = kept->data_offset + static_cast<std::uint64_t>(index * kept->sample_bytes);
    if (auto read = kept->file.read_at(offset, room.data(), room.size()); !read)
      return std::unexpected(read.error());
    return room;
  };
}

Result<void> attach_idx(const SourceRequest& request, IdxFile idx, ImageSet::Parts& parts) {
  const FieldSpec& field = *parts.fields.values();
  const auto samples = static_cast<std::uint64_t>(idx.count());
  const bool resample = asks_for_size(request);
  const auto elements =
      static_cast<std::uint64_t>(std::max(idx.sample_bytes, resample ? field.elements() : 0));
  const bool fits = samples <= request.memory / elements;
  if (!fits && (idx.packed || resample))
    return source_failure(
        request.spec,
        fmt::format("{} holds {} samples of {} bytes, more than a quarter of the memory; {}",
                    idx.file.path().native(), samples, elements,
                    idx.packed ? "unpack it (gunzip), then it is read as it is needed"
                               : "without `resize` and `crop` it is read as it is needed"));
  Result<ImageSet::Fetch> fetch;
  if (resample) {
    fetch = resampled(request, field, idx, parts.size);
  } else {
    auto target = plain_geometry(request, field, idx);
    if (!target) return std::unexpected(target.error());
    parts.size = *target;
    if (fits) {
      auto bytes = read_idx(idx);
      if (!bytes) return std::unexpected(bytes.error());
      fetch = held_in_memory(std::move(*bytes), idx.sample_bytes);
    } else {
      parts.description += ", read as they are needed";
      fetch = read_when_asked(std::move(idx));
    }
  }
  if (!fetch) return std::unexpected(fetch.error());
  parts.fetch = std::move(*fetch);
  return {};
}

}  // namespace

std::vector<std::string> idx_names(std::string_view split, bool labels) {
  std::vector<std::string> names;
  const std::string_view starts[] = {split == "train" ? "train" : "t10k", split};
  for (const std::string_view start : std::span(starts).first(split == "train" ? 1 : 2))
    for (const std::string_view separator : {"-", "."})
      for (const std::string_view ending : {"", ".gz"})
        names.push_back(fmt::format("{}-{}{}idx{}-ubyte{}", start, labels ? "labels" : "images",
                                    separator, labels ? 1 : 3, ending));
  return names;
}

OpenedSet open_idx(const SourceRequest& request, const std::filesystem::path& path) {
  auto fields = SampleFields::create(request.spec, request.options, request.f64, "image");
  if (!fields) return std::unexpected(fields.error());
  Result<IdxPaths> paths = is_folder(path) ? find_idx(request, path) : beside(path);
  if (!paths) return std::unexpected(paths.error());
  auto idx = open_idx_file(paths->images);
  if (!idx) return std::unexpected(idx.error());

  ImageSet::Parts parts{.fields = std::move(*fields)};
  parts.count = idx->count();
  parts.flip = request.options.flip;
  parts.seed = request.places.seed;
  parts.name = set_name(request, path);
  const std::vector<std::int64_t> sample(idx->shape.begin() + 1, idx->shape.end());
  parts.description = fmt::format("{}: {}{}{} images of {} from {}", parts.name, parts.count,
                                  paths->split.empty() ? "" : " ", paths->split,
                                  fmt::join(sample, "x"), path.native());
  if (const FieldSpec* label = parts.fields.label()) {
    auto labels = read_labels(request, *paths, *label, parts.count);
    if (!labels) return std::unexpected(labels.error());
    parts.labels = std::move(*labels);
  }
  if (parts.fields.values()) {
    if (auto attached = attach_idx(request, std::move(*idx), parts); !attached)
      return std::unexpected(attached.error());
  }
  return std::make_unique<ImageSet>(std::move(parts));
}

}  // namespace ganc::runtime
