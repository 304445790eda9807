#include "source_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace fs = std::filesystem;

namespace {

std::vector<SourceFile> read_tree() {
  const fs::path root = fs::path(GANC_TESTS).parent_path();
  const std::set<std::string> skipped = {".git", "build", "runs", "__pycache__"};
  std::vector<SourceFile> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    if (it->is_directory() && skipped.contains(it->path().filename().string())) {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file()) continue;
    std::ifstream stream(it->path(), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(stream), {});
    if (text.find('\0') != std::string::npos) continue;  // no text
    files.push_back({fs::relative(it->path(), root).string(), std::move(text)});
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

}  // namespace

const std::vector<SourceFile>& source_tree() {
  static const std::vector<SourceFile> files = read_tree();
  return files;
}
