#include "runtime/feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/weights.h"

namespace ganc::runtime {
namespace {

bool is_fed(const Binding& input) {
  return input.name.starts_with("data/") || input.name.starts_with("arg/");
}

// The values of a class must be one of its classes.
Result<void> check_classes(const Description& description, const Binding& binding,
                           const Tensor& tensor) {
  if (!binding.name.starts_with("data/")) return {};
  const std::string field = binding.name.substr(binding.name.rfind('/') + 1);
  const std::int64_t source = description.source_of(field);
  if (source < 0) return {};
  for (const FieldSpec& spec : description.sources[static_cast<std::size_t>(source)].fields) {
    if (spec.name != field || spec.kind != FieldSpec::Kind::class_) continue;
    for (std::int64_t i = 0; i < tensor.elements(); ++i)
      if (const double value = tensor.number(i);
          value < 0 || value >= static_cast<double>(spec.classes))
        return fail(fmt::format("element {} of `{}` is {}, and the field has {} classes", i,
                                binding.name, value, spec.classes));
  }
  return {};
}

Result<Tensor> read_key(const TensorFile& file, const StoredTensor& stored,
                        const Description& description, const Binding& binding) {
  auto tensor = file.read(stored, binding.dtype);
  if (!tensor) return tensor;
  if (auto r = check_classes(description, binding, *tensor); !r)
    return fail(fmt::format("cannot use the feed {}: {}", file.path().native(), r.error().message));
  return tensor;
}

}  // namespace

std::string print_type(const Binding& binding) {
  return fmt::format("{} {}", name(binding.dtype), print(binding.shape));
}

Result<Feed> Feed::read(const std::filesystem::path& path, const Description& description,
                        const Program& program) {
  auto file = TensorFile::open(path);
  if (!file) return std::unexpected(file.error());
  std::vector<std::string> missing, misshapen, unknown;
  std::vector<std::pair<const Binding*, const Draw*>> wanted;
  for (const Binding& input : program.inputs)
    if (is_fed(input)) wanted.emplace_back(&input, nullptr);
  for (const Draw& draw : program.draws) wanted.emplace_back(&draw.binding, &draw);

  Feed feed;
  for (const auto& [binding, draw] : wanted) {
    const StoredTensor* stored = file->find(binding->name);
    if (stored == nullptr) {
      missing.push_back(fmt::format("`{}` {}", binding->name, print_type(*binding)));
    } else if (stored->shape != binding->shape) {
      misshapen.push_back(fmt::format("`{}` is {} and must be {}", binding->name,
                                      print(stored->shape), print(binding->shape)));
    } else {
      auto tensor = read_key(*file, *stored, description, *binding);
      if (!tensor) return std::unexpected(tensor.error());
      if (draw != nullptr)
        feed.draws_.emplace_back(draw, std::move(*tensor));
      else
        feed.inputs_.emplace_back(binding, std::move(*tensor));
    }
  }
  for (const StoredTensor& stored : file->tensors())
    if (std::none_of(wanted.begin(), wanted.end(),
                     [&](const auto& w) { return w.first->name == stored.name; }))
      unknown.push_back(fmt::format("`{}`", stored.name));
  std::string wrong;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty())
      wrong += fmt::format("{}{}{}", wrong.empty() ? "" : "; ", what, list_some(names));
  };
  add("it lacks ", missing);
  add("", misshapen);
  add("nothing reads its ", unknown);
  if (!wrong.empty())
    return fail(fmt::format("cannot use the feed {}: {}. `info --feed` lists the keys of a step",
                            path.native(), wrong));
  return feed;
}

void Feed::attach(Execution& execution) const {
  for (const auto& [draw, tensor] : draws_) execution.feed(*draw, tensor);
}

void Feed::fill(char* arena) const {
  for (const auto& [binding, tensor] : inputs_) place(arena, *binding, tensor.bytes.data());
}

}  // namespace ganc::runtime
