#include "compiler/rewrite/rewrite.h"

#include "compiler/rewrite/rules.h"

namespace ganc {
namespace {

// A run leaves little to the next; what is left after this many is not worth more time.
constexpr int run_limit = 4;

Graph to_fixed_point(const Graph& graph, const Rewriter::Rules& rules) {
  Graph current = graph;
  for (int run = 0; run < run_limit; ++run) {
    Rewriter rewriter(current, rules);
    Graph next = rewriter.run();
    const bool settled = rewriter.fired().empty() && next.nodes.size() == current.nodes.size();
    current = std::move(next);
    if (settled) break;
  }
  return Rewriter(current, {}).run();  // without what rules made and did not use
}

}  // namespace

Graph stabilize(const Graph& graph) {
  Rewriter::Rules rules;
  for (const PatternRule& rule : stability_rules()) rules.patterns.push_back(&rule);
  for (const StructuralRule& rule : stability_movement_rules()) rules.structural.push_back(&rule);
  return to_fixed_point(graph, rules);
}

Graph merge_resampling(const Graph& graph) {
  Rewriter::Rules rules;
  for (const StructuralRule& rule : resampling_rules()) rules.structural.push_back(&rule);
  return to_fixed_point(graph, rules);
}

Graph rewrite(const Graph& graph) {
  Rewriter::Rules rules{.fold = true, .drop_stop = true};
  for (const PatternRule& rule : algebra_rules()) rules.patterns.push_back(&rule);
  for (const StructuralRule& rule : structural_rules()) rules.structural.push_back(&rule);
  return to_fixed_point(graph, rules);
}

}  // namespace ganc
