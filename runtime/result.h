#pragma once

#include <expected>
#include <string>

namespace ganc::runtime {

// What failed, where and why, as one sentence for the user: "cannot read data/x.png: not a PNG
// file".
struct Failure {
  std::string message;
  int exit_code = 1;  // 1: program, data, environment; 2: usage; 3: diverged; 70: a bug of ours
};

template <typename T>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> fail(std::string message, int exit_code = 1) {
  return std::unexpected(Failure{std::move(message), exit_code});
}

}  // namespace ganc::runtime
