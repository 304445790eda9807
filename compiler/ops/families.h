#pragma once

#include <span>

#include "compiler/ops/op.h"

namespace ganc {

// The families' definitions, each in the file of its name; table.cpp joins them.
std::span<const OpDefinition> leaf_ops();
std::span<const OpDefinition> elementwise_unary_ops();
std::span<const OpDefinition> elementwise_binary_ops();
std::span<const OpDefinition> movement_ops();
std::span<const OpDefinition> reduce_ops();
std::span<const OpDefinition> contract_ops();
std::span<const OpDefinition> convolve_ops();
std::span<const OpDefinition> index_ops();
std::span<const OpDefinition> random_ops();

}  // namespace ganc
