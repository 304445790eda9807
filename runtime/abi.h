/* The contract between generated code and the runtime: the one header that both sides include. C,
 * so that code generated in any way can keep it. */
#ifndef GANC_RUNTIME_ABI_H
#define GANC_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GANC_ABI_VERSION = 2 };

/* Units [begin, end) of a kernel. `offsets` holds a byte offset into the arena for each buffer of
 * the kernel. `scratch` is the calling thread's own memory, of the size that the description asks
 * for, 64-byte aligned. Kernels of "amx" need the thread's eight tile registers configured as 16
 * rows of 64 bytes. */
typedef void (*GancKernel)(char* arena, const int64_t* offsets, int64_t begin, int64_t end,
                           char* scratch);

typedef struct {
  const char* isa; /* "x86-64-v3", "x86-64-v4", "avx512-bf16", "amx" */
  const GancKernel* kernels;
  uint64_t kernel_count;
  /* JSON: see description.md beside this header. Variants whose kernels are called in the same way
   * share one; others differ in what concerns kernels, arena and scratch alone. */
  const char* description;
  uint64_t description_bytes;
} GancVariant;

typedef struct {
  uint32_t abi_version;
  uint32_t variant_count;
  const GancVariant* variants; /* the least demanding first */
} GancProgram;

/* Defined by the generated objects; read by the runtime. */
extern const GancProgram ganc_program;

#ifdef __cplusplus
}
#endif

#endif
