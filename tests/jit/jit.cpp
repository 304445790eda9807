#include "tests/jit/jit.h"

#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

#include <llvm/ExecutionEngine/Orc/AbsoluteSymbols.h>

#include <cstdio>
#include <cstdlib>

#include "tests/jit/tile_emulation.h"

namespace ganc {
namespace {

template <class T>
T value(llvm::Expected<T> expected) {
  if (expected) return std::move(*expected);
  std::fprintf(stderr, "jit: %s\n", llvm::toString(expected.takeError()).c_str());
  std::abort();
}
void check(llvm::Error error) {
  if (!error) return;
  std::fprintf(stderr, "jit: %s\n", llvm::toString(std::move(error)).c_str());
  std::abort();
}

}  // namespace

struct Jit::Implementation {
  std::unique_ptr<llvm::orc::LLJIT> lljit;
};

Jit::Jit() : implementation_(std::make_unique<Implementation>()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  implementation_->lljit = value(llvm::orc::LLJITBuilder().create());
  llvm::orc::LLJIT& lljit = *implementation_->lljit;
  llvm::orc::SymbolMap tiles;
  for (const auto& [name, function] : emulated_tile_operations())
    tiles[lljit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                                          llvm::JITSymbolFlags::Exported};
  check(lljit.getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(tiles))));
  // The C library's exp, log and so on.
  lljit.getMainJITDylib().addGenerator(
      value(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          lljit.getDataLayout().getGlobalPrefix())));
}
Jit::~Jit() = default;

GancKernel Jit::add(const kernel::Kernel& kernel, CodegenOptions options) {
  return add(std::span(&kernel, 1), std::move(options))[0];
}

std::vector<GancKernel> Jit::add(std::span<const kernel::Kernel> kernels, CodegenOptions options) {
  options.prefix = "batch" + std::to_string(batches_++) + "_";
  llvm::orc::LLJIT& lljit = *implementation_->lljit;
  const GeneratedCode code = generate(kernels, options);
  for (const std::string& object : code.objects)
    check(lljit.addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object)));
  std::vector<GancKernel> functions;
  for (std::size_t i = 0; i < kernels.size(); ++i)
    functions.push_back(
        value(lljit.lookup(options.prefix + std::to_string(i))).toPtr<GancKernel>());
  return functions;
}

bool runs_here(Isa isa) {
  switch (isa) {
    case Isa::x86_64_v3:
      return __builtin_cpu_supports("x86-64-v3");
    case Isa::x86_64_v4:
      return __builtin_cpu_supports("x86-64-v4");
    case Isa::avx512_bf16:
      return runs_here(Isa::x86_64_v4) && __builtin_cpu_supports("avx512bf16");
    case Isa::amx:
      return false;  // the process does not ask for tile registers
  }
  std::abort();
}

Isa best_isa() {
  return runs_here(Isa::x86_64_v4) ? Isa::x86_64_v4 : Isa::x86_64_v3;
}

}  // namespace ganc
