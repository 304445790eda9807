#pragma once

#include <filesystem>
#include <string>

// What a command printed, and how it ended.
struct Ran {
  int exit_code;  // 128 + the signal where one ended it
  std::string out, err;
};

// A folder of its own, gone at the end of the test. Commands run in it; $HOME and the cache lie in
// it too.
class Shell {
 public:
  Shell();
  ~Shell();
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  void write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;
  // By /bin/sh; `ganc` is the compiler of this build.
  Ran run(const std::string& command) const;

 private:
  std::filesystem::path folder_;
};
