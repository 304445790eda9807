#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/elaborate/scope.h"
#include "compiler/elaborate/sites.h"
#include "compiler/elaborate/value.h"
#include "compiler/graph/builder.h"

namespace ganc::elab {

// The values that `descend` put in place of a net's variables and its optimizer's slots.
struct Overlay {
  std::map<std::string, NodeId> values;
  std::map<std::string, Tensor> transformed;
};

struct NetInstance {
  std::string name;
  const ast::Ast* ast = nullptr;
  const ast::Net* declaration = nullptr;
  std::shared_ptr<Scope> scope;
  std::shared_ptr<NetInstance> copied;  // `copy(G)`: whose body and initial values these are
  std::string from;                     // a weights file
  Span span;
  bool called = false;
  std::int64_t parameters = 0;
  std::vector<LayerRow> rows;
  bool rows_complete = false;

  const NetInstance& body() const { return copied ? copied->body() : *this; }
};

// `with T`: applied to each weight made below.
struct Transformation {
  Value layer;
  std::vector<std::pair<std::string, Value>> arguments;  // an empty name: positional
  std::string name;
  Span span;
};

// What one call of a net has made, to find a weight made twice.
struct NetCall {
  std::map<std::string, Span> made;
};

// Weights and gradients of the update whose optimizer is evaluated, for `total`.
struct Step {
  struct Entry {
    std::string name;
    Value weight, gradient;
  };
  std::vector<Entry> entries;
  std::map<std::string, Value> totals;
};
struct OptimizerFrame {
  std::shared_ptr<Step> step;
  std::string slots;    // "slot/D/D.dense.w/"
  std::string weight;   // "D.dense.w"
  std::string wrapper;  // "within." of an optimizer around another one
  std::string chain;    // which optimizer of a nest this is
  std::shared_ptr<Scope> arguments;
  const ast::Optimizer* declaration = nullptr;
  // Weight and gradient that this optimizer is given for the update's j-th weight.
  std::function<std::pair<Value, Value>(std::size_t)> given;
};

// One body that is being evaluated.
struct Frame {
  const ast::Ast* ast = nullptr;
  std::shared_ptr<Scope> scope;
  const Sites* sites = nullptr;       // of weights and states
  const Sites* draw_sites = nullptr;  // of draws: in a train block numbered within the statement
  std::string path;                   // "D.dense_2"
  std::string draw_path;              // "D_2.dropout"
  std::string loops;                  // "[2]": the values of the `for`s around
  std::shared_ptr<NetInstance> net;   // whose weights are made here; null outside of nets
  std::shared_ptr<NetCall> net_call;
  std::shared_ptr<Overlay> overlay;
  std::vector<Transformation> with;  // the innermost first
  std::shared_ptr<OptimizerFrame> optimizer;
  std::int64_t count = -1;  // samples of a noise drawn here
  bool training = false;
  bool sees_draws = false;  // may read data and noise of the file
  bool shared = false;      // below an `as`: weights may be met again
  bool prelude = false;
  bool net_body = false;
  const Frame* caller = nullptr;
  std::string name;  // what was called, for the call chain
  Span call_span;
};

// What draws and saves as one: an update, a statement of a train block, an output.
struct Unit {
  std::string draw_label;  // "D", "D#0"; empty: held, or an output
  std::string data_label;  // "D#0" in repeats; else empty
  std::int64_t batch_index = 0;
  std::map<const void*, Tensor> noises;
  std::vector<std::string> order;             // of `pending`
  std::map<std::string, NodeId> pending;      // states changed and not yet saved
  std::map<std::string, Tensor> transformed;  // weights after `with`, by path and version
};

// The `let`s of a block hold what they read.
struct HeldBlock {
  std::string label;  // "every"; empty: the iteration
  std::int64_t batch_index = 0;
  std::string data_label;
  std::map<std::string, std::string> why;  // name of a noise or field: the let that reads it
  std::map<const void*, Tensor> noises;
};

// One graph that is being built.
struct Work {
  explicit Work(std::string name) : builder(graph) { graph.name = std::move(name); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  Graph graph;
  Builder builder;
  std::map<std::string, NodeId> current;                // variables: the value of now
  std::map<std::string, std::vector<NodeId>> versions;  // all values so far, the saved one first
  std::vector<std::string> changed;                     // in order of the first change
  std::vector<Draw> draws;
  std::map<std::string, std::size_t> draw_of_name;
  std::map<std::uint32_t, std::size_t> draw_of_node;
  std::set<std::uint32_t> streams;
  std::map<std::uint32_t, std::int64_t> batches;  // of a source: how many are read
  std::vector<HeldBlock*> held;                   // the outermost first
  std::vector<NodeId> conditions;                 // preds around the statement
  std::int64_t count = 0;                         // samples of a batch
  std::unordered_set<std::uint32_t> sigmoids;     // results of the prelude's sigmoid and softmax
  std::unordered_map<std::uint32_t, NodeId> in_init;  // nodes copied into the init graph
};

}  // namespace ganc::elab
