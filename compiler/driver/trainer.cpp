#include "compiler/driver/trainer.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "compiler/driver/describe.h"
#include "compiler/driver/stages.h"
#include "compiler/link/link.h"

namespace ganc {

std::vector<std::string> what_prevents(const Model& model) {
  std::vector<std::string> list;
  for (const std::string& sentence : model.missing) {
    const auto about = [&](const Metric& metric) {
      return sentence.find("metric `" + metric.name + "`") != std::string::npos;
    };
    if (std::ranges::none_of(model.metrics, about)) list.push_back(sentence);
  }
  return list;
}

namespace {

// Machine code for several plans. Beyond x86-64-v4 instruction sets differ in products of pairs
// alone: other kernels are there already where a plan before has them.
class CompiledKernels {
 public:
  explicit CompiledKernels(bool optimize) : optimize_(optimize) {}

  struct Code {
    std::vector<std::string> functions, objects;
    std::int64_t scratch_bytes = 0;
  };
  Code add(std::span<const kernel::Kernel> kernels, Isa isa) {
    Code code;
    const std::string prefix = fmt::format("ganc_{}_", batches_++);
    std::vector<kernel::Kernel> missing;
    for (const kernel::Kernel& kernel : kernels) {
      const bool common = isa >= Isa::x86_64_v4 && !uses_pairs(kernel);
      const std::string own = prefix + std::to_string(missing.size());
      const auto [known, inserted] = common ? functions_.try_emplace(structural_key(kernel), own)
                                            : std::pair(functions_.end(), true);
      code.functions.push_back(common ? known->second : own);
      if (inserted) missing.push_back(kernel);
    }
    GeneratedCode generated =
        generate(missing, {.isa = isa, .optimize = optimize_, .prefix = prefix});
    code.objects = std::move(generated.objects);
    for (const kernel::Kernel& kernel : kernels)
      code.scratch_bytes = std::max(code.scratch_bytes, kernel::scratch_places(kernel).back());
    return code;
  }

 private:
  bool optimize_;
  std::size_t batches_ = 0;
  std::unordered_map<std::string, std::string> functions_;  // by structural key
};

}  // namespace

std::expected<std::uintmax_t, Stop> make_trainer(const Compilation& compilation,
                                                 const Sources& sources, std::uint32_t file,
                                                 const CompileOptions& options,
                                                 const std::filesystem::path& output) {
  if (const auto missing = what_prevents(compilation.model); !missing.empty()) {
    return std::unexpected(Stop{
        fmt::format("this version cannot build the program:\n  {}", fmt::join(missing, "\n  "))});
  }
  const auto folder = trainer_library_folder();
  if (!folder) return std::unexpected(Stop{folder.error()});
  Stages stages;

  std::vector<Variant> variants;
  std::vector<std::string> objects, descriptions;
  CompiledKernels compiled(options.optimize);
  for (const CpuPlan& cpus : compilation.plans) {
    CompiledKernels::Code code = compiled.add(cpus.plan.kernels, cpus.isa);
    variants.push_back({cpus.isa, std::move(code.functions), descriptions.size()});
    std::ranges::move(code.objects, std::back_inserter(objects));
    stages.done(name(cpus.isa));
    descriptions.push_back(
        describe(compilation, cpus.plan, sources, file, options, code.scratch_bytes));
  }
  // From here on there is machine code alone, and what the runtime reads about it.

  objects.push_back(generate_program(descriptions, variants));
  stages.done("describe");

  auto size = link_executable(objects, output, *folder);
  stages.done("link");
  if (!size) return std::unexpected(Stop{size.error()});
  return *size;
}

}  // namespace ganc
