#pragma once

#include <string>
#include <vector>

namespace ganc {

// Does what the command line says and returns the exit code: 0 done; 1 the program or the
// environment is wrong; 2 wrong usage. `arguments` without the program's own name. (70, a bug of
// ours, is what main.cpp makes of an abort.)
int run_command(std::vector<std::string> arguments);

}  // namespace ganc
