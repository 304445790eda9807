#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "compiler/graph/builder.h"
#include "compiler/rewrite/pattern.h"

namespace ganc {

struct PatternRule;
struct StructuralRule;

// Copies a graph node by node, simplifying each before it is added. Rules see operands that are
// simplified already and build their replacements through `make`, so that one copy reaches nearly
// all there is.
class Rewriter {
 public:
  struct Rules {
    std::vector<const PatternRule*> patterns;
    std::vector<const StructuralRule*> structural;
    bool fold = false;       // constants
    bool drop_stop = false;  // `stop` is its operand
  };
  Rewriter(const Graph& source, const Rules& rules);

  Graph run();
  // How often each rule fired.
  const std::map<std::string_view, std::size_t>& fired() const { return fired_; }

  // For rules:
  const Graph& graph() const { return result_; }
  const Node& operator[](NodeId id) const { return result_[id]; }
  const Shape& shape(NodeId id) const { return result_[id].type.shape; }
  NodeId make(Op op, std::vector<NodeId> operands, Attributes attributes = {}, Type type = {});
  NodeId constant(double value, const Type& type);
  // Of what is made from here on for the node at hand, which has its own before.
  void set_origin(std::uint32_t origin) { builder_.set_origin(origin); }
  // A node whose inside a rule may not take apart: something differentiates by it.
  bool opaque(NodeId id) const { return id.index < opaque_.size() && opaque_[id.index]; }
  // How many operands and outputs of the source graph are this node; 0 where a rule made it.
  std::size_t readers(NodeId id) const {
    return id.index < readers_.size() ? readers_[id.index] : 0;
  }

 private:
  struct CompiledRule {
    const PatternRule* rule;
    ParsedRule parsed;
  };
  NodeId simplified(Node& node);
  NodeId fold(const Node& node);
  NodeId build(const Pattern& pattern, const Bindings& bindings, const Type& type);

  const Graph& source_;
  bool fold_, drop_stop_;
  Graph result_;
  Builder builder_;
  std::map<Op, std::vector<CompiledRule>> patterns_;
  std::map<Op, std::vector<const StructuralRule*>> structural_;
  std::vector<bool> opaque_;
  std::vector<std::size_t> readers_;
  std::map<std::string_view, std::size_t> fired_;
  int depth_ = 0;
};

}  // namespace ganc
