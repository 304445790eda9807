#include "compiler/schedule/dependences.h"

#include <algorithm>
#include <map>

namespace ganc::planning {

std::vector<std::uint32_t> tensors_read(const ProgramDraft& program, const Draft& draft) {
  std::vector<std::uint32_t> read;
  for (std::size_t b = 0; b < draft.buffers.size(); ++b)
    if (draft.kernel.buffers[b].read || !draft.kernel.buffers[b].written)
      read.push_back(draft.buffers[b]);
  for (NodeId guard : draft.guards) read.push_back(program.tensor_of[guard.index]);
  return read;
}

std::vector<std::uint32_t> tensors_written(const Draft& draft) {
  std::vector<std::uint32_t> written;
  for (std::size_t b = 0; b < draft.buffers.size(); ++b)
    if (draft.kernel.buffers[b].written) written.push_back(draft.buffers[b]);
  return written;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> renewed(const ProgramDraft& program) {
  std::map<std::int32_t, std::uint32_t> old;
  for (std::uint32_t i = 0; i < program.tensors.size(); ++i)
    if (const Tensor& t = program.tensors[i]; t.home == Tensor::Home::variable) old[t.variable] = i;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const Target& target : program.targets) {
    const auto it = target.variable < 0 ? old.end() : old.find(target.variable);
    const std::uint32_t fresh = program.tensor_of[target.node.index];
    if (it != old.end() && fresh != it->second) pairs.emplace_back(it->second, fresh);
  }
  return pairs;
}

Dependences dependences(const ProgramDraft& program) {
  const auto count = static_cast<std::uint32_t>(program.drafts.size());
  constexpr std::uint32_t none = UINT32_MAX;
  std::vector<std::uint32_t> writer(program.tensors.size(), none);
  std::vector<Drafts> readers(program.tensors.size()), ever(program.tensors.size());
  Dependences d{std::vector<Drafts>(count), std::vector<Drafts>(count), std::vector<Drafts>(count)};
  const auto order = [&](std::uint32_t first, std::uint32_t second) {
    if (first != second) d.before[second].push_back(first);
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t tensor : tensors_read(program, program.drafts[i])) {
      if (writer[tensor] != none) {
        order(writer[tensor], i);
        d.sources[i].push_back(writer[tensor]);
      }
      readers[tensor].push_back(i);
      ever[tensor].push_back(i);
    }
    for (std::uint32_t tensor : tensors_written(program.drafts[i])) {
      if (writer[tensor] != none) order(writer[tensor], i);
      for (std::uint32_t reader : readers[tensor]) order(reader, i);
      readers[tensor].clear();
      writer[tensor] = i;
    }
  }
  for (const auto& [old, fresh] : renewed(program))
    for (std::uint32_t reader : ever[old])
      if (writer[fresh] != none && reader < writer[fresh]) order(reader, writer[fresh]);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::ranges::sort(d.before[i]);
    const auto repeated = std::ranges::unique(d.before[i]);
    d.before[i].erase(repeated.begin(), repeated.end());
    for (std::uint32_t first : d.before[i]) d.after[first].push_back(i);
  }
  return d;
}

}  // namespace ganc::planning
