#include "runtime/data/workers.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace ganc::runtime {

Result<void> share_work(std::int64_t count, unsigned threads,
                        const std::function<Result<void>(std::int64_t)>& work) {
  std::atomic<std::int64_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::int64_t failed = count;  // the lowest number that failed; below with its failure
  Failure failure;
  const auto run = [&] {
    // Pieces are begun in order, so all below a failed one are begun and will be finished.
    while (!stop.load(std::memory_order_relaxed)) {
      const std::int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= count) return;
      if (auto done = work(piece); !done) {
        stop = true;
        const std::lock_guard lock(mutex);
        if (piece < failed) {
          failed = piece;
          failure = std::move(done.error());
        }
      }
    }
  };
  std::vector<std::jthread> helping;
  const auto wanted = std::min<std::int64_t>(std::max(threads, 1u), count) - 1;
  try {
    for (std::int64_t i = 0; i < wanted; ++i) helping.emplace_back(run);
  } catch (const std::system_error&) {
    // The system gives no more threads: those that are there do the work.
  }
  run();
  helping.clear();
  if (failed < count) return std::unexpected(std::move(failure));
  return {};
}

}  // namespace ganc::runtime
