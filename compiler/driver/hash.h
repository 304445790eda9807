#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "compiler/driver/compile.h"

namespace ganc {

// XXH3, 128 bits, over a sequence of texts and numbers; each is counted with its length, so that
// ("ab", "c") and
// ("a", "bc") differ.
class Hash {
 public:
  Hash();
  Hash& add(std::string_view text);
  Hash& add(std::int64_t number);
  Hash& add(double number);
  std::string hex() const;  // 32 digits

 private:
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

std::string hash_of(std::string_view text);

// Of all that changes the bits of a run and is no option of the trainer: graphs, variables,
// sources, dtype, batch, -O0. Not of layout, comments, or how long the schedule is, so that a
// longer schedule can resume.
std::string model_hash(const Compilation& compilation, const CompileOptions& options);

}  // namespace ganc
