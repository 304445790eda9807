#pragma once

#include <span>
#include <string_view>

#include "compiler/rewrite/rewriter.h"

namespace ganc {

// Reals only: both sides have equal value where both are finite.
struct PatternRule {
  std::string_view name;
  std::string_view match, replace;
};

// A rule on shapes and attributes. `sample` is a graph text in which it fires.
struct StructuralRule {
  std::string_view name;
  Op op;  // of the node that it replaces
  // None: it does not apply. `node` is about to be added to r.graph().
  NodeId (*apply)(Rewriter& r, const Node& node);
  std::string_view sample;
};

std::span<const PatternRule> stability_rules();
std::span<const PatternRule> algebra_rules();
// Lets the stability rules see through movement: log(reshape(logistic(x))) is
// reshape(log(logistic(x))).
std::span<const StructuralRule> stability_movement_rules();
std::span<const StructuralRule> structural_rules();
// Each leaves fewer multiplications by the direct count than it finds.
std::span<const StructuralRule> resampling_rules();

}  // namespace ganc
