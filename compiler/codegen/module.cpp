#include "compiler/codegen/module.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/SimplifyCFGOptions.h>

#include "compiler/codegen/bug.h"
#include "compiler/codegen/emitter.h"

namespace ganc {

std::unique_ptr<llvm::Module> create_module(llvm::LLVMContext& context,
                                            llvm::TargetMachine& machine) {
  auto module = std::make_unique<llvm::Module>("ganc", context);
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  return module;
}

void emit_kernel(llvm::Module& module, const kernel::Kernel& kernel,
                 const std::string& function_name, const CodegenOptions& options) {
  KernelEmitter(module, target_of(options.isa), kernel, function_name, options.optimize).run();
}

namespace {

// Loops, vectors and tiles are as the emitter wrote them; what is left is to put sums into
// registers, to merge equal instructions and to move what does not change out of loops. No pass
// here changes the order of a sum.
void simplify(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(true));
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::SimplifyCFGPass());
  llvm::LoopPassManager of_loops;
  of_loops.addPass(llvm::LICMPass(llvm::LICMOptions()));
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(of_loops), true));
  for (llvm::Function& function : module)
    if (!function.isDeclaration()) passes.run(function, functions);
}

}  // namespace

void finish_module(llvm::Module& module, llvm::TargetMachine& machine,
                   const CodegenOptions& options) {
  std::string problem;
  llvm::raw_string_ostream out(problem);
  if (llvm::verifyModule(module, &out)) {
    module.print(llvm::errs(), nullptr);
    bug("the module is not valid: {}", problem);
  }
  if (options.optimize) simplify(module, machine);
}

std::string to_machine_code(llvm::Module& module, llvm::TargetMachine& machine,
                            llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type, true)) bug("LLVM emits no such file");
  passes.run(module);
  return std::string(bytes);
}

}  // namespace ganc
