#pragma once

#include <memory>
#include <string_view>

#include "runtime/abi.h"
#include "runtime/arena.h"
#include "runtime/description.h"
#include "runtime/execute.h"
#include "runtime/options.h"
#include "runtime/pool.h"
#include "runtime/result.h"

namespace ganc::runtime {

// What every verb runs with: the program, its variant for this CPU, threads and memory.
struct Session {
  Options options;
  Description description;
  const GancVariant* variant = nullptr;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<Arena> arena;

  // `description`: that of the program's first variant.
  // `isa`: of the checkpoint to go on with, or empty; --cpu comes before it. `must`: a CPU that
  // lacks it is a failure, else the best that there is.
  static Result<std::unique_ptr<Session>> open(const GancProgram& program, Description description,
                                               const Options& options, std::string_view isa,
                                               bool must);

  Machine machine() { return {description, *variant, *arena, *pool}; }
  // What a process that trains takes at most, its data set aside.
  std::int64_t planned_bytes() const;
};

}  // namespace ganc::runtime
