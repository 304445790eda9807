#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc {

// The least demanding first. The last two are x86-64-v4 with products of bf16 pairs: AVX512-BF16;
// with AMX-TILE and AMX-BF16 too.
enum class Isa { x86_64_v3, x86_64_v4, avx512_bf16, amx };
inline constexpr Isa every_isa[] = {Isa::x86_64_v3, Isa::x86_64_v4, Isa::avx512_bf16, Isa::amx};
std::string_view name(Isa isa);  // "x86-64-v3"
// Of the largest register tile of two vectors: 6 with 16 registers, 14 with 32.
std::int64_t rows_of_register_tile(Isa isa);

struct CodegenOptions {
  Isa isa = Isa::x86_64_v4;
  bool optimize = true;
  // Kernel i becomes the function prefix + i, of type GancKernel (runtime/abi.h).
  std::string prefix;
};

struct GeneratedCode {
  std::vector<std::string> objects;  // ELF relocatable files, compiled on several threads
  std::int64_t scratch_bytes = 0;    // the largest scratch that a kernel asks for, a thread
};

// From here on there is no kernel IR: machine code alone.
GeneratedCode generate(std::span<const kernel::Kernel> kernels, const CodegenOptions& options);
// One kernel as LLVM IR or assembly, for `ganc emit`.
std::string print_llvm(const kernel::Kernel& kernel, const CodegenOptions& options);
std::string print_assembly(const kernel::Kernel& kernel, const CodegenOptions& options);

// The code of a trainer for one instruction set: its functions by the numbers of their kernels, and
// which of the trainer's descriptions tells of them.
struct Variant {
  Isa isa;
  std::vector<std::string> functions;
  std::size_t description = 0;
};

// An ELF object that defines `ganc_program` (runtime/abi.h).
std::string generate_program(const std::vector<std::string>& descriptions,
                             const std::vector<Variant>& variants);

}  // namespace ganc
