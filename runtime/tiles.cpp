#include "runtime/tiles.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace ganc::runtime {

bool may_use_tiles() {
  // ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA of Linux 5.16 (Documentation/arch/x86/xstate.rst).
  constexpr long request_permission = 0x1023, tile_data = 18;
  static const bool granted = ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return granted;
}

namespace {

// Intel SDM, volume 1, 18.2: palette 1.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfiguration) == 64);

}  // namespace

void configure_tiles() {
  TileConfiguration configuration;
  std::fill_n(configuration.row_bytes, 8, 64);
  std::fill_n(configuration.rows, 8, 16);
  // GCC's _tile_loadconfig claims to read eight bytes alone, and the rest may then be left out.
  __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
}

}  // namespace ganc::runtime
