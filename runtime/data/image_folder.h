#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

// The images of a folder and its sub-folders, in order of path. The folder's own sub-folders, in
// order of name, are the classes.
struct ImageFolder {
  struct Entry {
    std::filesystem::path path;
    std::int32_t label;  // -1: beside the sub-folders
  };
  std::vector<Entry> images;
  std::vector<std::string> classes;
  std::int64_t others = 0;  // files that by their names are no PNG or JPEG
};

// Names that begin with a dot are passed over. No image at all is a Failure.
Result<ImageFolder> list_images(const std::filesystem::path& folder);

}  // namespace ganc::runtime
