#include "runtime/tiles.h"

#include <immintrin.h>
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

__attribute__((target("amx-tile"))) void configure_tiles() {
  TileConfiguration configuration;
  std::fill_n(configuration.row_bytes, 8, 64);
  std::fill_n(configuration.rows, 8, 16);
  _tile_loadconfig(&configuration);
}

}  // namespace ganc::runtime
