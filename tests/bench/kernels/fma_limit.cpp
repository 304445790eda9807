#include "tests/bench/kernels/fma_limit.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/bench/kernels/thread_time.h"

namespace ganc {
namespace {

constexpr int steps = 20000;

std::vector<float> random_numbers() {
  std::mt19937 random(7);
  std::vector<float> numbers(128);
  for (float& x : numbers) x = std::uniform_real_distribution(0.9f, 1.0f)(random);
  return numbers;
}

// More chains than latency times ports. |factor| < 1, so nothing overflows or becomes denormal.
__attribute__((target("avx2,fma"))) void run_256(const float* numbers) {
  asm volatile(
      "vmovups 0(%0), %%ymm0\n"
      "vmovups 4(%0), %%ymm1\n"
      "vmovups 8(%0), %%ymm2\n"
      "vmovups 12(%0), %%ymm3\n"
      "vmovups 16(%0), %%ymm4\n"
      "vmovups 20(%0), %%ymm5\n"
      "vmovups 24(%0), %%ymm6\n"
      "vmovups 28(%0), %%ymm7\n"
      "vmovups 32(%0), %%ymm8\n"
      "vmovups 36(%0), %%ymm9\n"
      "vmovups 40(%0), %%ymm10\n"
      "vmovups 44(%0), %%ymm11\n"
      "vmovups 200(%0), %%ymm14\n"
      "vmovups 300(%0), %%ymm15\n"
      "mov %1, %%ecx\n"
      "1:\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm0\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm1\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm2\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm3\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm4\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm5\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm6\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm7\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm8\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm9\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm10\n"
      "vfmadd213ps %%ymm15, %%ymm14, %%ymm11\n"
      "dec %%ecx\n"
      "jnz 1b\n"
      :
      : "r"(numbers), "i"(steps)
      : "ecx", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm14", "xmm15");
}

__attribute__((target("avx512f"))) void run_512(const float* numbers) {
  asm volatile(
      "vmovups 0(%0), %%zmm0\n"
      "vmovups 4(%0), %%zmm1\n"
      "vmovups 8(%0), %%zmm2\n"
      "vmovups 12(%0), %%zmm3\n"
      "vmovups 16(%0), %%zmm4\n"
      "vmovups 20(%0), %%zmm5\n"
      "vmovups 24(%0), %%zmm6\n"
      "vmovups 28(%0), %%zmm7\n"
      "vmovups 32(%0), %%zmm8\n"
      "vmovups 36(%0), %%zmm9\n"
      "vmovups 40(%0), %%zmm10\n"
      "vmovups 44(%0), %%zmm11\n"
      "vmovups 48(%0), %%zmm12\n"
      "vmovups 52(%0), %%zmm13\n"
      "vmovups 56(%0), %%zmm14\n"
      "vmovups 60(%0), %%zmm15\n"
      "vmovups 64(%0), %%zmm16\n"
      "vmovups 68(%0), %%zmm17\n"
      "vmovups 72(%0), %%zmm18\n"
      "vmovups 76(%0), %%zmm19\n"
      "vmovups 80(%0), %%zmm20\n"
      "vmovups 84(%0), %%zmm21\n"
      "vmovups 88(%0), %%zmm22\n"
      "vmovups 92(%0), %%zmm23\n"
      "vmovups 200(%0), %%zmm30\n"
      "vmovups 300(%0), %%zmm31\n"
      "mov %1, %%ecx\n"
      "1:\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm0\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm1\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm2\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm3\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm4\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm5\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm6\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm7\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm8\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm9\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm10\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm11\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm12\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm13\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm14\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm15\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm16\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm17\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm18\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm19\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm20\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm21\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm22\n"
      "vfmadd213ps %%zmm31, %%zmm30, %%zmm23\n"
      "dec %%ecx\n"
      "jnz 1b\n"
      :
      : "r"(numbers), "i"(steps)
      : "ecx", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",
        "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm30", "xmm31");
}

double best(void (*run)(const float*), double flop) {
  const std::vector<float> numbers = random_numbers();
  double least = 1e9;
  for (int i = 0; i < 20; ++i) {
    const double begin = thread_seconds();
    run(numbers.data());
    least = std::min(least, thread_seconds() - begin);
  }
  return flop / least / 1e9;
}

}  // namespace

double fma_limit_256() {
  return __builtin_cpu_supports("fma") ? best(run_256, 2.0 * steps * 12 * 8) : 0;
}
double fma_limit_512() {
  return __builtin_cpu_supports("avx512f") ? best(run_512, 2.0 * steps * 24 * 16) : 0;
}

}  // namespace ganc
