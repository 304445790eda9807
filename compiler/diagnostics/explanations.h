#pragma once

#include <span>
#include <string_view>

namespace ganc {

// One file of explain/, as the build embedded it.
struct Explanation {
  std::string_view code;
  std::string_view text;
};
std::span<const Explanation> explanations();

}  // namespace ganc
