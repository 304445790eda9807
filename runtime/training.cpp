#include "runtime/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/finite.h"

namespace ganc::runtime {

Training::Training(Session& session, Counters counters, const DataSets& sets)
    : session_(session), counters_(std::move(counters)), sets_(sets) {
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (sets[i] != nullptr) counters_.cursors[i].count = sets[i]->count();
}

Training::~Training() = default;

const Train& Training::block() const {
  const auto& trains = session_.description.trains;
  const auto last = static_cast<std::int64_t>(trains.size()) - 1;
  return trains[static_cast<std::size_t>(std::min(counters_.block, last))];
}

bool Training::has_more() const {
  const auto& trains = session_.description.trains;
  if (counters_.block >= static_cast<std::int64_t>(trains.size())) return false;
  return !block_done(block(), counters_) ||
         std::any_of(trains.begin() + counters_.block + 1, trains.end(),
                     [](const Train& train) { return train.count > 0; });
}

Result<bool> Training::prepare() {
  if (!enter_block(session_.description, counters_)) return false;
  const Train& train = block();
  if (train.epochs && train.sources.empty())
    return fail(
        fmt::format("train block {} lasts {} epochs and reads no data, so that it would never end; "
                    "give it steps",
                    train.name, train.count));
  if (ready_block_ != counters_.block) {
    auto inputs =
        data_inputs(session_.description,
                    session_.description.programs[static_cast<std::size_t>(train.program)]);
    if (!inputs) return std::unexpected(inputs.error());
    inputs_ = std::move(*inputs);
    if (auto r = check_repeats(); !r) return std::unexpected(r.error());
    ready_block();
  }
  return true;
}

// Every input's batch is among those that an iteration takes from its source.
Result<void> Training::check_repeats() const {
  for (const DataInput& input : inputs_) {
    const auto& uses = block().sources;
    const bool there = std::any_of(uses.begin(), uses.end(), [&](const SourceUse& use) {
      return static_cast<std::size_t>(use.source) == input.source &&
             input.repeat < static_cast<std::size_t>(use.batches);
    });
    if (!there)
      return fail(fmt::format("the program inside this trainer reads `{}` beyond the batches of "
                              "its iteration; report it "
                              "as a bug of ganc with the .gan file",
                              input.binding->name),
                  70);
  }
  return {};
}

void Training::ready_block() {
  const Train& train = block();
  const Program& program = session_.description.programs[static_cast<std::size_t>(train.program)];
  loaders_.clear();
  loaders_.resize(sets_.size());
  for (const SourceUse& use : train.sources) {
    const auto i = static_cast<std::size_t>(use.source);
    loaders_[i] = std::make_unique<Loader>(sets_[i], train.batch,
                                           source_seed(block_seed(train, counters_), i),
                                           counters_.cursors[i].position);
  }
  execution_ = std::make_unique<Execution>(session_.machine(), program);
  scalars_ = std::make_unique<Scalars>(*execution_, program);
  ready_block_ = counters_.block;
}

Result<void> Training::fill_inputs() {
  char* const arena = session_.arena->data();
  const Train& train = block();
  for (const SourceUse& use : train.sources) {
    const auto source = static_cast<std::size_t>(use.source);
    for (std::size_t repeat = 0; repeat < static_cast<std::size_t>(use.batches); ++repeat) {
      const auto batch = loaders_[source]->next();
      if (!batch) return std::unexpected(batch.error());
      for (const DataInput& input : inputs_)
        if (input.source == source && input.repeat == repeat)
          fill_data(arena, input, batch->fields[input.field]);
    }
  }
  fill_counters(arena, session_.description.programs[static_cast<std::size_t>(train.program)],
                counter_values(train, counters_));
  return {};
}

std::optional<Divergence> Training::check() const {
  for (const Scalars::Scalar& scalar : scalars_->all())
    if (scalars_->computed(scalar.update) && scalar.name.starts_with("loss/") &&
        !std::isfinite(scalar.value.number(0)))
      return Divergence{
          fmt::format("loss/{} is {}", scalar.update,  // NaN has no sign to speak of
                      std::isnan(scalar.value.number(0)) ? std::numeric_limits<double>::quiet_NaN()
                                                         : scalar.value.number(0)),
          without_repeat(scalar.update)};
  const Variable* variable =
      first_not_finite(session_.description, session_.arena->data(), *session_.pool);
  if (variable == nullptr) return std::nullopt;
  Divergence found{fmt::format("the {} {} has a value that is not finite", name(variable->kind),
                               variable->binding.name),
                   ""};
  for (const UpdateInfo& update : block().updates) {
    const auto& weights = update.weights;
    if (std::find(weights.begin(), weights.end(), variable->binding.name) != weights.end())
      found.objective = without_repeat(update.name);
  }
  return found;
}

Result<std::optional<Divergence>> Training::step() {
  if (auto r = fill_inputs(); !r) return std::unexpected(r.error());
  execution_->run();
  scalars_->remember(counters_.last);
  auto divergence = check();
  advance(block(), counters_);
  return divergence;
}

// What a call reads and writes, as far as it is told.
std::span<const KernelBuffer> Training::buffers_of(const Call& call) const {
  const std::vector<KernelInfo>& kernels = session_.description.kernels;
  if (call.kernel >= kernels.size()) return {};
  const std::span<const KernelBuffer> all = kernels[call.kernel].buffers;
  return all.first(std::min(all.size(), call.offsets.size()));
}

// Whether its guards let it run.
bool Training::runs(const Call& call) const {
  const char* const arena = session_.arena->data();
  return std::ranges::all_of(call.guards, [&](std::int64_t guard) { return arena[guard] != 0; });
}

// Tensors have gaps that no kernel writes: what a call is about to write is cleared, so that only
// its own values can be found there; but for what it also reads, in the same buffer or through
// another one.
void Training::clear_gaps(const Call& call) const {
  if (!runs(call)) return;
  const std::span<const KernelBuffer> buffers = buffers_of(call);
  const auto bytes = [&](std::size_t b) { return buffers[b].elements * size_of(buffers[b].dtype); };
  for (std::size_t to = 0; to < buffers.size(); ++to) {
    if (!buffers[to].written) continue;
    bool read = false;
    for (std::size_t b = 0; b < buffers.size(); ++b)
      read |= buffers[b].read && call.offsets[b] < call.offsets[to] + bytes(to) &&
              call.offsets[to] < call.offsets[b] + bytes(b);
    if (!read)
      std::memset(session_.arena->data() + call.offsets[to], 0,
                  static_cast<std::size_t>(bytes(to)));
  }
}

bool Training::wrote_finite(const Call& call) const {
  if (!runs(call)) return true;
  const std::span<const KernelBuffer> buffers = buffers_of(call);
  for (std::size_t b = 0; b < buffers.size(); ++b)
    if (buffers[b].written && !all_finite(session_.arena->data() + call.offsets[b],
                                          buffers[b].elements, buffers[b].dtype))
      return false;
  return true;
}

namespace {

std::string place(const std::string& path, const std::string& line) {
  return (path.empty() ? "" : " in " + path) + (line.empty() ? "" : fmt::format(" ({})", line));
}

// A kernel leaves only the value of its root in memory.
std::string shown(const Call& call, const std::vector<Operation>& operations) {
  constexpr std::size_t most = 16;
  std::string text = fmt::format("`{}`{}", call.op, place(call.path, call.line));
  if (call.others.empty()) return text;
  text += " or what is computed in one kernel with it: ";
  const std::size_t count = std::min(most, call.others.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Operation& other = operations[call.others[i]];
    const std::string where = place(other.path, other.line);
    text += fmt::format("{}`{}`", i == 0 ? "" : ", ", other.op);
    if (i + 1 < count) {
      const Operation& next = operations[call.others[i + 1]];
      if (place(next.path, next.line) == where) continue;  // told once, after the last one there
    }
    text += where;
  }
  if (count < call.others.size()) text += fmt::format(" and {} more", call.others.size() - count);
  return text + " (the same run by a trainer from `ganc build -O0` names the one)";
}

}  // namespace

// The first sample of a batch with a number that is not finite, for the user.
std::string Training::sample_not_finite(const DataInput& input, const Tensor& batch) const {
  const SourceSpec& spec = session_.description.sources[input.source];
  const std::int64_t count = sets_[input.source]->count();
  std::int64_t bad = 0;
  while (bad + 1 < batch.elements() && std::isfinite(batch.number(bad))) ++bad;
  const std::int64_t row = bad / std::max<std::int64_t>(1, batch.elements() / batch.shape[0]);
  // The loader's order, from where the iteration began.
  const auto at = static_cast<std::int64_t>(counters_.cursors[input.source].position) +
                  static_cast<std::int64_t>(input.repeat) * block().batch + row;
  const std::int64_t index =
      shuffled_index(at % count, count, source_seed(block_seed(block(), counters_), input.source),
                     static_cast<std::uint64_t>(at / count));
  return fmt::format("the data: `{}` of sample {} (from 0) is {} ({}: {})",
                     spec.fields[input.field].name, index, batch.number(bad), spec.place,
                     sets_[input.source]->describe());
}

Result<Training::Origin> Training::trace_step() {
  if (auto r = fill_inputs(); !r) return std::unexpected(r.error());
  const Description& d = session_.description;
  const char* const arena = session_.arena->data();
  for (const DataInput& input : inputs_) {
    const Tensor batch = gather(arena, *input.binding);
    if (!all_finite(batch.bytes.data(), batch.elements(), batch.dtype))
      return Origin{sample_not_finite(input, batch), true};
  }
  const std::vector<Call>& calls = d.programs[static_cast<std::size_t>(block().program)].calls;
  std::string found;
  if (!calls.empty()) clear_gaps(calls.front());
  execution_->after_each_call([&](std::size_t i) {
    const Call& call = calls[i];
    if (!wrote_finite(call)) {
      found = shown(call, d.operations);
      return false;
    }
    if (i + 1 < calls.size()) clear_gaps(calls[i + 1]);
    return true;
  });
  execution_->run();
  execution_->after_each_call(nullptr);
  return Origin{found, false};
}

double Training::run_epochs() const {
  const Cursor* longest = nullptr;
  for (const Cursor& cursor : counters_.cursors)
    if (cursor.count > 0 && (longest == nullptr || cursor.count > longest->count))
      longest = &cursor;
  return longest == nullptr
             ? 0
             : static_cast<double>(longest->position) / static_cast<double>(longest->count);
}

double Training::run_progress() const {
  const auto blocks = static_cast<double>(session_.description.trains.size());
  if (static_cast<double>(counters_.block) >= blocks) return 1;
  return (static_cast<double>(counters_.block) + block_progress(block(), counters_)) / blocks;
}

std::int64_t Training::samples_a_step() const {
  std::int64_t samples = block().batch, longest = 0;
  for (const SourceUse& use : block().sources) {
    const std::int64_t count = counters_.cursors[static_cast<std::size_t>(use.source)].count;
    if (count > longest) longest = count, samples = use.batches * block().batch;
  }
  return samples;
}

std::int64_t Training::steps_an_epoch() const {
  std::int64_t longest = 0;
  for (const SourceUse& use : block().sources)
    longest = std::max(longest, counters_.cursors[static_cast<std::size_t>(use.source)].count);
  const std::int64_t a_step = samples_a_step();
  return a_step == 0 ? 1 : std::max<std::int64_t>(1, (longest + a_step - 1) / a_step);
}

}  // namespace ganc::runtime
