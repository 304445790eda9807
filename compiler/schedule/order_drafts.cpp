#include <algorithm>
#include <map>
#include <queue>

#include "compiler/kernel/work.h"
#include "compiler/schedule/memory.h"
#include "compiler/schedule/order.h"
#include "compiler/schedule/pack.h"

namespace ganc::planning {
namespace {

constexpr std::int64_t min_repeated_bytes = 1 << 18;  // of a value that is worth a second call
// What repeated calls may take of the time of a program; a byte that they write takes as long as so
// many multiply-adds of a lane.
constexpr double repeated_share = 0.02, repeated_cost = 8;

using Drafts = std::vector<std::uint32_t>;

// What must come before what, by the number of the draft.
struct Dependences {
  std::vector<Drafts> before, after;
  std::vector<Drafts> sources;  // those before a draft whose values it reads
};

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

// The new value of each variable that is computed in a tensor of its own: (old, new).
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

// A draft that waits for nothing is made where it is read; of all others that wait for nothing
// else, the one that reads the newest value comes next, then the first.
Drafts depth_first(const Dependences& d) {
  const auto count = static_cast<std::uint32_t>(d.before.size());
  std::vector<bool> leaf(count), done(count);
  for (std::uint32_t i = 0; i < count; ++i)
    leaf[i] = d.before[i].empty() && std::ranges::any_of(d.after[i], [&](std::uint32_t reader) {
                return std::ranges::find(d.sources[reader], i) != d.sources[reader].end();
              });
  std::vector<std::size_t> waits(count);
  std::vector<std::int64_t> place(count, -1);
  using Ready = std::tuple<std::int64_t, std::int64_t>;  // newest value read, minus the number
  std::priority_queue<Ready> ready;
  const auto is_source = [&](std::uint32_t first, std::uint32_t second) {
    return std::ranges::find(d.sources[second], first) != d.sources[second].end();
  };
  const auto make_ready = [&](std::uint32_t i) {
    std::int64_t newest = -1;
    for (std::uint32_t source : d.sources[i])
      if (!leaf[source]) newest = std::max(newest, place[source]);
    ready.emplace(newest, -static_cast<std::int64_t>(i));
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t first : d.before[i]) waits[i] += !(leaf[first] && is_source(first, i));
    if (waits[i] == 0 && !leaf[i]) make_ready(i);
  }
  Drafts order;
  const auto emit = [&](const auto& self, std::uint32_t i) -> void {
    if (done[i]) return;
    done[i] = true;
    if (!leaf[i])
      for (std::uint32_t source : d.sources[i]) self(self, source);
    place[i] = static_cast<std::int64_t>(order.size());
    order.push_back(i);
    for (std::uint32_t next : d.after[i]) {
      if (leaf[i] && is_source(i, next)) continue;
      if (--waits[next] == 0) make_ready(next);
    }
  };
  for (std::uint32_t first_leaf = 0; order.size() < count;) {
    if (!ready.empty()) {
      const auto i = static_cast<std::uint32_t>(-std::get<1>(ready.top()));
      ready.pop();
      emit(emit, i);
      continue;
    }
    // A variable's new value waits for one that reads the old, and that is read after it only.
    while (first_leaf < count && (done[first_leaf] || !leaf[first_leaf])) ++first_leaf;
    if (first_leaf == count) broken("calls that wait for each other");
    emit(emit, first_leaf);
  }
  return order;
}

std::vector<Space> spaces(const ProgramDraft& program) {
  std::vector<bool> renews(program.tensors.size());
  for (const auto& [old, fresh] : renewed(program)) renews[fresh] = true;
  const std::vector<Life> lives = find_lives(program);
  std::vector<Space> list;
  for (std::uint32_t i = 0; i < lives.size(); ++i)
    if (program.tensors[i].home != Tensor::Home::variable && !renews[i] &&
        lives[i].birth <= lives[i].death)
      list.push_back({lives[i].birth, lives[i].death, aligned(bytes_of(program.tensors[i]))});
  return list;
}

// When the most bytes are alive.
std::int64_t peak_time(const std::vector<Space>& spaces, std::size_t drafts) {
  std::vector<std::int64_t> change(drafts + 2);
  for (const Space& s : spaces) {
    change[static_cast<std::size_t>(std::max<std::int64_t>(s.first, 0))] += s.bytes;
    change[static_cast<std::size_t>(std::min(s.last, static_cast<std::int64_t>(drafts))) + 1] -=
        s.bytes;
  }
  std::int64_t alive = 0, most = -1, at = 0;
  for (std::size_t t = 0; t <= drafts; ++t)
    if ((alive += change[t]) > most) most = alive, at = static_cast<std::int64_t>(t);
  return at;
}

// Calls that make values of variables alone, which lie idle while the most is alive.
class Repeater {
 public:
  explicit Repeater(ProgramDraft& program) : program_(program) {
    double operations = 0;
    for (const Draft& draft : program.drafts)
      operations += kernel::count_work(draft.kernel).operations;
    bytes_left_ = static_cast<std::int64_t>(operations * repeated_share / repeated_cost);
  }

  // Repeats those calls that make the values which lie idle when most is alive. False: there are
  // none, or it needs no less.
  bool run() {
    const std::vector<Space> all = spaces(program_);
    const std::int64_t peak = peak_time(all, program_.drafts.size());
    std::vector<Repeat> repeats = find(peak);
    if (repeats.empty()) return false;
    const std::size_t tensors = program_.tensors.size();
    // From the last on, so that the numbers of the others stay.
    std::ranges::sort(repeats, {},
                      [](const Repeat& r) { return -static_cast<std::int64_t>(r.at); });
    for (const Repeat& r : repeats) apply(r);
    if (most_alive(spaces(program_)) < most_alive(all)) {
      for (const Repeat& r : repeats) bytes_left_ -= bytes_of(program_.tensors[r.tensor]);
      return true;
    }
    undo(repeats, tensors);
    return false;
  }

