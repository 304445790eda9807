#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace ganc {

// A mistake of the compiler's own: says so and aborts.
template <class... Args>
[[noreturn]] void bug(fmt::format_string<Args...> text, Args&&... args) {
  fmt::print(stderr, "ganc: internal error in codegen: {}\n",
             fmt::format(text, std::forward<Args>(args)...));
  std::abort();
}

}  // namespace ganc
