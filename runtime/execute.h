#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/abi.h"
#include "runtime/arena.h"
#include "runtime/description.h"
#include "runtime/pool.h"

namespace ganc::runtime {

// What kernels run with; everything outlives it.
struct Machine {
  const Description& description;
  const GancVariant& variant;
  Arena& arena;
  Pool& pool;
};

// A program made ready to run many times: its calls in order in one region of the pool, a barrier
// between calls unless both are the first thread's alone. Results asked for are read between their
// call and the next; fed draws are written in place of the call that draws them.
class Execution {
 public:
  Execution(Machine machine, const Program& program);

  // The result is gathered into `into`, which has its dtype and shape and stays where it is.
  void read(const ProgramResult& result, Tensor& into);
  // `values` has the draw's dtype and shape and stays where it is.
  void feed(const Draw& draw, const Tensor& values);
  // Called on the caller's thread after every call, complete on all threads; false ends the run
  // there.
  void after_each_call(std::function<bool(std::size_t call)> observer) {
    observer_ = std::move(observer);
    ready_ = false;
  }

  void run();

 private:
  struct Step {
    GancKernel kernel;
    const Call* call;
    bool single = false;  // the first thread's alone
    bool barrier_before = false;
    bool stop_after = false;  // something is read
    std::vector<std::pair<const Binding*, Tensor*>> reads;
    const Binding* fed = nullptr;
    const Tensor* values = nullptr;
  };

  void place_barriers();
  void region(unsigned thread);
  void run_call(const Step& step, unsigned thread) const;

  Machine machine_;
  bool tiles_;  // kernels use tile registers
  std::vector<Step> steps_;
  std::vector<std::pair<const Binding*, Tensor*>> reads_before_;
  std::function<bool(std::size_t)> observer_;
  bool halted_ = false;
  bool ready_ = false;
};

}  // namespace ganc::runtime
