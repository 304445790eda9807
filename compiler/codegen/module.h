#pragma once

#include <llvm/IR/Module.h>

#include <memory>

#include "compiler/codegen/codegen.h"
#include "compiler/codegen/target.h"

namespace ganc {

std::unique_ptr<llvm::Module> create_module(llvm::LLVMContext& context,
                                            llvm::TargetMachine& machine);
// Writes `kernel` into the module as a function of that name.
void emit_kernel(llvm::Module& module, const kernel::Kernel& kernel,
                 const std::string& function_name, const CodegenOptions& options);
// Checks the module and, where `options` ask for it, simplifies it.
void finish_module(llvm::Module& module, llvm::TargetMachine& machine,
                   const CodegenOptions& options);
// The module as machine code: an ELF object, or assembly text.
std::string to_machine_code(llvm::Module& module, llvm::TargetMachine& machine,
                            llvm::CodeGenFileType type);

}  // namespace ganc
