#include "shell.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <sys/wait.h>

namespace fs = std::filesystem;

Shell::Shell() {
  std::string name = (fs::temp_directory_path() / "ganc-driver-XXXXXX").string();
  folder_ = mkdtemp(name.data());
  fs::create_directory(folder_ / "bin");
  fs::create_symlink(GANC_BINARY, folder_ / "bin" / "ganc");
}

Shell::~Shell() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

void Shell::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
}

std::string Shell::read(const std::string& name) const {
  std::ifstream file(folder_ / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Ran Shell::run(const std::string& command) const {
  const std::string words = "cd '" + folder_.string() +
                            "' && HOME=\"$PWD\" XDG_CACHE_HOME=\"$PWD/cache\" " +
                            "PATH=\"$PWD/bin:$PATH\" && export HOME XDG_CACHE_HOME PATH && { " +
                            command + "\n} > .out 2> .err < /dev/null";
  const int status = std::system(words.c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, read(".out"), read(".err")};
}
