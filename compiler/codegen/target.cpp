#include "compiler/codegen/target.h"

#include <llvm/IR/Function.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Triple.h>

#include <mutex>

#include "compiler/codegen/bug.h"

namespace ganc {

namespace {

// What LLVM has to know of an instruction set. Scheduling models: the server parts that most
// machines of the level are like.
struct Level {
  std::string_view name;
  const char *cpu, *features, *tuned_for;
  Target target;
};
const Level& level_of(Isa isa) {
  static constexpr Level levels[] = {
      {"x86-64-v3", "x86-64-v3", "", "haswell", {Isa::x86_64_v3, 256, 16}},
      {"x86-64-v4", "x86-64-v4", "", "sapphirerapids", {Isa::x86_64_v4, 512, 32}},
      {"avx512-bf16",
       "x86-64-v4",
       "+avx512bf16",
       "sapphirerapids",
       {Isa::avx512_bf16, 512, 32, true}},
      {"amx",
       "x86-64-v4",
       "+avx512bf16,+amx-tile,+amx-bf16",
       "sapphirerapids",
       {Isa::amx, 512, 32, true, true}},
  };
  return levels[static_cast<std::size_t>(isa)];
}

}  // namespace

std::string_view name(Isa isa) {
  return level_of(isa).name;
}

Target target_of(Isa isa) {
  return level_of(isa).target;
}

std::int64_t rows_of_register_tile(Isa isa) {
  constexpr unsigned columns = 2, of_the_scalar_operand = 1;
  return (target_of(isa).vector_registers - columns - of_the_scalar_operand) / columns;
}

namespace {

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
      target->createTargetMachine(triple, level_of(options.isa).cpu, level_of(options.isa).features,
                                  settings, llvm::Reloc::PIC_, llvm::CodeModel::Small, level));
  if (!machine) bug("no target machine for {}", name(options.isa));
  return machine;
}

void set_target_attributes(llvm::Function& function, Isa isa) {
  const std::string bits = std::to_string(target_of(isa).vector_bits);
  const Level& level = level_of(isa);
  function.addFnAttr("target-cpu", level.cpu);
  function.addFnAttr("tune-cpu", level.tuned_for);
  if (*level.features != 0) function.addFnAttr("target-features", level.features);
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
  function.addFnAttr(llvm::Attribute::NoUnwind);
}

}  // namespace ganc
