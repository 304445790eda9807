// random_bits: element e of a draw is word e % 4 of Philox4x32-10 with the counter
// (e / 4 low, e / 4 high, stream, step) under the key `seed`. A function of its operands like every
// other op.
#include "compiler/ops/families.h"
#include "compiler/ops/philox.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

namespace {

TypeOrError random_bits_type(Types operands, const Attributes&, const Type& given) {
  if (operands[0] != u32({2}) || operands[1] != u32({})) {
    return wrong("needs a seed u32[2] and a step u32[], but got {} and {}", to_string(operands[0]),
                 to_string(operands[1]));
  }
  return right(DType::u32, given.shape);
}

Value random_bits_reference(const Node& node, Operands operands) {
  const std::array key = {static_cast<std::uint32_t>(operands[0]->data[0]),
                          static_cast<std::uint32_t>(operands[0]->data[1])};
  const auto step = static_cast<std::uint32_t>(operands[1]->data[0]);
  Value y = filled(node.type, 0);
  std::array<std::uint32_t, 4> words = {};
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    if (i % 4 == 0) {
      const std::uint64_t block = i / 4;
      words = philox4x32_10({static_cast<std::uint32_t>(block),
                             static_cast<std::uint32_t>(block >> 32), node.attributes.stream, step},
                            key);
    }
    y.data[i] = words[i % 4];
  }
  return y;
}

constexpr double largest = 4294967295;

const OpDefinition definitions[] = {
    {.op = Op::random_bits,
     .name = "random_bits",
     .op_class = OpClass::leaf,
     .arity = 2,
     .type = random_bits_type,
     .reference = random_bits_reference,
     .samples = {{{{u32({2}), 0, largest}, {u32({}), 0, largest}}, {.stream = 7}, u32({9})},
                 {{{u32({2}), 0, largest}, {u32({}), 0, largest}}, {.stream = 0}, u32({3, 5})},
                 {{{u32({2}), 0, largest}, {u32({}), 0, largest}}, {.stream = 1}, u32({0})}},
     .attributes = reads::stream},
};

}  // namespace

std::span<const OpDefinition> random_ops() {
  return definitions;
}

}  // namespace ganc
