#include <cstdlib>
#include <system_error>

#include "compiler/link/link.h"
#include "compiler/link/trainer_libraries.h"

namespace ganc {

std::expected<std::filesystem::path, std::string> trainer_library_folder() {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path folder;
  if (const char* chosen = std::getenv("GANC_LIB"); chosen != nullptr && *chosen != '\0') {
    folder = chosen;
  } else {
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) {
      return std::unexpected("cannot find the folder of ganc: /proc/self/exe: " + error.message());
    }
    folder = self.parent_path().parent_path() / "lib" / "ganc";
  }
  const auto lacks = [&](std::string_view file) {
    return std::unexpected(
        "cannot link trainers: " + (folder / file).string() +
        " is missing (lib/ganc belongs beside bin/ganc; $GANC_LIB overrides it)");
  };
  for (std::string_view file : leading_files) {
    if (!fs::is_regular_file(folder / file, error)) return lacks(file);
  }
  for (std::string_view file : archives) {
    if (!fs::is_regular_file(folder / file, error)) return lacks(file);
  }
  for (std::string_view file : trailing_files) {
    if (!fs::is_regular_file(folder / file, error)) return lacks(file);
  }
  return folder;
}

}  // namespace ganc
