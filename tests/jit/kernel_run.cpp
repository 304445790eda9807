#include "tests/jit/kernel_run.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace ganc {
namespace {

std::size_t bytes_of_element(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::f64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::pred:
      return 1;
  }
  std::abort();
}

// Memory that ends (up to alignment to 64) where a page begins that traps.
class Guarded {
 public:
  explicit Guarded(std::size_t bytes) {
    const std::size_t page = 4096, aligned = (bytes + 63) / 64 * 64;
    size_ = (aligned + page - 1) / page * page + 2 * page;
    void* memory = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED ||
        mprotect(static_cast<char*>(memory) + page, size_ - 2 * page, PROT_READ | PROT_WRITE))
      std::abort();
    pages_ = static_cast<char*>(memory);
    data = pages_ + size_ - page - aligned;
  }
  ~Guarded() { munmap(pages_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  char* data;

 private:
  char* pages_;
  std::size_t size_;
};

template <class T>
void put(char* at, double x) {
  const T value = static_cast<T>(x);
  std::memcpy(at, &value, sizeof value);
}
template <class T>
double get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

void write(char* at, DType dtype, double x) {
  switch (dtype) {
    case DType::f32:
      return put<float>(at, x);
    case DType::f64:
      return put<double>(at, x);
    case DType::i32:
      return put<std::int32_t>(at, x);
    case DType::u32:
      return put<std::uint32_t>(at, x);
    case DType::pred:
      return put<std::uint8_t>(at, x);
    case DType::bf16: {
      const auto narrow = static_cast<float>(x);
      std::memcpy(at, reinterpret_cast<const char*>(&narrow) + 2, 2);
      return;
    }
  }
}
double read(const char* at, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return get<float>(at);
    case DType::f64:
      return get<double>(at);
    case DType::i32:
      return get<std::int32_t>(at);
    case DType::u32:
      return get<std::uint32_t>(at);
    case DType::pred:
      return get<std::uint8_t>(at);
    case DType::bf16: {
      float wide = 0;
      std::memcpy(reinterpret_cast<char*>(&wide) + 2, at, 2);
      return wide;
    }
  }
  std::abort();
}

}  // namespace

void run_compiled(const kernel::Kernel& kernel, GancKernel function, Contents& contents,
                  int pieces) {
  std::vector<std::unique_ptr<Guarded>> memory;
  std::vector<std::int64_t> offsets;
  for (std::size_t i = 0; i < kernel.buffers.size(); ++i) {
    const std::size_t size = bytes_of_element(kernel.buffers[i].dtype);
    memory.push_back(std::make_unique<Guarded>(contents[i].size() * size));
    for (std::size_t j = 0; j < contents[i].size(); ++j)
      write(memory[i]->data + j * size, kernel.buffers[i].dtype, contents[i][j]);
    offsets.push_back(memory[i]->data - memory[0]->data);
  }
  const std::vector<std::int64_t> local = kernel::scratch_places(kernel);
  const Guarded scratch(static_cast<std::size_t>(local.back()));
  char* arena = memory.empty() ? nullptr : memory[0]->data;
  for (int piece = pieces; piece-- > 0;)
    function(arena, offsets.data(), kernel.units * piece / pieces,
             kernel.units * (piece + 1) / pieces, scratch.data);
  for (std::size_t i = 0; i < kernel.buffers.size(); ++i) {
    const std::size_t size = bytes_of_element(kernel.buffers[i].dtype);
    for (std::size_t j = 0; j < contents[i].size(); ++j)
      contents[i][j] = read(memory[i]->data + j * size, kernel.buffers[i].dtype);
  }
}

Contents random_contents(const kernel::Kernel& kernel, std::uint32_t seed) {
  std::mt19937 random(seed);
  Contents contents;
  for (const kernel::Buffer& buffer : kernel.buffers) {
    std::vector<double> data(static_cast<std::size_t>(buffer.elements));
    for (double& x : data) {
      if (is_real(buffer.dtype))
        x = rounded_to(buffer.dtype, std::uniform_real_distribution(-2.0, 2.0)(random));
      else if (buffer.dtype == DType::pred)
        x = random() % 2;
      else
        x = random() % 8;
    }
    contents.push_back(std::move(data));
  }
  return contents;
}

namespace {

std::string difference(const kernel::Kernel& kernel, const Contents& expected,
                       const Contents& actual, double tolerance) {
  for (std::size_t b = 0; b < actual.size(); ++b) {
    if (kernel.buffers[b].local) continue;
    for (std::size_t i = 0; i < actual[b].size(); ++i) {
      const double want = expected[b][i], got = actual[b][i];
      if (want == got || (std::isnan(want) && std::isnan(got))) continue;
      if (std::abs(want - got) <= tolerance * std::max(1.0, std::abs(want))) continue;
      return fmt::format("{}[{}] is {} in place of {}", kernel.buffers[b].name, i, got, want);
    }
  }
  return "";
}

}  // namespace

void KernelComparison::add(kernel::Kernel kernel, Contents before) {
  kernels_.push_back(std::move(kernel));
  before_.push_back(std::move(before));
}

std::string KernelComparison::differences(Jit& jit, double tolerance) const {
  std::vector<Contents> expected = before_;
  for (std::size_t k = 0; k < kernels_.size(); ++k) {
    for (const std::string& problem : verify(kernels_[k]))
      return problem + "\n" + print(kernels_[k]);
    run_reference(kernels_[k], expected[k]);
  }
  std::vector<CodegenOptions> ways;
  for (const Isa isa : every_isa)
    for (const bool optimize : {true, false})
      if (runs_here(isa)) ways.push_back({.isa = isa, .optimize = optimize});
  for (const CodegenOptions& way : ways) {
    const std::vector<GancKernel> functions = jit.add(kernels_, way);
    for (std::size_t k = 0; k < kernels_.size(); ++k) {
      for (const int pieces : {1, 3}) {
        Contents actual = before_[k];
        run_compiled(kernels_[k], functions[k], actual, pieces);
        const std::string found = difference(kernels_[k], expected[k], actual, tolerance);
        if (!found.empty())
          return fmt::format("{} ({}, optimize {}, {} pieces)\n{}", found, name(way.isa),
                             way.optimize, pieces, print(kernels_[k]));
      }
    }
  }
  return "";
}

std::string differences(Jit& jit, const kernel::Kernel& kernel, const Contents& before,
                        double tolerance) {
  KernelComparison comparison;
  comparison.add(kernel, before);
  return comparison.differences(jit, tolerance);
}

}  // namespace ganc
