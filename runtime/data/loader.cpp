#include "runtime/data/loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace ganc::runtime {
namespace {

constexpr std::size_t most_ready = 3;  // batches read ahead

}  // namespace

struct Loader::State {
  std::shared_ptr<const DataSet> set;
  std::int64_t batch;
  std::uint64_t seed;
  std::uint64_t handed_out;  // the owner's thread only

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Result<Batch>> ready;  // under `mutex`; a Failure is the last and stays
  bool stop = false;                // under `mutex`
  std::thread reader;

  Result<Batch> read(std::uint64_t position) const {
    const std::int64_t count = set->count();
    std::vector<SampleVisit> samples;
    samples.reserve(static_cast<std::size_t>(batch));
    for (std::int64_t i = 0; i < batch; ++i, ++position) {
      const std::uint64_t pass = position / static_cast<std::uint64_t>(count);
      const auto place = static_cast<std::int64_t>(position % static_cast<std::uint64_t>(count));
      samples.push_back({shuffled_index(place, count, seed, pass), pass});
    }
    Batch made{batch, set->make_room(batch)};
    if (auto done = set->read_batch(samples, made.fields); !done)
      return std::unexpected(std::move(done.error()));
    return made;
  }

  // For the reader's own thread, which no exception may leave.
  Result<Batch> read_or_fail(std::uint64_t position) const {
    try {
      return read(position);
    } catch (const std::bad_alloc&) {
      return fail(fmt::format("cannot get the memory for a batch of {}", batch));
    }
  }

  void run(std::uint64_t position) {
    while (true) {
      Result<Batch> made = read_or_fail(position);
      position += static_cast<std::uint64_t>(batch);
      const bool failed = !made;
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return stop || ready.size() < most_ready; });
      if (stop) return;
      ready.push_back(std::move(made));
      changed.notify_all();
      if (failed) return;
    }
  }
};

Loader::Loader(std::shared_ptr<const DataSet> set, std::int64_t batch, std::uint64_t seed,
               std::uint64_t position)
    : state_(std::make_unique<State>()) {
  state_->set = std::move(set);
  state_->batch = batch;
  state_->seed = seed;
  state_->handed_out = position;
  try {
    state_->reader = std::thread([state = state_.get(), position] { state->run(position); });
  } catch (const std::system_error&) {
    // The system gives no thread: `next` reads.
  }
}

Loader::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->changed.notify_all();
  if (state_->reader.joinable()) state_->reader.join();
}

Result<Batch> Loader::next() {
  if (!state_->reader.joinable()) {
    Result<Batch> batch = state_->read(state_->handed_out);
    if (batch) state_->handed_out += static_cast<std::uint64_t>(state_->batch);
    return batch;
  }
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->ready.empty(); });
  if (!state_->ready.front()) return std::unexpected(state_->ready.front().error());
  Result<Batch> batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  lock.unlock();
  state_->changed.notify_all();
  state_->handed_out += static_cast<std::uint64_t>(state_->batch);
  return batch;
}

std::uint64_t Loader::position() const {
  return state_->handed_out;
}

}  // namespace ganc::runtime
