#include "compiler/schedule/repeat_drafts.h"

#include <algorithm>
#include <span>

#include "compiler/kernel/work.h"
#include "compiler/schedule/dependences.h"
#include "compiler/schedule/memory.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t min_bytes = 1 << 18;  // of a value that is worth a second call
// What repeats may take of the time of a program. A byte that is read takes as long as so many
// multiply-adds of a lane; one that is written twice as long, for it is fetched before.
constexpr double repeated_share = 0.03, byte_cost = 3;
// Of the most: so much alive is much, and so much less is wanted of one round.
constexpr double much = 0.85, wanted_share = 1.0 / 64;

// A call: what repeats change of a draft, so that an attempt is cheap to make and to give up.
struct Entry {
  std::uint32_t draft;
  std::vector<std::uint32_t> tensors;  // of its buffers
};
using Entries = std::vector<Entry>;

// A second call of `entry` before call `at`, for it and all after it; where not `again`, in place
// of the first.
struct Repeat {
  std::uint32_t entry, tensor, at;
  bool again;
  std::int64_t bytes;  // fewer at the peak
  double cost, price;  // of the call; of a byte that is not alive while much is
};

// When what is alive.
struct Lives {
  std::vector<Drafts> touched;      // of each tensor: the entries, in order
  std::int64_t most = 0;            // bytes
  std::uint32_t peak = 0;           // the first entry at which they are alive
  std::vector<std::uint32_t> high;  // entries before each at which much is alive
};

double cost_of(const Draft& draft) {
  const kernel::Work work = kernel::count_work(draft.kernel);
  double bytes = 0;
  for (std::size_t b = 0; b < draft.buffers.size(); ++b)
    bytes += (work.read[b] + 2 * work.written[b]) *
             static_cast<double>(byte_size(draft.kernel.buffers[b].dtype));
  return work.operations + byte_cost * bytes;
}

class Repeater {
 public:
  explicit Repeater(ProgramDraft& program)
      : program_(program), renewed_(renewed(program)), once_(program.tensors.size()) {
    for (std::uint32_t i = 0; i < program.drafts.size(); ++i) {
      entries_.push_back({i, program.drafts[i].buffers});
      costs_.push_back(cost_of(program.drafts[i]));
      time_left_ += costs_.back() * repeated_share;
    }
    for (const Target& target : program.targets) once_[program.tensor_of[target.node.index]] = true;
    for (std::uint32_t t = 0; t < program.tensors.size(); ++t) {
      const Tensor& tensor = program.tensors[t];
      original_.push_back(t);
      bytes_.push_back(tensor.home == Tensor::Home::variable ? 0 : aligned(bytes_of(tensor)));
    }
    for (const auto& [old, fresh] : renewed_) bytes_[fresh] = 0;  // in the place of the old value
  }

  std::int64_t run() {
    Lives lives = measure(entries_);
    for (bool better = true; better;) {
      better = false;
      const std::vector<Repeat> repeats = find(lives);
      for (std::size_t count = repeats.size(); count > 0 && !better; count /= 2)
        better = attempt({repeats.data(), count}, lives);
    }
    write();
    return lives.most;
  }

 private:
  const Draft& draft_of(const Entry& entry) const { return program_.drafts[entry.draft]; }
  const Tensor& tensor(std::uint32_t t) const { return program_.tensors[original_[t]]; }

  bool writes(std::uint32_t entry, std::uint32_t t) const {
    const Entry& e = entries_[entry];
    for (std::size_t b = 0; b < e.tensors.size(); ++b)
      if (e.tensors[b] == t && draft_of(e).kernel.buffers[b].written) return true;
    return false;
  }

