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

  void run(const std::vector<std::string>& descriptions, const std::vector<Variant>& variants) {
    std::vector<llvm::Constant*> texts;
    for (const std::string& description : descriptions) texts.push_back(text(description));
    const auto number = [&](std::size_t n) { return llvm::ConstantInt::get(long_word_, n); };
    auto* variant_type =
        llvm::StructType::get(context_, {pointer_, pointer_, long_word_, pointer_, long_word_});
    std::vector<llvm::Constant*> rows;
    for (const Variant& v : variants)
      rows.push_back(llvm::ConstantStruct::get(
          variant_type,
          {text(std::string(name(v.isa))), kernels(v.functions), number(v.functions.size()),
           texts[v.description], number(descriptions[v.description].size())}));
    llvm::Constant* table =
        constant(llvm::ConstantArray::get(llvm::ArrayType::get(variant_type, rows.size()), rows));
    auto* type = llvm::StructType::get(context_, {word_, word_, pointer_});
    llvm::Constant* program =
        llvm::ConstantStruct::get(type, {llvm::ConstantInt::get(word_, GANC_ABI_VERSION),
                                         llvm::ConstantInt::get(word_, variants.size()), table});
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
  llvm::Constant* kernels(const std::vector<std::string>& names) {
    auto* type =
        llvm::FunctionType::get(llvm::Type::getVoidTy(context_),
                                {pointer_, pointer_, long_word_, long_word_, pointer_}, false);
    std::vector<llvm::Constant*> functions;
    for (const std::string& name : names) {
      auto* function =
          llvm::cast<llvm::Function>(module_.getOrInsertFunction(name, type).getCallee());
      function->setVisibility(llvm::GlobalValue::HiddenVisibility);
      functions.push_back(function);
    }
    return constant(
        llvm::ConstantArray::get(llvm::ArrayType::get(pointer_, names.size()), functions));
  }

  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::PointerType* pointer_;
  llvm::IntegerType *word_, *long_word_;
};

}  // namespace

std::string generate_program(const std::vector<std::string>& descriptions,
                             const std::vector<Variant>& variants) {
  llvm::LLVMContext context;
  const CodegenOptions options{.isa = variants.front().isa, .optimize = false};
  const auto machine = create_target_machine(options);
  const auto module = create_module(context, *machine);
  ProgramEmitter(*module).run(descriptions, variants);
  finish_module(*module, *machine, options);
  return to_machine_code(*module, *machine, llvm::CodeGenFileType::ObjectFile);
}

}  // namespace ganc
