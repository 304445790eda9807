#include "compiler/schedule/memory.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "compiler/kernel/renumber.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/pack.h"

namespace ganc::planning {

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::int64_t bytes_of(const Tensor& tensor) {
  return std::max<std::int64_t>(tensor.elements * byte_size(tensor.dtype), 1);
}

std::vector<Life> find_lives(const ProgramDraft& program) {
  const auto count = static_cast<std::int64_t>(program.drafts.size());
  std::vector<Life> lives(program.tensors.size());
  const auto live = [&](std::uint32_t tensor, std::int64_t at) {
    lives[tensor].birth = std::min(lives[tensor].birth, at);
    lives[tensor].death = std::max(lives[tensor].death, at);
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const Draft& draft = program.drafts[static_cast<std::size_t>(i)];
    for (std::uint32_t tensor : draft.buffers) live(tensor, i);
    for (NodeId guard : draft.guards) live(program.tensor_of[guard.index], i);
  }
  for (std::size_t i = 0; i < program.tensors.size(); ++i)
    if (program.tensors[i].home == Tensor::Home::input) lives[i].birth = -1;
  // A result is read as soon as it is written: before the first draft where none writes it.
  for (const Target& target : program.targets) {
    const std::uint32_t tensor = program.tensor_of[target.node.index];
    if (target.variable < 0 && lives[tensor].death < lives[tensor].birth) live(tensor, -1);
  }
  return lives;
}

namespace {

// One buffer of the kernel in place of two.
void join_buffers(Draft& draft, std::uint32_t kept, std::uint32_t gone) {
  const auto number = [&](std::uint32_t buffer) {
    if (buffer == gone) buffer = kept;
    return buffer > gone ? buffer - 1 : buffer;
  };
  draft.kernel.buffers[kept].read |= draft.kernel.buffers[gone].read;
  draft.kernel.buffers[kept].written |= draft.kernel.buffers[gone].written;
  kernel::renumber_buffers(draft.kernel, number);
  draft.kernel.buffers.erase(draft.kernel.buffers.begin() + gone);
  draft.buffers.erase(draft.buffers.begin() + gone);
  for (auto& [read, written] : draft.in_place) read = number(read), written = number(written);
}

class Planner {
 public:
  Planner(ProgramDraft& program, const std::vector<std::int64_t>& variable_offsets,
          std::int64_t persistent)
      : program_(program), variable_offsets_(variable_offsets), persistent_(persistent) {}

  MemoryPlan run() {
    lives_ = find_lives(program_);
    place_variables();
    lives_ = find_lives(program_);  // with the copies
    share_places();
    MemoryPlan plan;
    plan.written_by = writers();
    for (const auto& [draft, kept, gone] : joins_)
      join_by_tensor(program_.drafts[draft], kept, gone);
    allocate(plan);
    return plan;
  }

 private:
  std::vector<std::int32_t> writers() const {
    std::vector<std::int32_t> result(program_.tensors.size(), -1);
    for (std::size_t i = 0; i < program_.drafts.size(); ++i) {
      const Draft& draft = program_.drafts[i];
      for (std::size_t b = 0; b < draft.buffers.size(); ++b)
        if (draft.kernel.buffers[b].written)
          result[draft.buffers[b]] = static_cast<std::int32_t>(i);
    }
    return result;
  }

  bool may_join(const Draft& draft, std::uint32_t read, std::uint32_t written) const {
    return std::ranges::any_of(draft.in_place, [&](const auto& pair) {
      return draft.buffers[pair.first] == read && draft.buffers[pair.second] == written;
    });
  }

  void place_variables() {
    std::map<std::int32_t, std::uint32_t> old;
    for (std::uint32_t i = 0; i < program_.tensors.size(); ++i)
      if (const Tensor& t = program_.tensors[i]; t.home == Tensor::Home::variable)
        old[t.variable] = i;
    for (const Target& target : program_.targets) {
      if (target.variable < 0) continue;
      const std::uint32_t fresh = program_.tensor_of[target.node.index];
      const auto it = old.find(target.variable);
      if (it == old.end() || program_.tensors[fresh].elements == 0) {
        program_.tensors[fresh].home = Tensor::Home::variable;
        program_.tensors[fresh].variable = target.variable;
        continue;
      }
      const std::int64_t last_read = lives_[it->second].death, written = lives_[fresh].birth;
      const bool here = last_read == written && written >= 0 && written != INT64_MAX;
      if (last_read < written ||
          (here &&
           may_join(program_.drafts[static_cast<std::size_t>(written)], it->second, fresh))) {
        if (here) joins_.emplace_back(static_cast<std::size_t>(written), it->second, fresh);
        program_.tensors[fresh].home = Tensor::Home::variable;
        program_.tensors[fresh].variable = target.variable;
      } else {
        copy(target, fresh, it->second);
      }
    }
  }

