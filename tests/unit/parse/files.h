#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ganc::testing {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The files of `folder` (of the tests' folder) that end in `.gan`, sorted.
inline std::vector<std::filesystem::path> gan_files(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path path = std::filesystem::path(GANC_TESTS) / folder;
  if (!std::filesystem::exists(path)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".gan") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ganc::testing
