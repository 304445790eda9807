#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compiler/codegen/codegen.h"
#include "runtime/abi.h"

namespace ganc {

// Kernels compiled to objects as `ganc build` does it, loaded into this process. They live as long
// as the Jit.
class Jit {
 public:
  Jit();
  ~Jit();

  // Aborts where the kernel is not valid or does not link. `options.prefix` is not used.
  GancKernel add(const kernel::Kernel& kernel, CodegenOptions options = {});
  std::vector<GancKernel> add(std::span<const kernel::Kernel> kernels, CodegenOptions options = {});

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
  int batches_ = 0;
};

// Whether this machine runs code for `isa`; tiles may be emulated (tile_emulation.h), for the
// thread that adds the kernels.
bool runs_here(Isa isa);
// The most that this machine runs.
Isa best_isa();

}  // namespace ganc
