#include "runtime/verbs/machine_limits.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace ganc::runtime {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_from(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

constexpr int rounds = 400'000, chains = 12;

// Twelve independent chains hide the latency of a multiply-add on two ports.
__attribute__((target("avx2,fma"))) float multiply_add_256() {
  __m256 sums[chains];
  for (int c = 0; c < chains; ++c) sums[c] = _mm256_set1_ps(static_cast<float>(c));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (int i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sums[c] = _mm256_fmadd_ps(sums[c], a, b);
  float total = 0;
  for (int c = 0; c < chains; ++c) total += _mm256_cvtss_f32(sums[c]);
  return total;
}

__attribute__((target("avx512f"))) float multiply_add_512() {
  __m512 sums[chains];
  for (int c = 0; c < chains; ++c) sums[c] = _mm512_set1_ps(static_cast<float>(c));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (int i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sums[c] = _mm512_fmadd_ps(sums[c], a, b);
  float total = 0;
  for (int c = 0; c < chains; ++c) total += _mm512_cvtss_f32(sums[c]);
  return total;
}

// Not memcpy: on some CPUs that is far below what their caches give, for some addresses.
__attribute__((target("avx2"))) void copy(const char* from, char* to, std::int64_t bytes) {
  constexpr std::int64_t vector = sizeof(__m256i), unrolled = 4 * vector;
  for (std::int64_t i = 0; i + unrolled <= bytes; i += unrolled)
#pragma GCC unroll 4
    for (std::int64_t at = i; at < i + unrolled; at += vector)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + at),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at)));
}

double barrier_seconds(Pool& pool) {
  constexpr int count = 2000;
  const auto begin = Clock::now();
  pool.run([&](unsigned) {
    for (int i = 0; i < count; ++i) pool.barrier();
  });
  return seconds_from(begin) / count;
}

}  // namespace

// Until 20 ms are gone; the best of some rounds.
double measure_copies(Pool& pool, std::size_t bytes) {
  constexpr std::size_t line = 64;
  struct alignas(line) Line {
    char bytes[line];
  };
  const std::size_t lines = bytes / 2 / line;
  std::vector<Line> from(lines), to(lines);
  double best = 0;
  const auto end = Clock::now() + std::chrono::milliseconds(20);
  for (int round = 0; round < 3 || Clock::now() < end; ++round) {
    const auto begin = Clock::now();
    const std::size_t repeats = std::max<std::size_t>(1, (16 << 20) / bytes);
    pool.run([&](unsigned thread) {
      const auto [first, last] = pool.part(static_cast<std::int64_t>(lines), thread);
      for (std::size_t i = 0; i < repeats; ++i) {
        copy(from[static_cast<std::size_t>(first)].bytes, to[static_cast<std::size_t>(first)].bytes,
             (last - first) * static_cast<std::int64_t>(line));
        asm volatile("" ::: "memory");
      }
    });
    best = std::max(best, static_cast<double>(bytes * repeats) / seconds_from(begin));
  }
  return best;
}

MachineLimits measure_limits(Pool& pool, bool avx512) {
  MachineLimits limits;
  std::vector<float> sink(pool.threads() * 16);
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto begin = Clock::now();
    pool.run([&](unsigned thread) {
      sink[thread * 16] += avx512 ? multiply_add_512() : multiply_add_256();
    });
    const double flop = 2.0 * (avx512 ? 16 : 8) * chains * rounds * pool.threads();
    limits.flops = std::max(limits.flops, flop / seconds_from(begin));
  }
  limits.near = measure_copies(pool, pool.threads() * (std::size_t{256} << 10));
  limits.middle = measure_copies(pool, std::size_t{8} << 20);
  limits.far = measure_copies(pool, std::size_t{256} << 20);
  limits.start = barrier_seconds(pool);
  return limits;
}

}  // namespace ganc::runtime
