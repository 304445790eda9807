#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>

#include "runtime/data/sources.h"

namespace ganc::runtime {
namespace {

// What a source of files looks for in the data folder.
std::vector<std::string> names_of(SourceFunction function, const SourceOptions& options) {
  if (function == SourceFunction::mnist) return {"mnist", "MNIST/raw"};
  if (function == SourceFunction::npy) return {options.name, options.name + ".npy"};
  return {options.name};
}

std::string expected(SourceFunction function, const SourceOptions& options) {
  if (function == SourceFunction::mnist)
    return fmt::format("{0} and {1}, plain or with .gz",
                       idx_names(options.split == "test" ? "test" : "train", false).front(),
                       idx_names(options.split == "test" ? "test" : "train", true).front());
  if (function == SourceFunction::npy)
    return "an array of NumPy, or a folder with <field>.npy for each field";
  return "a folder of PNG or JPEG images";
}

Result<std::filesystem::path> find_data(const SourceSpec& spec, const SourceOptions& options,
                                        const DataPlaces& places) {
  const SourceFunction function = source_function(spec.function);
  std::error_code absent;
  if (!places.path.empty()) {
    if (std::filesystem::exists(places.path, absent)) return places.path;
    return source_failure(spec,
                          fmt::format("--data {}: there is no such file or folder", places.path));
  }
  if (function != SourceFunction::mnist && options.name.empty())
    return source_failure(spec, fmt::format("it needs a name, as in {}(\"faces\"): a folder in "
                                            "$GAN_DATA_DIR; or pass --data PATH",
                                            spec.function));
  std::vector<std::string> looked;
  for (const std::string& name : names_of(function, options)) {
    // A name that is a whole path needs no data folder.
    if (places.data_dir.empty() && !std::filesystem::path(name).is_absolute()) continue;
    const std::filesystem::path path = std::filesystem::path(places.data_dir) / name;
    if (std::filesystem::exists(path, absent)) return path;
    looked.push_back(path.native());
  }
  return source_failure(
      spec,
      fmt::format("its data are not found; looked in {}; expected {}; pass --data PATH, or set "
                  "GAN_DATA_DIR to the folder that has `{}`",
                  looked.empty() ? "nothing, as GAN_DATA_DIR is not set"
                                 : fmt::format("{}", fmt::join(looked, " and ")),
                  expected(function, options), names_of(function, options).front()));
}

OpenedSet open_found(const SourceRequest& request, const std::filesystem::path& path) {
  const auto form = data_form(path, request.spec);
  if (!form) return std::unexpected(form.error());
  switch (*form) {
    case DataForm::idx_folder:
    case DataForm::idx_file:
      return open_idx(request, path);
    case DataForm::npy_folder:
    case DataForm::npy_file:
      return open_npy(request, path);
    case DataForm::image_folder:
      return open_images(request, path);
  }
  __builtin_unreachable();
}

}  // namespace

std::vector<FieldValues> DataSet::make_room(std::int64_t samples) const {
  std::vector<FieldValues> room(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const auto numbers = static_cast<std::size_t>(samples * fields_[i].elements());
    if (fields_[i].kind != FieldSpec::Kind::real) {
      room[i].i32.resize(numbers);
    } else if (f64_) {
      room[i].f64.resize(numbers);
    } else {
      room[i].f32.resize(numbers);
    }
  }
  return room;
}

Result<void> DataSet::read_batch(std::span<const SampleVisit> samples,
                                 std::vector<FieldValues>& fields) const {
  std::int64_t at = 0;
  for (const SampleVisit& sample : samples)
    if (auto done = read(sample.index, sample.visit, at++, fields); !done) return done;
  return {};
}

OpenedSet open_data_set(const SourceSpec& spec, const DataPlaces& places, bool f64,
                        std::uint64_t memory) {
  const auto options = read_options(spec);
  if (!options) return std::unexpected(options.error());
  const SourceRequest request{spec, *options, places, f64, memory};
  const SourceFunction function = source_function(spec.function);
  if (places.path.empty() && is_drawn(function))
    return function == SourceFunction::digits ? open_digits(request) : open_points(request);
  if (places.path.empty() && function == SourceFunction::other)
    return source_failure(
        spec,
        "this trainer cannot read such a source; pass --data PATH with a folder of "
        "images, IDX or .npy in its place");
  const auto path = find_data(spec, *options, places);
  if (!path) return std::unexpected(path.error());
  return open_found(request, *path);
}

Result<std::unique_ptr<DataSet>> open_data_set(const SourceSpec& spec, const DataPlaces& places,
                                               bool f64) {
  return open_data_set(spec, places, f64, memory_for_a_set());
}

}  // namespace ganc::runtime
