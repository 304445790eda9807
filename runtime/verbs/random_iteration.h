#pragma once

#include <deque>
#include <memory>

#include "runtime/inputs.h"
#include "runtime/scalars.h"
#include "runtime/session.h"

namespace ganc::runtime {

// Iterations of the first train block on random data in memory: no source, no file. For benchmarks
// and profiles.
class RandomIteration {
 public:
  static Result<std::unique_ptr<RandomIteration>> create(Session& session);

  // One whole iteration: data, counters, the program, and the checks that training makes.
  void run();
  // Its parts: data and counters into the arena; all else.
  void fill();
  void compute();
  const Program& program() const { return program_; }
  Execution& execution() { return execution_; }

 private:
  RandomIteration(Session& session, const Train& train, const Program& program);
  void make_data(const Description& description);

  Session& session_;
  const Train& train_;
  const Program& program_;
  Counters counters_;
  Execution execution_;
  Scalars scalars_;
  std::deque<std::pair<const Binding*, Tensor>> data_;
};

}  // namespace ganc::runtime
