#pragma once

#include <string_view>

namespace ganc {

// "0.1.0", from the project() of CMakeLists.txt.
std::string_view version();

}  // namespace ganc
