#pragma once

#include <array>
#include <string_view>

namespace ganc {

// What a trainer is linked from, in the order in which a linker takes it. stage.cmake collects
// these files into lib/ganc when ganc is built. libm.a of Debian is a script with absolute paths:
// libm-static.a and libmvec.a are what it names.
constexpr std::array<std::string_view, 3> leading_files = {"crt1.o", "crti.o", "crtbeginT.o"};
constexpr std::array<std::string_view, 10> archives = {
    "libganc_runtime.a", "libpng16.a",  "libjpeg.a",     "libz.a",    "libstdc++.a",
    "libgcc.a",          "libgcc_eh.a", "libm-static.a", "libmvec.a", "libc.a"};
constexpr std::array<std::string_view, 2> trailing_files = {"crtend.o", "crtn.o"};

}  // namespace ganc
