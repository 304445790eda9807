#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/execute.h"

namespace ganc::runtime {

// The numbers of an iteration that the log shows: losses, norms of gradients, watches.
class Scalars {
 public:
  struct Scalar {
    std::string name;    // with the repeat taken off: "loss/D"
    std::string update;  // as the program has it: "D#4"
    Tensor value;
  };

  // The execution reads them from now on; this object stays where it is.
  Scalars(Execution& execution, const Program& program);
  Scalars(const Scalars&) = delete;
  Scalars& operator=(const Scalars&) = delete;

  // After a run: updates under a condition that did not hold have computed nothing.
  bool computed(std::string_view update) const;
  // Puts what was computed under its name; of repeats the last stays.
  void remember(std::map<std::string, double>& last) const;
  const std::vector<Scalar>& all() const { return scalars_; }

 private:
  std::vector<Scalar> scalars_;
  std::vector<std::pair<std::string, Tensor>> ran_;  // update, whether it ran
};

// "D" of "D#4": the repeats of an update share one name in the log.
std::string without_repeat(const std::string& name);

}  // namespace ganc::runtime
