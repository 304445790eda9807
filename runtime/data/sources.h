#pragma once

#include <filesystem>

#include "runtime/data/data_set.h"
#include "runtime/data/source_options.h"

// The sources behind open_data_set, one function each.
namespace ganc::runtime {

struct SourceRequest {
  const SourceSpec& spec;
  const SourceOptions& options;
  const DataPlaces& places;
  bool f64;
  std::uint64_t memory;  // bytes that a set may take to be held in memory
};

using OpenedSet = Result<std::unique_ptr<DataSet>>;

OpenedSet open_digits(const SourceRequest& request);
// ring, grid, swissroll
OpenedSet open_points(const SourceRequest& request);

// What a path is, by its content.
enum class DataForm { idx_folder, idx_file, npy_folder, npy_file, image_folder };
// `fields`: a folder with an array for each is an npy_folder.
Result<DataForm> data_form(const std::filesystem::path& path, const SourceSpec& spec);

// `path`: a folder with files named as MNIST's, or the file of images.
OpenedSet open_idx(const SourceRequest& request, const std::filesystem::path& path);
// `path`: a folder of images.
OpenedSet open_images(const SourceRequest& request, const std::filesystem::path& path);
// `path`: an array, or a folder with `<field>.npy` for every field.
OpenedSet open_npy(const SourceRequest& request, const std::filesystem::path& path);

// The file names that MNIST's files have, for one split: those of the images, or of the labels.
std::vector<std::string> idx_names(std::string_view split, bool labels);

// open_data_set with another limit than a quarter of the memory.
OpenedSet open_data_set(const SourceSpec& spec, const DataPlaces& places, bool f64,
                        std::uint64_t memory);

// What the machine, its container and the limits of the process give.
std::uint64_t memory_of_machine();
// A quarter of it.
std::uint64_t memory_for_a_set();

}  // namespace ganc::runtime
