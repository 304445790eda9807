#pragma once

#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "compiler/codegen/codegen.h"

namespace ganc {

// What the emitters ask of an instruction set.
struct Target {
  Isa isa;
  unsigned vector_bits;  // of a register
  unsigned vector_registers;
  bool bf16 = false;   // multiplies pairs of bf16 in vectors
  bool tiles = false;  // and in tiles
};
Target target_of(Isa isa);

// For x86-64 Linux; aborts if LLVM was built without it.
std::unique_ptr<llvm::TargetMachine> create_target_machine(const CodegenOptions& options);
// Attributes that every generated function needs so that vectors stay as wide as they are written.
void set_target_attributes(llvm::Function& function, Isa isa);

}  // namespace ganc