 private:
  struct Repeat {
    std::uint32_t draft, tensor, at;  // before draft `at`, for it and all after it
  };

  std::vector<Repeat> find(std::int64_t peak) const {
    const Dependences d = dependences(program_);
    const std::vector<std::uint32_t> changed = changes();
    std::vector<Repeat> repeats;
    for (std::uint32_t i = 0; i < program_.drafts.size(); ++i) {
      if (static_cast<std::int64_t>(i) >= peak || !may_repeat(i, d)) continue;
      const std::uint32_t tensor = tensors_written(program_.drafts[i])[0];
      std::uint32_t next = UINT32_MAX;  // the first reader after the peak
      bool read_now = false, read_before = false;
      for (std::uint32_t reader : d.after[i]) {
        read_now |= static_cast<std::int64_t>(reader) == peak;
        read_before |= static_cast<std::int64_t>(reader) < peak;
        if (static_cast<std::int64_t>(reader) > peak) next = std::min(next, reader);
      }
      const bool unchanged =
          std::ranges::all_of(tensors_read(program_, program_.drafts[i]),
                              [&](std::uint32_t variable) { return changed[variable] >= next; });
      if (next != UINT32_MAX && read_before && !read_now && unchanged)
        repeats.push_back({i, tensor, next});
    }
    // The largest ones, as far as there is time.
    std::ranges::stable_sort(
        repeats, {}, [&](const Repeat& r) { return -bytes_of(program_.tensors[r.tensor]); });
    std::int64_t left = bytes_left_;
    std::erase_if(repeats, [&](const Repeat& r) {
      const std::int64_t bytes = bytes_of(program_.tensors[r.tensor]);
      if (bytes > left) return true;
      left -= bytes;
      return false;
    });
    return repeats;
  }

  // The first draft that writes the new value of each variable that is read.
  std::vector<std::uint32_t> changes() const {
    std::vector<std::uint32_t> writer(program_.tensors.size(), UINT32_MAX);
    for (std::size_t i = program_.drafts.size(); i-- > 0;)
      for (std::uint32_t tensor : tensors_written(program_.drafts[i]))
        writer[tensor] = static_cast<std::uint32_t>(i);
    std::vector<std::uint32_t> changed(program_.tensors.size(), UINT32_MAX);
    for (const auto& [old, fresh] : renewed(program_)) changed[old] = writer[fresh];
    return changed;
  }

  bool may_repeat(std::uint32_t i, const Dependences& d) const {
    const Draft& draft = program_.drafts[i];
    const std::vector<std::uint32_t> written = tensors_written(draft);
    if (draft.draw >= 0 || !d.before[i].empty() || written.size() != 1) return false;
    const Tensor& tensor = program_.tensors[written[0]];
    return tensor.home == Tensor::Home::arena && bytes_of(tensor) >= min_repeated_bytes &&
           program_.tensor_of[tensor.node.index] != written[0] &&
           std::ranges::all_of(tensors_read(program_, draft), [&](std::uint32_t read) {
             return program_.tensors[read].home == Tensor::Home::variable;
           });
  }

  void apply(const Repeat& r) {
    std::vector<Draft>& drafts = program_.drafts;
    Draft again = drafts[r.draft];
    const auto fresh = static_cast<std::uint32_t>(program_.tensors.size());
    program_.tensors.push_back(Tensor(program_.tensors[r.tensor]));
    std::ranges::replace(again.buffers, r.tensor, fresh);
    for (std::size_t i = r.at; i < drafts.size(); ++i)
      std::ranges::replace(drafts[i].buffers, r.tensor, fresh);
    drafts.insert(drafts.begin() + r.at, std::move(again));
  }

  void undo(const std::vector<Repeat>& repeats, std::size_t tensors) {
    std::erase_if(program_.drafts, [&](const Draft& draft) {
      return std::ranges::any_of(tensors_written(draft),
                                 [&](std::uint32_t tensor) { return tensor >= tensors; });
    });
    for (Draft& draft : program_.drafts)
      for (std::uint32_t& tensor : draft.buffers)
        if (tensor >= tensors) tensor = repeats[tensor - tensors].tensor;
    program_.tensors.resize(tensors);
  }

  ProgramDraft& program_;
  std::int64_t bytes_left_ = 0;
};

// The bytes that are alive at once after all repeats that help.
std::int64_t repeat_idle(ProgramDraft& program) {
  Repeater repeater(program);
  while (repeater.run()) {
  }
  return most_alive(spaces(program));
}

}  // namespace

void order_drafts(ProgramDraft& program) {
  const std::vector<Draft> as_written = program.drafts;
  const std::size_t tensors = program.tensors.size();
  const std::int64_t without = repeat_idle(program);
  std::vector<Draft> kept = std::move(program.drafts);
  std::vector<Tensor> kept_tensors = program.tensors;

  program.tensors.resize(tensors);
  program.drafts = as_written;
  std::vector<Draft> ordered;
  for (std::uint32_t i : depth_first(dependences(program))) ordered.push_back(as_written[i]);
  program.drafts = std::move(ordered);
  if (repeat_idle(program) < without) return;
  program.drafts = std::move(kept);
  program.tensors = std::move(kept_tensors);
}

}  // namespace ganc::planning
