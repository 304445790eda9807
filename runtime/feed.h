#pragma once

#include <deque>
#include <filesystem>

#include "runtime/execute.h"
#include "runtime/result.h"
#include "runtime/safetensors.h"

namespace ganc::runtime {

// Data, arguments and draws of one run of a program, from a file whose keys are exactly those that
// the program reads: inputs `data/..` and `arg/..`, and draws.
class Feed {
 public:
  // A missing, unknown or misshapen key, or a class out of range, is a failure that names it.
  static Result<Feed> read(const std::filesystem::path& path, const Description& description,
                           const Program& program);

  // The execution writes the draws when it comes to their calls; this object stays where it is.
  void attach(Execution& execution) const;
  // Writes the inputs.
  void fill(char* arena) const;

 private:
  std::deque<std::pair<const Binding*, Tensor>> inputs_;
  std::deque<std::pair<const Draw*, Tensor>> draws_;
};

// "f32 [64, 100]"
std::string print_type(const Binding& binding);

}  // namespace ganc::runtime
