#include "compiler/driver/version.h"

namespace ganc {

std::string_view version() {
  return GANC_VERSION;
}

}  // namespace ganc
