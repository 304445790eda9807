#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace ganc::runtime {

// Threads that wait for work by spinning for half a millisecond and then sleep. One caller at a
// time.
class Pool {
 public:
  // `threads` in all, the caller's included; std::system_error where the system gives fewer.
  explicit Pool(unsigned threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  unsigned threads() const { return threads_; }
  // Runs region(thread) on every thread, the caller's being 0, and returns when all are done.
  void run(const std::function<void(unsigned)>& region);
  // Inside a region: waits until every thread has arrived; what was written before it is seen after
  // it.
  void barrier();
  // The part [begin, end) of `units` that belongs to a thread: the same for each call.
  std::pair<std::int64_t, std::int64_t> part(std::int64_t units, unsigned thread) const;

 private:
  void work(unsigned thread);
  void end_workers();
  // Returns when `word` is no longer `old`.
  void wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t old) const;

  unsigned threads_;
  bool spins_;  // false where there are more threads than CPUs: spinning would keep them from the
                // one that works
  const std::function<void(unsigned)>* region_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> generation_{0};  // of regions
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> phase_{0};  // of barriers
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace ganc::runtime
