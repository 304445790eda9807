#include "compiler/schedule/list_order.h"

#include <algorithm>
#include <tuple>

#include "compiler/schedule/memory.h"

namespace ganc::planning {
namespace {

class Lister {
 public:
  explicit Lister(const ProgramDraft& program)
      : program_(program),
        d_(dependences(program)),
        count_(static_cast<std::uint32_t>(program.drafts.size())),
        lazy_(count_),
        done_(count_),
        place_(count_, -1),
        waits_(count_),
        waited_(count_),
        touched_(count_),
        together_(count_),
        near_(program.tensors.size()),
        ranks_(count_),
        ranked_(count_),
        left_(program.tensors.size()),
        born_(program.tensors.size()),
        bytes_(program.tensors.size()) {
    weigh_tensors();
    find_lazy();
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (lazy_[i]) continue;
      collect(i, together_[i]);
      for (std::uint32_t draft : together_[i])
        for (std::uint32_t t : touched_[draft]) near_[t].push_back(i);
      for (std::uint32_t first : waits_for(i)) waited_[first].push_back(i), ++waits_[i];
      if (waits_[i] == 0) ready_.push_back(i);
    }
  }

  Drafts run() {
    while (order_.size() < count_) {
      if (ready_.empty()) {
        emit(stray());
        continue;
      }
      for (std::uint32_t i : ready_)
        if (!ranked_[i]) ranks_[i] = rank(i), ranked_[i] = true;
      const auto best =
          std::ranges::max_element(ready_, {}, [&](std::uint32_t i) { return ranks_[i]; });
      const std::uint32_t next = *best;
      ready_.erase(best);
      emit(next);
    }
    return std::move(order_);
  }

 private:
  // Bytes that it frees, newest value that it reads, minus its number: the greatest comes next.
  using Rank = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

  void weigh_tensors() {
    for (std::uint32_t t = 0; t < bytes_.size(); ++t) {
      const Tensor& tensor = program_.tensors[t];
      if (tensor.home != Tensor::Home::variable) bytes_[t] = bytes_of(tensor);
      born_[t] = tensor.home == Tensor::Home::input;
    }
    for (const auto& [old, fresh] : renewed(program_)) bytes_[fresh] = 0;  // in the old one's place
    for (std::uint32_t i = 0; i < count_; ++i) {
      touched_[i] = program_.drafts[i].buffers;
      for (NodeId guard : program_.drafts[i].guards)
        touched_[i].push_back(program_.tensor_of[guard.index]);
      std::ranges::sort(touched_[i]);
      const auto again = std::ranges::unique(touched_[i]);
      touched_[i].erase(again.begin(), again.end());
      for (std::uint32_t t : touched_[i]) ++left_[t];
    }
  }

  bool is_source(std::uint32_t first, std::uint32_t second) const {
    return std::ranges::find(d_.sources[second], first) != d_.sources[second].end();
  }

  // Made where it is first read: what waits for nothing, and further places of a value.
  void find_lazy() {
    for (std::uint32_t i = 0; i < count_; ++i) {
      const bool read = std::ranges::any_of(
          d_.after[i], [&](std::uint32_t reader) { return is_source(i, reader); });
      const bool further =
          std::ranges::all_of(tensors_written(program_.drafts[i]), [&](std::uint32_t tensor) {
            return program_.tensor_of[program_.tensors[tensor].node.index] != tensor;
          });
      lazy_[i] = read && (d_.before[i].empty() || further);
    }
  }

  // All that must be done before a draft and the lazy ones that it reads.
  Drafts waits_for(std::uint32_t i) const {
    Drafts list, open = {i};
    std::vector<bool> seen(count_);
    while (!open.empty()) {
      const std::uint32_t reader = open.back();
      open.pop_back();
      for (std::uint32_t first : d_.before[reader]) {
        if (seen[first]) continue;
        seen[first] = true;
        (lazy_[first] && is_source(first, reader) ? open : list).push_back(first);
      }
    }
    return list;
  }

  // The draft after the lazy ones that it reads.
  void collect(std::uint32_t i, Drafts& into) const {
    if (std::ranges::find(into, i) != into.end()) return;
    for (std::uint32_t source : d_.sources[i])
      if (lazy_[source]) collect(source, into);
    into.push_back(i);
  }

  // The bytes that are alive after these drafts, less those before.
  std::int64_t growth(const Drafts& together) const {
    std::vector<std::uint32_t> tensors;
    for (std::uint32_t draft : together)
      tensors.insert(tensors.end(), touched_[draft].begin(), touched_[draft].end());
    std::ranges::sort(tensors);
    std::int64_t bytes = 0;
    for (auto at = tensors.begin(); at != tensors.end();) {
      const auto end = std::find_if(at, tensors.end(), [&](std::uint32_t t) { return t != *at; });
      const bool dies = left_[*at] == end - at;
      if (born_[*at] && dies) bytes -= bytes_[*at];
      if (!born_[*at] && !dies) bytes += bytes_[*at];
      at = end;
    }
    return bytes;
  }

  Rank rank(std::uint32_t i) const {
    Drafts together;
    std::int64_t newest = -1;
    for (std::uint32_t draft : together_[i]) {
      if (done_[draft]) continue;
      together.push_back(draft);
      for (std::uint32_t source : d_.sources[draft])
        if (!lazy_[source]) newest = std::max(newest, place_[source]);
    }
    return {std::max<std::int64_t>(-growth(together), 0), newest, -static_cast<std::int64_t>(i)};
  }

  // A lazy draft that all its readers wait for: a variable's new value waits for one that reads
  // the old, and that is read after it only.
  std::uint32_t stray() const {
    for (std::uint32_t i = 0; i < count_; ++i)
      if (!done_[i] && lazy_[i] &&
          std::ranges::all_of(d_.before[i], [&](std::uint32_t first) { return done_[first]; }))
        return i;
    broken("calls that wait for each other");
  }

  // With the lazy ones that it reads and that are not there yet.
  void emit(std::uint32_t i) {
    Drafts together;
    collect(i, together);
    for (std::uint32_t draft : together) {
      if (done_[draft]) continue;
      done_[draft] = true;
      place_[draft] = static_cast<std::int64_t>(order_.size());
      order_.push_back(draft);
      for (std::uint32_t t : touched_[draft]) {
        born_[t] = true;
        --left_[t];
        if (bytes_[t] > 0)
          for (std::uint32_t other : near_[t]) ranked_[other] = false;
      }
      for (std::uint32_t next : waited_[draft])
        if (--waits_[next] == 0 && !done_[next]) ready_.push_back(next);
    }
  }

  const ProgramDraft& program_;
  const Dependences d_;
  const std::uint32_t count_;
  std::vector<bool> lazy_, done_;
  std::vector<std::int64_t> place_;
  std::vector<std::size_t> waits_;
  std::vector<Drafts> waited_;                       // who waits for each
  std::vector<std::vector<std::uint32_t>> touched_;  // tensors of each draft
  std::vector<Drafts> together_;                     // each with the lazy ones that it reads
  std::vector<Drafts> near_;                         // of each tensor: with whom it is touched
  std::vector<Rank> ranks_;
  std::vector<bool> ranked_;
  std::vector<std::ptrdiff_t> left_;  // drafts to come that touch each tensor
  std::vector<bool> born_;
  std::vector<std::int64_t> bytes_;
  Drafts ready_, order_;
};

}  // namespace

Drafts list_order(const ProgramDraft& program) {
  return Lister(program).run();
}

}  // namespace ganc::planning
