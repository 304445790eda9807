#include <cstdlib>

#include "compiler/kernel/kernel.h"

namespace ganc::kernel {
namespace {

std::int64_t element_bytes(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::pred:
      return 1;
  }
  std::abort();
}

}  // namespace

std::vector<std::int64_t> scratch_places(const Kernel& kernel) {
  std::vector<std::int64_t> places;
  std::int64_t end = 0;
  for (const Buffer& buffer : kernel.buffers) {
    places.push_back(buffer.local ? end : 0);
    if (buffer.local) end += (buffer.elements * element_bytes(buffer.dtype) + 63) / 64 * 64;
  }
  places.push_back(end);
  return places;
}

}  // namespace ganc::kernel
