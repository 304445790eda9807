// What a graph begins with: inputs, constants, indices; and `grad`, which stands until it is
// differentiated.
#include <cmath>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

bool fits(double value, DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::f64:
    case DType::bf16:
      return true;
    case DType::pred:
      return value == 0 || value == 1;
    case DType::i32:
      return value == std::trunc(value) && value >= -0x1p31 && value < 0x1p31;
    case DType::u32:
      return value == std::trunc(value) && value >= 0 && value < 0x1p32;
  }
  __builtin_unreachable();
}

TypeOrError input_type(Types, const Attributes& attributes, const Type& given) {
  if (attributes.name.empty()) return wrong("needs a name");
  return right(given.dtype, given.shape);
}

TypeOrError constant_type(Types, const Attributes& attributes, const Type& given) {
  const std::size_t count = attributes.values.size();
  const std::int64_t elements = element_count(given.shape);
  if (count != 1 && static_cast<std::int64_t>(count) != elements) {
    return wrong("has {} values for the {} elements of {}", count, elements, to_string(given));
  }
  for (double value : attributes.values) {
    if (!fits(value, given.dtype)) return wrong("{} is no value of {}", value, name(given.dtype));
  }
  return right(given.dtype, given.shape);
}

Value constant_reference(const Node& node, Operands) {
  const auto& values = node.attributes.values;
  if (values.size() == 1) return filled(node.type, values[0]);
  return {node.type, values};
}

TypeOrError iota_type(Types, const Attributes& attributes, const Type& given) {
  if (attributes.axes.size() != 1)
    return wrong("needs one axis, but got {}", attributes.axes.size());
  if (std::string text = wrong_axes(attributes.axes, given.shape.size()); !text.empty()) {
    return wrong("{}", text);
  }
  if (given.dtype == DType::pred) return wrong("pred holds no indices");
  return right(given.dtype, given.shape);
}

Value iota_reference(const Node& node, Operands) {
  Value y = filled(node.type, 0);
  const auto strides = row_major_strides(node.type.shape);
  const std::int64_t axis = node.attributes.axes[0];
  const std::int64_t size = node.type.shape[axis];
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    y.data[i] = static_cast<double>(static_cast<std::int64_t>(i) / strides[axis] % size);
  }
  return y;
}

TypeOrError grad_type(Types operands, const Attributes&, const Type&) {
  for (const Type& operand : operands) {
    if (!is_real(operand.dtype)) return wrong("needs reals, but got {}", to_string(operand));
  }
  return right(operands[1].dtype, operands[1].shape);
}

const OpDefinition definitions[] = {
    {.op = Op::input,
     .name = "input",
     .op_class = OpClass::leaf,
     .arity = 0,
     .type = input_type,
     .attributes = reads::name},
    {.op = Op::constant,
     .name = "constant",
     .op_class = OpClass::leaf,
     .arity = 0,
     .type = constant_type,
     .reference = constant_reference,
     .samples = {{{}, {.values = {0.5}}, f32({2, 3})},
                 {{}, {.values = {1, -2, 3, 4}}, f32({2, 2})},
                 {{}, {.values = {1, 0}}, pred({2})},
                 {{}, {.values = {7}}, i32({})},
                 {{}, {.values = {}}, f32({0})}},
     .attributes = reads::values},
    {.op = Op::iota,
     .name = "iota",
     .op_class = OpClass::leaf,
     .arity = 0,
     .type = iota_type,
     .reference = iota_reference,
     .samples = {{{}, {.axes = {0}}, f32({5})},
                 {{}, {.axes = {1}}, i32({2, 3, 4})},
                 {{}, {.axes = {2}}, u32({2, 3, 4})},
                 {{}, {.axes = {0}}, f32({0, 2})}},
     .attributes = reads::axes},
    {.op = Op::grad, .name = "grad", .op_class = OpClass::symbolic, .arity = 2, .type = grad_type},
};

}  // namespace

std::span<const OpDefinition> leaf_ops() {
  return definitions;
}

}  // namespace ganc
