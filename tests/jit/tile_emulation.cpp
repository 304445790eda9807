#include "tests/jit/tile_emulation.h"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace ganc {
namespace {

constexpr int side = 16;
constexpr int tiles = 8;

// Pairs of bf16, or floats.
struct Register {
  std::uint32_t words[side][side];
};
thread_local Register registers[tiles];
thread_local bool configured = false;

struct sigaction before;

// Intel SDM, volume 2, 2.3 and "LDTILECFG", "TILELOADD", "TILESTORED", "TILEZERO", "TDPBF16PS".
struct Instruction {
  std::uint8_t opcode = 0, prefix = 0;  // 0 none, 1 66, 2 F3, 3 F2
  std::uint8_t mode = 0, reg = 0, rm = 0, vvvv = 0;
  char* address = nullptr;  // of memory, without the index
  std::int64_t step = 0;    // the scaled index
  int length = 0;
};

class Decoder {
 public:
  Decoder(const std::uint8_t* code, const greg_t* general) : code_(code), general_(general) {}

  // None: no instruction of the map 0F38 with a three-byte VEX prefix.
  std::optional<Instruction> run() {
    if (next() != 0xC4) return std::nullopt;
    const std::uint8_t first = next(), second = next();
    if ((first & 31) != 2 || (second & 4) != 0) return std::nullopt;
    Instruction result;
    result.prefix = second & 3;
    result.vvvv = (~second >> 3) & 15;
    result.opcode = next();
    const std::uint8_t fields = next();
    result.mode = fields >> 6;
    result.reg = static_cast<std::uint8_t>((fields >> 3 & 7) | ((first & 128) != 0 ? 0 : 8));
    result.rm = static_cast<std::uint8_t>((fields & 7) | ((first & 32) != 0 ? 0 : 8));
    if (result.mode != 3) memory(result, first);
    result.length = at_;
    if (pc_relative_) result.address += reinterpret_cast<std::intptr_t>(code_) + at_;
    return result;
  }

 private:
  std::uint8_t next() { return code_[at_++]; }

  std::int64_t general(unsigned number) const {
    static constexpr int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};
    return general_[order[number]];
  }

  void memory(Instruction& result, std::uint8_t first) {
    std::int64_t base = 0;
    bool wide = result.mode == 2;
    if ((result.rm & 7) == 4) {
      const std::uint8_t sib = next();
      const unsigned index = (sib >> 3 & 7) | ((first & 64) != 0 ? 0 : 8),
                     of_base = (sib & 7) | ((first & 32) != 0 ? 0 : 8);
      if (index != 4) result.step = general(index) << (sib >> 6);
      if ((sib & 7) == 5 && result.mode == 0)
        wide = true;
      else
        base = general(of_base);
    } else if ((result.rm & 7) == 5 && result.mode == 0) {
      wide = pc_relative_ = true;
    } else {
      base = general(result.rm);
    }
    if (wide) {
      std::int32_t displacement = 0;
      std::memcpy(&displacement, code_ + at_, 4);
      at_ += 4;
      base += displacement;
    } else if (result.mode == 1) {
      base += static_cast<std::int8_t>(next());
    }
    result.address = reinterpret_cast<char*>(base);
  }

  const std::uint8_t* code_;
  const greg_t* general_;
  int at_ = 0;
  bool pc_relative_ = false;
};

bool right_configuration(const char* from) {
  std::uint8_t bytes[64];
  std::memcpy(bytes, from, sizeof bytes);
  bool right = bytes[0] == 1 && bytes[1] == 0;
  for (int tile = 0; tile < tiles; ++tile)
    right = right && bytes[16 + 2 * tile] == 64 && bytes[17 + 2 * tile] == 0 &&
            bytes[48 + tile] == side;
  return right;
}

// But for denormals, which the CPU takes for 0.
void multiply(Register& sums, const Register& a, const Register& b) {
  const auto low = [](std::uint32_t pair) { return std::bit_cast<float>(pair << 16); };
  const auto high = [](std::uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000); };
  for (int m = 0; m < side; ++m)
    for (int k = 0; k < side; ++k)
      for (int n = 0; n < side; ++n) {
        const std::uint32_t x = a.words[m][k], y = b.words[k][n];
        const auto sum = std::bit_cast<float>(sums.words[m][n]);
        sums.words[m][n] = std::bit_cast<std::uint32_t>(sum + low(x) * low(y) + high(x) * high(y));
      }
}

// False: not an instruction on tiles, or tiles in no such state.
bool execute(const Instruction& i) {
  constexpr std::size_t row_bytes = sizeof registers[0].words[0];
  const bool memory = i.mode != 3;
  if (i.opcode == 0x49 && i.prefix == 0 && memory)
    return configured = right_configuration(i.address + i.step);
  if (!configured || i.reg >= tiles || i.rm >= (memory ? 16 : tiles)) return false;
  Register& first = registers[i.reg];
  if (i.opcode == 0x49 && i.prefix == 3 && !memory) {
    first = {};
    return true;
  }
  if (i.opcode == 0x4B && memory && (i.prefix == 3 || i.prefix == 2)) {
    for (int row = 0; row < side; ++row) {
      char* place = i.address + row * i.step;
      if (i.prefix == 3)
        std::memcpy(first.words[row], place, row_bytes);
      else
        std::memcpy(place, first.words[row], row_bytes);
    }
    return true;
  }
  if (i.opcode == 0x5C && i.prefix == 2 && !memory && i.vvvv < tiles) {
    multiply(first, registers[i.rm], registers[i.vvvv]);
    return true;
  }
  return false;
}

void handle(int signal, siginfo_t*, void* context) {
  greg_t* general = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const std::uint8_t*>(general[REG_RIP]);
  const std::optional<Instruction> instruction = Decoder(code, general).run();
  if (instruction && execute(*instruction)) {
    general[REG_RIP] += instruction->length;
    return;
  }
  ::sigaction(signal, &before, nullptr);  // what it was meant to do, when it is raised again
}

}  // namespace

void emulate_tiles() {
  struct sigaction now = {};
  ::sigaction(SIGILL, nullptr, &now);
  if (now.sa_sigaction == handle) return;
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGILL, &action, &before);
}

}  // namespace ganc