  // At the end, when nobody reads the old value any more.
  void copy(const Target& target, std::uint32_t from, std::uint32_t to) {
    Computation c;
    Domain domain(program_.tensors[from].shape);
    c.domain = add_variables(c.space, domain);
    Emitter emitter(program_, c.space, c.expressions);
    const ExprId value = emitter.emit(target.node, c.domain.at);
    c.stores.push_back({to, emitter.offset(program_.tensors[to], c.domain.at), value});
    std::uint32_t guards = 0;
    for (const Group& group : program_.groups)
      if (std::ranges::find(group.roots, target.node) != group.roots.end()) guards = group.guards;
    Group group{GroupKind::elementwise, {target.node}, guards, -1};
    write_stores(program_, group, c);
  }

  // The first output that may take the place of an input that is read here for the last time.
  void share_places() {
    place_of_.resize(program_.tensors.size());
    std::iota(place_of_.begin(), place_of_.end(), 0U);
    std::vector<bool> taken(program_.tensors.size());
    for (std::size_t i = 0; i < program_.drafts.size(); ++i) {
      const auto now = static_cast<std::int64_t>(i);
      const Draft& draft = program_.drafts[i];
      for (const auto& [a, b] : draft.in_place) {
        const std::uint32_t read = draft.buffers[a], written = draft.buffers[b];
        if (program_.tensors[read].home == Tensor::Home::variable ||
            program_.tensors[written].home != Tensor::Home::arena)
          continue;
        if (taken[read] || place_of_[written] != written || lives_[read].death != now ||
            lives_[written].birth != now)
          continue;
        taken[read] = true;
        place_of_[written] = place_of_[read];
        joins_.emplace_back(i, read, written);
      }
    }
  }

  void join_by_tensor(Draft& draft, std::uint32_t kept, std::uint32_t gone) {
    const auto find = [&](std::uint32_t tensor) {
      return static_cast<std::uint32_t>(std::ranges::find(draft.buffers, tensor) -
                                        draft.buffers.begin());
    };
    join_buffers(draft, find(kept), find(gone));
  }

  void allocate(MemoryPlan& plan) const {
    std::vector<Life> lives = lives_;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      Life& place = lives[place_of_[i]];
      place.birth = std::min(place.birth, lives_[i].birth);
      place.death = std::max(place.death, lives_[i].death);
    }
    std::vector<Space> spaces;
    std::vector<std::uint32_t> tensor_of_space;
    for (std::uint32_t i = 0; i < lives.size(); ++i) {
      if (place_of_[i] != i || program_.tensors[i].home == Tensor::Home::variable) continue;
      if (lives[i].death < lives[i].birth) continue;  // nothing reads or writes it
      spaces.push_back({lives[i].birth, lives[i].death, aligned(bytes_of(program_.tensors[i]))});
      tensor_of_space.push_back(i);
    }
    const Packing packing = pack(spaces);
    plan.bytes = persistent_ + packing.bytes;
    plan.alive_bytes = persistent_ + most_alive(spaces);
    plan.offsets.assign(program_.tensors.size(), persistent_);
    for (std::size_t s = 0; s < spaces.size(); ++s)
      plan.offsets[tensor_of_space[s]] = persistent_ + packing.offsets[s];
    for (std::size_t i = 0; i < lives.size(); ++i) {
      const Tensor& t = program_.tensors[i];
      plan.offsets[i] = t.home == Tensor::Home::variable
                            ? variable_offsets_[static_cast<std::size_t>(t.variable)]
                            : plan.offsets[place_of_[i]];
    }
  }

  ProgramDraft& program_;
  const std::vector<std::int64_t>& variable_offsets_;
  const std::int64_t persistent_;
  std::vector<Life> lives_;
  std::vector<std::uint32_t> place_of_;  // the tensor whose place each has
  std::vector<std::tuple<std::size_t, std::uint32_t, std::uint32_t>> joins_;
};

}  // namespace

MemoryPlan plan_memory(ProgramDraft& program, const std::vector<std::int64_t>& variable_offsets,
                       std::int64_t persistent_bytes) {
  return Planner(program, variable_offsets, persistent_bytes).run();
}

}  // namespace ganc::planning
