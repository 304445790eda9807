// What no text of the project may hold.
#include <catch2/catch.hpp>

#include <regex>

#include "source_tree.h"

namespace {

// A path that exists on one machine alone. Written so that this file is none of its own finds.
std::string machine_path(const std::string& text) {
  static const std::regex pattern(
      "(^|[^A-Za-z0-9_.])/("
      "home"
      "|"
      "work"
      "|"
      "root"
      ")/[A-Za-z0-9_.-]+");
  std::smatch match;
  return std::regex_search(text, match, pattern) ? match.str() : "";
}

}  // namespace

TEST_CASE("a path of one machine is found") {
  CHECK(machine_path(std::string("see /") + "home/jo/models") != "");
  CHECK(machine_path(std::string("/") + "work/x") != "");
  CHECK(machine_path(std::string("build/") + "work/x and ../" + "home/y") == "");
}

TEST_CASE("no text names a path of one machine") {
  for (const SourceFile& file : source_tree()) {
    INFO(file.path);
    CHECK(machine_path(file.text) == "");
  }
}

TEST_CASE("every source file ends with an end of line") {
  for (const SourceFile& file : source_tree()) {
    if (!file.path.ends_with(".cpp") && !file.path.ends_with(".h")) continue;
    INFO(file.path);
    CHECK((file.text.empty() || file.text.back() == '\n'));
  }
}
