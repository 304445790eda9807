#pragma once

#include <string>
#include <vector>

#include "compiler/graph/builder.h"
#include "compiler/schedule/program.h"

// Drafts of which only the order and the bytes matter.

namespace ganc::planning {

// A kernel that reads and writes so many tensors, of one element each.
inline Draft draft(const std::vector<std::uint32_t>& reads,
                   const std::vector<std::uint32_t>& writes) {
  Draft d;
  for (std::uint32_t tensor : reads) {
    d.buffers.push_back(tensor);
    d.kernel.buffers.push_back({"r", DType::f32, 1, true, false});
  }
  for (std::uint32_t tensor : writes) {
    d.buffers.push_back(tensor);
    d.kernel.buffers.push_back({"w", DType::f32, 1, false, true});
  }
  d.kernel.name = std::to_string(writes.at(0));
  return d;
}

// Tensors of so many elements; the graph has a node for each, all of them inputs, and the last one
// is the result.
inline ProgramDraft program(const std::vector<std::int64_t>& elements, std::vector<Draft> drafts) {
  ProgramDraft p;
  Builder b(p.graph);
  for (std::uint32_t i = 0; i < elements.size(); ++i) {
    const NodeId node = b.input("t" + std::to_string(i), {DType::f32, {elements[i]}});
    Tensor t;
    t.node = node;
    t.shape = {elements[i]};
    t.strides = {1};
    t.elements = elements[i];
    p.tensors.push_back(t);
    p.tensor_of.push_back(i);
  }
  p.targets.push_back({"out", {static_cast<std::uint32_t>(elements.size() - 1)}, -1});
  p.drafts = std::move(drafts);
  return p;
}

inline std::string names(const ProgramDraft& p) {
  std::string all;
  for (const Draft& d : p.drafts) all += (all.empty() ? "" : " ") + d.kernel.name;
  return all;
}

}  // namespace ganc::planning
