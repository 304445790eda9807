#include "runtime/pool.h"

#include <immintrin.h>

#include <chrono>
#include <system_error>

#include "runtime/cpu.h"

namespace ganc::runtime {

Pool::Pool(unsigned threads)
    : threads_(threads == 0 ? 1 : threads), spins_(threads_ <= usable_cpus()) {
  workers_.reserve(threads_ - 1);
  try {
    for (unsigned t = 1; t < threads_; ++t) workers_.emplace_back([this, t] { work(t); });
  } catch (const std::system_error&) {
    end_workers();
    throw;
  }
}

Pool::~Pool() {
  end_workers();
}

void Pool::end_workers() {
  stop_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t old) const {
  if (spins_) {
    // The clock is read only now and then: it costs as much as the wait for a small kernel.
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::microseconds(500);
    do {
      for (int i = 0; i < 256; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        _mm_pause();
      }
    } while (Clock::now() < end);
  }
  while (word.load(std::memory_order_acquire) == old) word.wait(old, std::memory_order_acquire);
}

void Pool::work(unsigned thread) {
  std::uint32_t seen = 0;
  while (true) {
    wait_while(generation_, seen);
    ++seen;
    if (stop_.load(std::memory_order_relaxed)) return;
    (*region_)(thread);
    barrier();
  }
}

void Pool::run(const std::function<void(unsigned)>& region) {
  if (threads_ == 1) return region(0);
  region_ = &region;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  region(0);
  barrier();
}

void Pool::barrier() {
  if (threads_ == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_acq_rel);
    phase_.notify_all();
    return;
  }
  wait_while(phase_, phase);
}

std::pair<std::int64_t, std::int64_t> Pool::part(std::int64_t units, unsigned thread) const {
  return {units * thread / threads_, units * (thread + 1) / threads_};
}

}  // namespace ganc::runtime
