#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace ganc {

enum class Isa { x86_64_v3, x86_64_v4 };
std::string_view name(Isa isa);  // "x86-64-v3"

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

// An ELF object that defines `ganc_program` (runtime/abi.h): the description and the tables of
// kernels.
std::string generate_program(const std::string& description, std::size_t kernel_count,
                             const std::vector<CodegenOptions>& variants);

}  // namespace ganc
