#include "compiler/driver/trainer.h"

#include <algorithm>

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
  for (const CpuPlan& cpus : compilation.plans) {
    std::int64_t scratch_bytes = 0;
    for (Isa isa : cpus.isas) {
      variants.push_back({.isa = isa,
                          .prefix = fmt::format("ganc_{}_", variants.size()),
                          .kernels = cpus.plan.kernels.size(),
                          .description = descriptions.size()});
      GeneratedCode code =
          generate(cpus.plan.kernels,
                   {.isa = isa, .optimize = options.optimize, .prefix = variants.back().prefix});
      std::ranges::move(code.objects, std::back_inserter(objects));
      scratch_bytes = std::max(scratch_bytes, code.scratch_bytes);
      stages.done(name(isa));
    }
    descriptions.push_back(describe(compilation, cpus.plan, sources, file, options, scratch_bytes));
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
