/* The contract between generated code and the runtime: the one header that both sides include. C,
 * so that code generated in any way can keep it. */
#ifndef GANC_RUNTIME_ABI_H
#define GANC_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GANC_ABI_VERSION = 1 };

/* Units [begin, end) of a kernel. `offsets` holds a byte offset into the arena for each buffer of
 * the kernel. `scratch` is the calling thread's own memory, of the size that the description asks
 * for, 64-byte aligned. */
typedef void (*GancKernel)(char* arena, const int64_t* offsets, int64_t begin, int64_t end,
                           char* scratch);

typedef struct {
  const char* isa;           /* "x86-64-v3", "x86-64-v4" */
  const GancKernel* kernels; /* as many as the program has */
} GancVariant;

typedef struct {
  uint32_t abi_version;
  uint32_t variant_count;
  uint64_t kernel_count;
  const GancVariant* variants; /* the least demanding first */
  const char* description;     /* JSON: see description.md beside this header */
  uint64_t description_bytes;
} GancProgram;

/* Defined by the generated objects; read by the runtime. */
extern const GancProgram ganc_program;

#ifdef __cplusplus
}
#endif

#endif
