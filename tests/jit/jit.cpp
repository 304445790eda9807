#include "tests/jit/jit.h"

#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/tiles.h"
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

bool has_tiles() {
  return __builtin_cpu_supports("amx-bf16") && runtime::may_use_tiles();
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
  if (options.isa == Isa::amx && runs_here(Isa::amx)) {
    if (!has_tiles()) emulate_tiles();
    runtime::configure_tiles();
  }
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
      return runs_here(Isa::avx512_bf16);  // tiles are emulated where there are none
  }
  std::abort();
}

Isa best_isa() {
  return runs_here(Isa::x86_64_v4) ? Isa::x86_64_v4 : Isa::x86_64_v3;
}

}  // namespace ganc
