#include "compiler/codegen/target.h"

#include <llvm/IR/Function.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Triple.h>

#include <mutex>

#include "compiler/codegen/bug.h"

namespace ganc {

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::x86_64_v3:
      return "x86-64-v3";
    case Isa::x86_64_v4:
      return "x86-64-v4";
  }
  std::abort();
}

Target target_of(Isa isa) {
  switch (isa) {
    case Isa::x86_64_v3:
      return {isa, 256, 16};
    case Isa::x86_64_v4:
      return {isa, 512, 32};
  }
  std::abort();
}

namespace {

// Scheduling models: the server parts that most machines of the level are like.
const char* tuned_for(Isa isa) {
  switch (isa) {
    case Isa::x86_64_v3:
      return "haswell";
    case Isa::x86_64_v4:
      return "sapphirerapids";
  }
  std::abort();
}

template <class Option, class T>
void set_option(const char* option_name, T value) {
  const auto& options = llvm::cl::getRegisteredOptions();
  const auto option = options.find(option_name);
  if (option == options.end()) bug("LLVM has no option {}", option_name);
  static_cast<Option*>(option->second)->setValue(value);
}

// What LLVM has no interface for but its command line.
void set_options() {
  // Strength reduction takes two thirds of the time of a compilation and finds nothing:
  // emit_sum.cpp steps pointers itself, and the indices of other loops are sums of what is hoisted
  // and a loop variable.
  set_option<llvm::cl::opt<bool>>("disable-lsr", true);
  // The quick selector of unoptimized code folds the load of a scalar into vblendvps, which reads
  // 16 bytes.
  set_option<llvm::cl::opt<llvm::cl::boolOrDefault>>("fast-isel", llvm::cl::BOU_FALSE);
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> create_target_machine(const CodegenOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    set_options();
  });
  const llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) bug("LLVM has no x86-64: {}", error);
  llvm::TargetOptions settings;
  settings.AllowFPOpFusion = llvm::FPOpFusion::Standard;  // only where `contract` says so
  settings.FunctionSections = true;
  const auto level =
      options.optimize ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::None;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, std::string(name(options.isa)), "", settings,
                                  llvm::Reloc::PIC_, llvm::CodeModel::Small, level));
  if (!machine) bug("no target machine for {}", name(options.isa));
  return machine;
}

void set_target_attributes(llvm::Function& function, Isa isa) {
  const std::string bits = std::to_string(target_of(isa).vector_bits);
  function.addFnAttr("target-cpu", std::string(name(isa)));
  function.addFnAttr("tune-cpu", tuned_for(isa));
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
  function.addFnAttr(llvm::Attribute::NoUnwind);
}

}  // namespace ganc
