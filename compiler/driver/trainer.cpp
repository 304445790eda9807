#include "compiler/driver/trainer.h"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/driver/describe.h"
#include "compiler/driver/stages.h"
#include "compiler/link/link.h"

namespace ganc {

std::vector<Isa> variants_of(const CompileOptions& options) {
  switch (options.cpu) {
    case Cpu::automatic:
      return {Isa::x86_64_v3, Isa::x86_64_v4};
    case Cpu::x86_64_v3:
      return {Isa::x86_64_v3};
    case Cpu::x86_64_v4:
      return {Isa::x86_64_v4};
    case Cpu::amx:
      return {Isa::x86_64_v4};  // refused before anything is compiled
    case Cpu::native:
      return {__builtin_cpu_supports("x86-64-v4") ? Isa::x86_64_v4 : Isa::x86_64_v3};
  }
  return {};
}

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

  std::vector<CodegenOptions> variants;
  std::vector<std::string> objects;
  std::int64_t scratch_bytes = 0;
  for (Isa isa : variants_of(options)) {
    variants.push_back({.isa = isa,
                        .optimize = options.optimize,
                        .prefix = fmt::format("ganc_{}_", name(isa).substr(name(isa).rfind('v')))});
    GeneratedCode code = generate(compilation.plan.kernels, variants.back());
    std::ranges::move(code.objects, std::back_inserter(objects));
    scratch_bytes = std::max(scratch_bytes, code.scratch_bytes);
    stages.done(name(isa));
  }
  // From here on there is machine code alone, and what the runtime reads about it.

  const std::string description = describe(compilation, sources, file, options, scratch_bytes);
  objects.push_back(generate_program(description, compilation.plan.kernels.size(), variants));
  stages.done("describe");

  auto size = link_executable(objects, output, *folder);
  stages.done("link");
  if (!size) return std::unexpected(Stop{size.error()});
  return *size;
}

}  // namespace ganc
