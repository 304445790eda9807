#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "compiler/codegen/bug.h"
#include "compiler/codegen/codegen.h"
#include "compiler/codegen/module.h"

namespace ganc {
namespace {

// Kernels an object file. Fixed, so that a build gives the same bytes on any machine.
constexpr std::size_t kernels_an_object = 16;

std::string function_name(const CodegenOptions& options, std::size_t index) {
  return options.prefix + std::to_string(index);
}

void check(const kernel::Kernel& kernel) {
  const std::vector<std::string> problems = kernel::verify(kernel);
  if (problems.empty()) return;
  bug("kernel `{}` is not valid: {}\n{}", kernel.name, problems[0], kernel::print(kernel));
}

std::string generate_object(std::span<const kernel::Kernel> kernels, std::size_t first,
                            const CodegenOptions& options) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  const auto machine = create_target_machine(options);
  const auto module = create_module(context, *machine);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    emit_kernel(*module, kernels[i], function_name(options, first + i), options);
  finish_module(*module, *machine, options);
  return to_machine_code(*module, *machine, llvm::CodeGenFileType::ObjectFile);
}

template <class F>
std::string generate_one(const kernel::Kernel& kernel, const CodegenOptions& options, F&& print) {
  check(kernel);
  llvm::LLVMContext context;
  const auto machine = create_target_machine(options);
  const auto module = create_module(context, *machine);
  emit_kernel(*module, kernel, options.prefix + kernel.name, options);
  finish_module(*module, *machine, options);
  return print(*module, *machine);
}

}  // namespace

GeneratedCode generate(std::span<const kernel::Kernel> kernels, const CodegenOptions& options) {
  GeneratedCode code;
  for (const kernel::Kernel& kernel : kernels) {
    check(kernel);
    code.scratch_bytes = std::max(code.scratch_bytes, kernel::scratch_places(kernel).back());
  }
  code.objects.resize((kernels.size() + kernels_an_object - 1) / kernels_an_object);
  create_target_machine(options);  // sets LLVM up before there are threads
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < code.objects.size(); i = next++) {
      const std::size_t first = i * kernels_an_object;
      const std::size_t count = std::min(kernels_an_object, kernels.size() - first);
      code.objects[i] = generate_object(kernels.subspan(first, count), first, options);
    }
  };
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(processors, code.objects.size()); ++i)
    threads.emplace_back(work);
  work();
  threads.clear();
  return code;
}

std::string print_llvm(const kernel::Kernel& kernel, const CodegenOptions& options) {
  return generate_one(kernel, options, [](llvm::Module& module, llvm::TargetMachine&) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out, nullptr);
    return text;
  });
}

std::string print_assembly(const kernel::Kernel& kernel, const CodegenOptions& options) {
  return generate_one(kernel, options, [](llvm::Module& module, llvm::TargetMachine& machine) {
    return to_machine_code(module, machine, llvm::CodeGenFileType::AssemblyFile);
  });
}

}  // namespace ganc
