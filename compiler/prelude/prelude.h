#pragma once

#include <span>
#include <string_view>

namespace ganc {

// The standard library, written in the language itself and embedded when ganc is built.
struct PreludeFile {
  std::string_view name;  // "layers.gan"
  std::string_view text;
};
std::span<const PreludeFile> prelude_files_embedded();

}  // namespace ganc
