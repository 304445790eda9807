#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>

#include "compiler/codegen/codegen.h"
#include "compiler/codegen/module.h"
#include "runtime/abi.h"

namespace ganc {
namespace {

// The constants of a GancProgram (runtime/abi.h), field by field.
class ProgramEmitter {
 public:
  explicit ProgramEmitter(llvm::Module& module)
      : module_(module),
        context_(module.getContext()),
        pointer_(llvm::PointerType::getUnqual(context_)),
        word_(llvm::Type::getInt32Ty(context_)),
        long_word_(llvm::Type::getInt64Ty(context_)) {}

  void run(const std::string& description, std::size_t kernel_count,
           const std::vector<CodegenOptions>& variants) {
    auto* variant_type = llvm::StructType::get(context_, {pointer_, pointer_});
    std::vector<llvm::Constant*> rows;
    for (const CodegenOptions& variant : variants) {
      llvm::Constant* isa = text(std::string(name(variant.isa)));
      rows.push_back(
          llvm::ConstantStruct::get(variant_type, {isa, kernels(variant.prefix, kernel_count)}));
    }
    llvm::Constant* table =
        constant(llvm::ConstantArray::get(llvm::ArrayType::get(variant_type, rows.size()), rows));
    auto* type =
        llvm::StructType::get(context_, {word_, word_, long_word_, pointer_, pointer_, long_word_});
    llvm::Constant* program = llvm::ConstantStruct::get(
        type, {llvm::ConstantInt::get(word_, GANC_ABI_VERSION),
               llvm::ConstantInt::get(word_, variants.size()),
               llvm::ConstantInt::get(long_word_, kernel_count), table, text(description),
               llvm::ConstantInt::get(long_word_, description.size())});
    new llvm::GlobalVariable(module_, type, true, llvm::GlobalValue::ExternalLinkage, program,
                             "ganc_program");
  }

 private:
  llvm::Constant* constant(llvm::Constant* value) {
    return new llvm::GlobalVariable(module_, value->getType(), true,
                                    llvm::GlobalValue::PrivateLinkage, value);
  }
  llvm::Constant* text(const std::string& bytes) {
    return constant(llvm::ConstantDataArray::getString(context_, bytes, true));
  }
  llvm::Constant* kernels(const std::string& prefix, std::size_t count) {
    auto* type =
        llvm::FunctionType::get(llvm::Type::getVoidTy(context_),
                                {pointer_, pointer_, long_word_, long_word_, pointer_}, false);
    std::vector<llvm::Constant*> functions;
    for (std::size_t i = 0; i < count; ++i) {
      auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage,
                                              prefix + std::to_string(i), module_);
      function->setVisibility(llvm::GlobalValue::HiddenVisibility);
      functions.push_back(function);
    }
    return constant(llvm::ConstantArray::get(llvm::ArrayType::get(pointer_, count), functions));
  }

  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::PointerType* pointer_;
  llvm::IntegerType *word_, *long_word_;
};

}  // namespace

std::string generate_program(const std::string& description, std::size_t kernel_count,
                             const std::vector<CodegenOptions>& variants) {
  llvm::LLVMContext context;
  const CodegenOptions options = variants.empty() ? CodegenOptions{} : variants.front();
  const auto machine = create_target_machine(options);
  const auto module = create_module(context, *machine);
  ProgramEmitter(*module).run(description, kernel_count, variants);
  finish_module(*module, *machine, {.isa = options.isa, .optimize = false});
  return to_machine_code(*module, *machine, llvm::CodeGenFileType::ObjectFile);
}

}  // namespace ganc
