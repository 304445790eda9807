#pragma once

#include <filesystem>
#include <string>
#include <vector>

// A text file of the project: its path from the root, and its text.
struct SourceFile {
  std::string path;
  std::string text;
};

// Every text file of the project, without builds, runs and git's own.
const std::vector<SourceFile>& source_tree();
