#include <catch2/catch.hpp>

#include "compiler/ops/op.h"
#include "compiler/ops/philox.h"
#include "tests/unit/random_value.h"

namespace ganc::test {
namespace {

TEST_CASE("every op has a definition under its own name, with samples that its rule accepts") {
  for (const OpDefinition* op : all_ops()) {
    INFO(op->name);
    CHECK(op_named(op->name) == op->op);
    CHECK(&definition(op->op) == op);
    REQUIRE(op->type != nullptr);
    const bool symbolic = op->op == Op::input || op->op == Op::grad;
    CHECK((op->reference == nullptr) == symbolic);
    CHECK(op->samples.empty() == symbolic);
    for (const Sample& sample : op->samples) {
      std::vector<Type> types;
      for (const auto& operand : sample.operands) types.push_back(operand.type);
      const TypeOrError inferred = infer_type(op->op, types, sample.attributes, sample.type);
      CHECK(inferred.error == "");
      CHECK(inferred.type.has_value());
    }
  }
  CHECK(!op_named("softmax"));
  CHECK(!op_named(""));
}

TEST_CASE("whatever a rule accepts, the reference evaluates to that type") {
  const int count = repeats("GANC_RANDOM_NODES", 20000);
  Random random(11);
  const auto number = [&](double chance) {
    return random.chance(chance) ? random.integer(-2, 4) : 0;
  };
  const auto list = [&] {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(random.integer(0, 3)));
    for (std::int64_t& n : numbers) n = random.integer(-1, 3);
    return numbers;
  };
  const auto type = [&] {
    const DType dtype = random.chance(0.7) ? DType::f32 : static_cast<DType>(random.integer(0, 5));
    Shape shape(static_cast<std::size_t>(random.integer(0, 3)));
    for (std::int64_t& n : shape) n = random.integer(0, 3);
    return Type{dtype, shape};
  };
  int accepted = 0;
  for (int i = 0; i < count; ++i) {
    const OpDefinition& op = *all_ops()[static_cast<std::size_t>(random.integer(0, op_count - 1))];
    Attributes a = {.axes = list(),
                    .start = list(),
                    .limit = list(),
                    .stride = list(),
                    .low = list(),
                    .high = list(),
                    .interior = list(),
                    .lhs_batch = list(),
                    .rhs_batch = list(),
                    .lhs_contract = list(),
                    .rhs_contract = list(),
                    .groups = random.integer(-1, 2),
                    .batch = number(0.5),
                    .size = number(0.8),
                    .values = {1},
                    .name = "n"};
    if (random.chance(0.5)) a.lhs_batch.clear(), a.rhs_batch.clear();
    for (auto windows = random.integer(0, 2); windows > 0; --windows) {
      a.windows.push_back({random.integer(0, 3), number(0.5), number(0.5), random.integer(0, 3),
                           random.integer(0, 3)});
    }
    std::vector<Type> types(
        static_cast<std::size_t>(op.arity >= 0 ? op.arity : random.integer(0, 3)));
    for (Type& t : types) t = &t != types.data() && random.chance(0.4) ? types[0] : type();
    const TypeOrError inferred = infer_type(op.op, types, a, type());
    if (!inferred.type) {
      CHECK(inferred.error.starts_with(std::string(op.name) + ": "));
      continue;
    }
    if (op.reference == nullptr) continue;
    ++accepted;
    std::vector<Value> values;
    for (const Type& t : types) {
      values.push_back(
          random_value(random, t, t.dtype == DType::i32 ? -2 : 0, t.dtype == DType::pred ? 1 : 2));
    }
    std::vector<const Value*> operands;
    for (const Value& value : values) operands.push_back(&value);
    const Value result = op.reference({op.op, *inferred.type, {}, a}, operands);
    INFO(op.name);
    CHECK(result.type == *inferred.type);
    CHECK(static_cast<std::int64_t>(result.data.size()) == element_count(inferred.type->shape));
  }
  CHECK(accepted > count / 20);
}

// Known answers of Random123, kat_vectors: philox4x32, 10 rounds.
TEST_CASE("Philox4x32-10 gives its known answers") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_bits counts elements in fours under stream and step") {
  const Value seed = {{DType::u32, {2}}, {5, 6}}, step = {{DType::u32, {}}, {9}};
  const std::vector<const Value*> operands = {&seed, &step};
  const Node node = {Op::random_bits, {DType::u32, {2, 5}}, {}, {.stream = 3}};
  const Value bits = definition(Op::random_bits).reference(node, operands);
  for (std::uint32_t i = 0; i < 10; ++i) {
    CHECK(bits.data[i] == philox4x32_10({i / 4, 0, 3, 9}, {5, 6})[i % 4]);
  }
}

}  // namespace
}  // namespace ganc::test
