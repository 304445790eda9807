#include "runtime/scalars.h"

#include <algorithm>

namespace ganc::runtime {

std::string without_repeat(const std::string& name) {
  return name.substr(0, name.find('#'));
}

Scalars::Scalars(Execution& execution, const Program& program) {
  // The execution keeps pointers to the tensors: no vector grows after they are given.
  scalars_.reserve(program.results.size());
  ran_.reserve(program.results.size());
  for (const ProgramResult& result : program.results) {
    const std::string& name = result.binding.name;
    const std::string tail = name.substr(name.find('/') + 1);
    if (name.starts_with("ran/")) {
      ran_.emplace_back(tail, Tensor(result.binding.dtype, result.binding.shape));
      execution.read(result, ran_.back().second);
    } else if ((name.starts_with("loss/") || name.starts_with("grad_norm/") ||
                name.starts_with("watch/")) &&
               elements(result.binding.shape) == 1) {
      scalars_.push_back(
          {without_repeat(name), tail, Tensor(result.binding.dtype, result.binding.shape)});
      execution.read(result, scalars_.back().value);
    }
  }
}

bool Scalars::computed(std::string_view update) const {
  const auto at =
      std::find_if(ran_.begin(), ran_.end(), [&](const auto& r) { return r.first == update; });
  return at == ran_.end() || at->second.number(0) != 0;
}

void Scalars::remember(std::map<std::string, double>& last) const {
  for (const Scalar& scalar : scalars_)
    if (computed(scalar.update)) last[scalar.name] = scalar.value.number(0);
}

}  // namespace ganc::runtime
