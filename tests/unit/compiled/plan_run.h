#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/ops/op.h"
#include "compiler/schedule/schedule.h"
#include "tests/jit/jit.h"
#include "tests/unit/random_value.h"

namespace ganc::test {

using Values = std::map<std::string, Value>;

// A plan in memory, as the runtime would run it.
class PlanRun {
 public:
  // Runs units [begin, end) of a kernel.
  using Execute =
      std::function<void(const kernel::Kernel& kernel, std::uint32_t number, char* arena,
                         const std::int64_t* offsets, std::int64_t begin, std::int64_t end)>;

  PlanRun(const Plan& plan, Execute execute);

  void set_variable(const std::string& name, const Value& value);
  Value variable(const std::string& name) const;
  // Everything but the variables is NaN (all bits set) before the inputs are filled. Units are run
  // in random parts in random order where `split` is given. Results are read at their time; `feeds`
  // replace draws.
  Values run(std::size_t program, const Values& inputs, Random* split = nullptr,
             const Values& feeds = {});

 private:
  void write(const Placement& placement, const Value& value);
  Value read(const Placement& placement) const;

  const Plan& plan_;
  Execute execute_;
  std::vector<char> memory_;
  char* arena_;
};

// Kernels as machine code.
PlanRun::Execute compiled(Jit& jit, const Plan& plan, CodegenOptions options);
// Kernels by the kernel IR's reference, which aborts at an index outside a buffer. Always whole
// kernels.
PlanRun::Execute by_reference();

// Everything that is wrong with the plan's kernels; empty: nothing.
std::string problems(const Plan& plan);
// The largest difference relative to max(1, largest number of `expected`); infinity where types
// differ.
double difference(const Value& expected, const Value& actual);

}  // namespace ganc::test
