#include <array>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include <fmt/format.h>

#include "compiler/ops/families.h"
#include "compiler/ops/op.h"

namespace ganc {
namespace {

using Table = std::array<const OpDefinition*, op_count>;

Table make_table() {
  Table table = {};
  for (std::span<const OpDefinition> family :
       {leaf_ops(), elementwise_unary_ops(), elementwise_binary_ops(), movement_ops(), reduce_ops(),
        contract_ops(), convolve_ops(), index_ops(), random_ops()}) {
    for (const OpDefinition& definition : family) {
      const OpDefinition*& entry = table[static_cast<std::size_t>(definition.op)];
      if (entry != nullptr) {
        fmt::print(stderr, "ganc: the op {} is defined twice\n", definition.name);
        std::abort();
      }
      entry = &definition;
    }
  }
  for (std::size_t op = 0; op < table.size(); ++op) {
    if (table[op] == nullptr) {
      fmt::print(stderr, "ganc: op number {} has no definition\n", op);
      std::abort();
    }
  }
  return table;
}

const Table& table() {
  static const Table table = make_table();
  return table;
}

constexpr std::int64_t largest_number = (std::int64_t{1} << 31) - 1;
constexpr std::int64_t most_elements = std::int64_t{1} << 40;

// Products of two such numbers cannot overflow; the ops' rules rely on it.
bool in_range(const std::vector<std::int64_t>& numbers) {
  for (std::int64_t n : numbers) {
    if (n < -largest_number || n > largest_number) return false;
  }
  return true;
}

bool in_range(const Attributes& a) {
  for (const Window& w : a.windows) {
    if (!in_range({w.stride, w.pad_low, w.pad_high, w.lhs_dilation, w.rhs_dilation})) return false;
  }
  return in_range(a.axes) && in_range(a.start) && in_range(a.limit) && in_range(a.stride) &&
         in_range(a.low) && in_range(a.high) && in_range(a.interior) && in_range(a.lhs_batch) &&
         in_range(a.rhs_batch) && in_range(a.lhs_contract) && in_range(a.rhs_contract) &&
         in_range({a.groups, a.batch, a.size});
}

std::string wrong_shape(const Shape& shape) {
  for (std::int64_t n : shape) {
    if (n < 0) return fmt::format("the shape {} has a negative axis", to_string(shape));
    if (n > largest_number)
      return fmt::format("the shape {} has too long an axis", to_string(shape));
  }
  if (element_count(shape) > most_elements) {
    return fmt::format("the shape {} has too many elements", to_string(shape));
  }
  return {};
}

}  // namespace

const OpDefinition& definition(Op op) {
  return *table()[static_cast<std::size_t>(op)];
}

std::optional<Op> op_named(std::string_view name) {
  static const auto ops = [] {
    std::unordered_map<std::string_view, Op> map;
    for (const OpDefinition* definition : table()) map.emplace(definition->name, definition->op);
    return map;
  }();
  const auto found = ops.find(name);
  return found == ops.end() ? std::nullopt : std::optional(found->second);
}

std::span<const OpDefinition* const> all_ops() {
  return table();
}

TypeOrError infer_type(Op op, std::span<const Type> operands, const Attributes& attributes,
                       const Type& given) {
  const OpDefinition& definition = ganc::definition(op);
  const auto wrong = [&](const std::string& what) {
    return TypeOrError{.error = fmt::format("{}: {}", definition.name, what)};
  };
  const int count = static_cast<int>(operands.size());
  if (definition.arity >= 0 && count != definition.arity) {
    return wrong(fmt::format("needs {} operands, but got {}", definition.arity, count));
  }
  for (const Type& operand : operands) {
    if (std::string text = wrong_shape(operand.shape); !text.empty()) return wrong(text);
  }
  if (std::string text = wrong_shape(given.shape); !text.empty()) return wrong(text);
  if (!in_range(attributes)) return wrong("an attribute is beyond 2^31 - 1");
  TypeOrError result = definition.type(operands, attributes, given);
  if (!result.type) return wrong(result.error);
  if (std::string text = wrong_shape(result.type->shape); !text.empty()) return wrong(text);
  return result;
}

}  // namespace ganc
