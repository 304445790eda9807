#include "runtime/data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/data/image_set.h"
#include "runtime/data/workers.h"
#include "runtime/files.h"

namespace ganc::runtime {
namespace {

bool named_as_image(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = name.substr(dot + 1);
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return ending == "png" || ending == "jpg" || ending == "jpeg";
}

Result<void> add_images(const std::filesystem::path& folder, std::int32_t label, int depth,
                        ImageFolder& list) {
  if (depth > 32)
    return fail(fmt::format(
        "cannot read {}: folders 32 deep; is a link among them that leads back?", folder.native()));
  const auto names = list_folder(folder);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (name.starts_with('.')) continue;
    const std::filesystem::path path = folder / name;
    if (named_as_image(name)) {
      list.images.push_back({path, label});
    } else if (!is_folder(path)) {
      ++list.others;
    } else {
      const std::int32_t own = depth == 0 ? static_cast<std::int32_t>(list.classes.size()) : label;
      if (depth == 0) list.classes.push_back(name);
      if (auto added = add_images(path, own, depth + 1, list); !added) return added;
    }
  }
  return {};
}

// The labels, where a field takes them.
Result<std::vector<std::int32_t>> labels_of(const ImageFolder& list, const SampleFields& fields,
                                            const SourceSpec& spec,
                                            const std::filesystem::path& folder) {
  std::vector<std::int32_t> labels;
  const FieldSpec* field = fields.label();
  if (!field) return labels;
  const auto classes = static_cast<std::int64_t>(list.classes.size());
  if (classes == 0)
    return source_failure(spec, fmt::format("{} has no sub-folders, which would be the classes for "
                                            "field `{}`",
                                            folder.native(), field->name));
  if (field->kind == FieldSpec::Kind::class_ && classes > field->classes)
    return source_failure(
        spec, fmt::format("{} has {} sub-folders, each a class, but field `{}` is class[{}]",
                          folder.native(), classes, field->name, field->classes));
  for (const ImageFolder::Entry& entry : list.images) {
    if (entry.label < 0)
      return source_failure(spec,
                            fmt::format("{} is in no sub-folder, so it has no class for field `{}`",
                                        entry.path.native(), field->name));
    labels.push_back(entry.label);
  }
  return labels;
}

// The folder itself, or its part for the split that is asked for.
Result<std::filesystem::path> folder_of_split(const SourceRequest& request,
                                              const std::filesystem::path& folder) {
  const std::string& split = request.options.split;
  if (split.empty()) return folder;
  if (is_folder(folder / split)) return folder / split;
  if (is_folder(folder / "train") || is_folder(folder / "test"))
    return source_failure(
        request.spec, fmt::format("{} has no sub-folder `{}` for `split`", folder.native(), split));
  return folder;
}

using Decode = std::function<Result<std::vector<std::uint8_t>>(std::int64_t index)>;

Result<ImageSet::Fetch> decode_all(std::int64_t count, std::int64_t elements, unsigned threads,
                                   const Decode& decode) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * elements));
  auto done = share_work(count, threads, [&](std::int64_t i) -> Result<void> {
    const auto image = decode(i);
    if (!image) return std::unexpected(image.error());
    std::ranges::copy(*image, bytes.begin() + i * elements);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return held_in_memory(std::move(bytes), elements);
}

// The request's parts that outlive the opening, for decoding while training.
Decode decoder(const SourceRequest& request, const FieldSpec& field, const ImageTarget& target,
               const std::vector<ImageFolder::Entry>& images) {
  struct Kept {
    SourceSpec spec;
    SourceOptions options;
    DataPlaces places;
    FieldSpec field;
    ImageTarget target;
    std::vector<ImageFolder::Entry> images;
  };
  auto kept = std::make_shared<const Kept>(request.spec, request.options, request.places, field,
                                           target, images);
  return [kept](std::int64_t index) -> Result<std::vector<std::uint8_t>> {
    const std::filesystem::path& path = kept->images[static_cast<std::size_t>(index)].path;
    auto image = read_image(path);
    if (!image) return std::unexpected(image.error());
    ImageTarget size = kept->target;
    return adapted(std::move(*image), size, {kept->spec, kept->options, kept->places, false, 0},
                   kept->field, path);
  };
}

// Finds the size, then decodes every image now or each when it is read.
Result<void> attach_images(const SourceRequest& request, const ImageFolder& list,
                           ImageSet::Parts& parts) {
  const FieldSpec& field = *parts.fields.values();
  auto target = image_target(request, field);
  if (!target) return std::unexpected(target.error());
  if (target->height == 0) {
    const std::filesystem::path& path = list.images.front().path;
    auto first = read_image(path);
    if (!first) return std::unexpected(first.error());
    if (auto fits = adapted(std::move(*first), *target, request, field, path); !fits)
      return std::unexpected(fits.error());
  }
  parts.size = *target;
  const Decode decode = decoder(request, field, *target, list.images);
  const std::int64_t elements = target->elements;
  if (static_cast<std::uint64_t>(parts.count) <=
      request.memory / static_cast<std::uint64_t>(std::max<std::int64_t>(elements, 1))) {
    auto fetch = decode_all(parts.count, elements, request.places.threads, decode);
    if (!fetch) return std::unexpected(fetch.error());
    parts.fetch = std::move(*fetch);
    return {};
  }
  parts.threads = request.places.threads;
  parts.description += ", decoded as they are read";
  parts.fetch = [decode](std::int64_t index,
                         std::vector<std::uint8_t>& room) -> Result<std::span<const std::uint8_t>> {
    auto image = decode(index);
    if (!image) return std::unexpected(image.error());
    room = std::move(*image);
    return room;
  };
  return {};
}

}  // namespace

Result<ImageFolder> list_images(const std::filesystem::path& folder) {
  ImageFolder list;
  if (auto added = add_images(folder, -1, 0, list); !added) return std::unexpected(added.error());
  if (list.images.empty())
    return fail(fmt::format("no image in {}: expected files named *.png, *.jpg or *.jpeg{}",
                            folder.native(),
                            list.others ? fmt::format("; {} other files", list.others) : ""));
  return list;
}

OpenedSet open_images(const SourceRequest& request, const std::filesystem::path& path) {
  auto fields = SampleFields::create(request.spec, request.options, request.f64, "image");
  if (!fields) return std::unexpected(fields.error());
  const auto folder = folder_of_split(request, path);
  if (!folder) return std::unexpected(folder.error());
  const auto list = list_images(*folder);
  if (!list) return std::unexpected(list.error());
  auto labels = labels_of(*list, *fields, request.spec, *folder);
  if (!labels) return std::unexpected(labels.error());

  ImageSet::Parts parts{.fields = std::move(*fields)};
  parts.count = static_cast<std::int64_t>(list->images.size());
  parts.labels = std::move(*labels);
  parts.flip = request.options.flip;
  parts.seed = request.places.seed;
  parts.name = set_name(request, path);
  parts.description =
      fmt::format("{}: {} images from {}", parts.name, parts.count, folder->native());
  if (!parts.labels.empty()) parts.description += fmt::format(", {} classes", list->classes.size());
  if (list->others > 0)
    parts.description += fmt::format(", {} other files passed over", list->others);
  if (parts.fields.values()) {
    if (auto attached = attach_images(request, *list, parts); !attached)
      return std::unexpected(attached.error());
  }
  return std::make_unique<ImageSet>(std::move(parts));
}

}  // namespace ganc::runtime