  Lives measure(const Entries& entries) const {
    const auto count = static_cast<std::uint32_t>(entries.size());
    Lives lives;
    lives.touched.resize(bytes_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t t : entries[i].tensors) lives.touched[t].push_back(i);
      for (NodeId guard : draft_of(entries[i]).guards)
        lives.touched[program_.tensor_of[guard.index]].push_back(i);
    }
    std::vector<std::int64_t> change(count + 1);
    for (std::uint32_t t = 0; t < bytes_.size(); ++t) {
      const Drafts& touched = lives.touched[t];
      if (touched.empty()) continue;
      change[tensor(t).home == Tensor::Home::input ? 0 : touched.front()] += bytes_[t];
      change[touched.back() + 1] -= bytes_[t];
    }
    take_places(entries, lives, change);
    std::vector<std::int64_t> alive(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      alive[i] = (i > 0 ? alive[i - 1] : 0) + change[i];
      if (alive[i] > lives.most) lives.most = alive[i], lives.peak = i;
    }
    const auto level = static_cast<std::int64_t>(static_cast<double>(lives.most) * much);
    lives.high.push_back(0);
    for (std::uint32_t i = 0; i < count; ++i)
      lives.high.push_back(lives.high.back() + (alive[i] >= level));
    return lives;
  }

  // Outputs that plan_memory will put in the place of inputs.
  void take_places(const Entries& entries, const Lives& lives,
                   std::vector<std::int64_t>& change) const {
    std::vector<bool> taken(bytes_.size()), placed(bytes_.size());
    for (std::uint32_t i = 0; i < entries.size(); ++i)
      for (const auto& [a, b] : draft_of(entries[i]).in_place) {
        const std::uint32_t read = entries[i].tensors[a], written = entries[i].tensors[b];
        if (taken[read] || placed[written] || bytes_[read] == 0 ||
            tensor(written).home != Tensor::Home::arena || lives.touched[read].back() != i ||
            lives.touched[written].front() != i)
          continue;
        taken[read] = placed[written] = true;
        const std::int64_t shared = std::min(bytes_[read], bytes_[written]);
        change[i] -= shared;
        change[i + 1] += shared;
      }
  }

  std::vector<Repeat> find(const Lives& lives) const {
    Drafts changed(bytes_.size(), UINT32_MAX);  // the entry that changes each variable
    for (const auto& [old, fresh] : renewed_)
      if (!lives.touched[fresh].empty()) changed[old] = lives.touched[fresh].front();
    std::vector<Repeat> repeats;
    for (std::uint32_t t = 0; t < bytes_.size(); ++t) {
      const Drafts& touched = lives.touched[t];
      if (bytes_[t] < min_bytes || touched.empty() || once_[original_[t]] ||
          tensor(t).home != Tensor::Home::arena)
        continue;
      const auto next = std::ranges::upper_bound(touched, lives.peak);
      if (next == touched.begin() || next == touched.end() || *(next - 1) == lives.peak) continue;
      const std::uint32_t made = touched.front(), last = *(next - 1);
      Repeat r{made, t, *next, last != made, bytes_[t], 0, 0};
      if (!may_repeat(r, lives, changed)) continue;
      if (r.again) r.cost = costs_[entries_[made].draft];
      const std::uint32_t idle = lives.high[*next] - lives.high[last + 1];
      r.price = r.cost / (static_cast<double>(r.bytes) * idle);
      repeats.push_back(r);
    }
    return choose(std::move(repeats), lives);
  }

  // Counts what its operands will take at the peak.
  bool may_repeat(Repeat& r, const Lives& lives, const Drafts& changed) const {
    const Draft& draft = draft_of(entries_[r.entry]);
    if (draft.draw >= 0) return false;
    const auto written_between = [&](std::uint32_t t) {
      return std::ranges::any_of(lives.touched[t], [&](std::uint32_t i) {
        return i > r.entry && i < r.at && writes(i, t);
      });
    };
    for (std::uint32_t i : lives.touched[r.tensor])
      if (writes(i, r.tensor) != (i == r.entry)) return false;
    for (std::uint32_t t : entries_[r.entry].tensors) {
      if (t == r.tensor) continue;
      if (writes(r.entry, t) || changed[t] < r.at || written_between(t)) return false;
      if (lives.touched[t].back() < lives.peak) r.bytes -= bytes_[t];
    }
    return r.bytes > 0 && std::ranges::none_of(draft.guards, [&](NodeId guard) {
             return written_between(program_.tensor_of[guard.index]);
           });
  }

  // The least dear ones that do not read one another, as many as are wanted and as there is time.
  std::vector<Repeat> choose(std::vector<Repeat> repeats, const Lives& lives) const {
    std::ranges::stable_sort(repeats, {}, &Repeat::price);
    double time = time_left_;
    auto wanted = static_cast<std::int64_t>(static_cast<double>(lives.most) * wanted_share);
    std::vector<bool> busy(bytes_.size());
    std::erase_if(repeats, [&](const Repeat& r) {
      const std::vector<std::uint32_t>& tensors = entries_[r.entry].tensors;
      const auto is_busy = [&](std::uint32_t t) { return busy[t]; };
      if (wanted <= 0 || r.cost > time || std::ranges::any_of(tensors, is_busy)) return true;
      time -= r.cost;
      wanted -= r.bytes;
      for (std::uint32_t t : tensors) busy[t] = bytes_[t] > 0;
      return false;
    });
    return repeats;
  }

  // Whether fewer bytes are alive at once with these; if not, all is as before.
  bool attempt(std::span<const Repeat> repeats, Lives& lives) {
    Entries entries = entries_;
    const std::size_t tensors = bytes_.size();
    std::vector<std::pair<std::uint32_t, Entry>> added;  // before which
    double cost = 0;
    for (const Repeat& r : repeats) {
      Entry call = entries_[r.entry];
      cost += r.cost;
      if (r.again) {
        const auto fresh = static_cast<std::uint32_t>(bytes_.size());
        bytes_.push_back(std::int64_t{bytes_[r.tensor]});
        original_.push_back(std::uint32_t{original_[r.tensor]});
        std::ranges::replace(call.tensors, r.tensor, fresh);
        for (std::uint32_t reader : lives.touched[r.tensor])
          if (reader >= r.at) std::ranges::replace(entries[reader].tensors, r.tensor, fresh);
      } else {
        entries[r.entry].tensors.clear();  // marks it
      }
      added.emplace_back(r.at, std::move(call));
    }
    std::ranges::stable_sort(added, {}, [](const auto& a) { return a.first; });
    Entries merged;
    auto next = added.begin();
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
      for (; next != added.end() && next->first == i; ++next)
        merged.push_back(std::move(next->second));
      if (!entries[i].tensors.empty()) merged.push_back(std::move(entries[i]));
    }
    Lives then = measure(merged);
    if (then.most >= lives.most) {
      bytes_.resize(tensors);
      original_.resize(tensors);
      return false;
    }
    lives = std::move(then);
    entries_ = std::move(merged);
    time_left_ -= cost;
    return true;
  }

  void write() {
    for (std::size_t t = program_.tensors.size(); t < original_.size(); ++t)
      program_.tensors.push_back(Tensor(program_.tensors[original_[t]]));
    std::vector<std::uint32_t> uses(program_.drafts.size());
    for (const Entry& e : entries_) ++uses[e.draft];
    std::vector<Draft> drafts;
    for (Entry& e : entries_) {
      Draft& draft = program_.drafts[e.draft];
      drafts.push_back(--uses[e.draft] == 0 ? std::move(draft) : draft);
      drafts.back().buffers = std::move(e.tensors);
    }
    program_.drafts = std::move(drafts);
  }

  ProgramDraft& program_;
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> renewed_;
  Entries entries_;
  std::vector<double> costs_;            // of each draft
  std::vector<std::uint32_t> original_;  // of each tensor: the one that it holds again
  std::vector<std::int64_t> bytes_;      // of each tensor; 0 where a variable lies
  std::vector<bool> once_;               // of each original: not to be made again
  double time_left_ = 0;
};

}  // namespace

std::int64_t repeat_drafts(ProgramDraft& program) {
  return Repeater(program).run();
}

}  // namespace ganc::planning
