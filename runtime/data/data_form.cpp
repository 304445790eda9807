#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "runtime/data/gzip.h"
#include "runtime/data/sources.h"
#include "runtime/files.h"
#include "runtime/images/codec.h"

namespace ganc::runtime {
namespace {

Result<DataForm> form_of_folder(const std::filesystem::path& path, const SourceSpec& spec) {
  const auto names = list_folder(path);
  if (!names) return std::unexpected(names.error());
  const auto has = [&](const std::string& name) {
    return std::ranges::binary_search(*names, name);
  };
  for (const std::string_view split : {"train", "test"})
    if (std::ranges::any_of(idx_names(split, false), has)) return DataForm::idx_folder;
  if (!spec.fields.empty() &&
      std::ranges::all_of(spec.fields, [&](const FieldSpec& f) { return has(f.name + ".npy"); }))
    return DataForm::npy_folder;
  return DataForm::image_folder;
}

}  // namespace

Result<DataForm> data_form(const std::filesystem::path& path, const SourceSpec& spec) {
  if (is_folder(path)) return form_of_folder(path, spec);
  const auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  std::array<std::uint8_t, 8> start{};
  const std::size_t bytes = std::min<std::uint64_t>(start.size(), file->size());
  if (auto read = file->read_at(0, start.data(), bytes); !read)
    return std::unexpected(read.error());
  const auto unreadable = [&](std::string_view reason) {
    return fail(fmt::format("cannot read {}: {}", path.native(), reason));
  };
  if (bytes == 0) return unreadable("the file is empty");
  if (start[0] == 0x93 && start[1] == 'N') return DataForm::npy_file;
  if (is_gzip(*file) || (start[0] == 0 && start[1] == 0)) return DataForm::idx_file;
  if (start[0] == 'P' && start[1] == 'K')
    return unreadable("a zip archive; save single arrays as .npy, or unpack it");
  if (image_format(std::span(start).first(bytes)) != ImageFormat::unknown)
    return unreadable("one image; name the folder that it is in");
  return unreadable("not IDX (plain or gzip), not .npy, and no folder of PNG or JPEG images");
}

}  // namespace ganc::runtime
