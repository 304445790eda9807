#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/source/source.h"

namespace ganc {

// What elaboration makes of a program: variables, sources, and graphs whose inputs and outputs go
// by name.
//
// Inputs of a graph (Op::input, attributes.name):
//   "variable/<name>"   the saved value of a weight, state or slot when the program starts
//   "data/x"            a batch of a field, batch first; "data/D#1/x" the batch of the second
//   repeat of update D "arg/z"             an argument of a forward program "step" "epoch"
//   "progress"   f64 [], of the current train block "seed" u32[2], "random_step" u32[]: what
//   random_bits reads
//   "gradients"  pred [], of an iteration: whether "grad/.." are wanted; else they are 0
// Outputs of a graph:
//   "variable/<name>"   its new value (an iteration, init)
//   "loss/D" "grad/D/<weight>" "grad_norm/D" "watch/<name>"   f32 or f64; losses as minimized
//   "out", "out/mu", "out/0"    of forward programs and outputs
//
// An iteration is one graph: the statements in order, `times` unrolled. A statement under a runtime
// condition is select(condition [], new, old) for each variable that it changes, so that kernels
// can be guarded by it.

enum class VariableKind { weight, state, slot };

struct Variable {
  std::string name;  // "G.dense_2.w", "G.batchnorm.running_mean", "slot/D/D.dense.w/m"
  VariableKind kind;
  Type type;
  std::string net;     // the owner of a weight or state; empty: the file, a train block
  std::string weight;  // slot: the weight that it belongs to
  std::string from;    // weights file of a net `from`; else empty
  bool trained = false;
  bool scalar = false;  // a state of type `[]`: read as a run-time number, f64
  Span span;
};

struct FieldInfo {
  std::string name;
  enum class Kind { real, class_, integer } kind;
  Shape shape;               // per sample
  std::int64_t classes = 0;  // kind class_
  Span span;
};

// A static value handed to a data source: number, string, boolean or a list of numbers.
using SourceArgument = std::variant<double, std::string, bool, std::vector<double>>;

struct Source {
  std::string function;  // "digits", "mnist", "images", "npy", ...
  std::map<std::string, SourceArgument> arguments;
  std::vector<FieldInfo> fields;
  Span span;
};

struct Draw {
  std::string name;          // the key in a feed: "draw/D/z"
  std::string distribution;  // as written: "normal(0, 1)"
  Type type;
  std::int64_t classes = 0;  // 0: no class
  std::uint32_t stream;
  bool held = false;
  std::string held_why;  // for the table of draws: "read by `let fake`"
  std::vector<std::string> readers;
  Span span;
};

struct UpdateInfo {
  std::string name;  // "D", "Encoder+Decoder", "D[1]", "D#0"
  std::vector<std::string> players;
  std::vector<std::string> weights;  // that its objective reaches
  bool maximize = false;
  Span span;  // of the objective
};

// How many batches of a source one iteration reads.
struct SourceUse {
  std::uint32_t source;  // into Model::sources
  std::int64_t batches = 1;
};

struct Train {
  std::string name;  // empty, "grow[8]"
  double count = 0;  // epochs or steps
  bool epochs = true;
  std::int64_t batch = 0;
  std::int64_t seed = -1;  // -1: the run's
  std::string precision;   // empty: the option's
  Graph iteration;
  std::vector<UpdateInfo> updates;
  std::vector<Draw> draws;
  std::vector<SourceUse> sources;
  std::vector<std::string> watches;
  Span span;
};

// One program with results: a declared output, the forward pass of a net, the gradient of an
// update.
struct Program {
  std::string name;
  Graph graph;
  std::vector<Draw> draws;
  std::vector<SourceUse> sources;
  Span span;
};

struct OutputProgram {
  Program program;
  std::int64_t count = 0;  // samples computed at once
  std::int64_t shown = 0;  // samples where nobody says how many
  enum class Kind { image, points, audio, rows, array } kind;
  double rate = 0;                 // audio
  std::vector<double> ranges;      // two for each result: the values that are black and white
  std::vector<std::string> parts;  // the results, left to right: "out/0", ...
};

struct Metric {
  std::string name;
  std::string function;  // "fid", "mode_coverage", or empty: an expression
  Span span;
};

// One row of the table of layers that `ganc check` prints.
struct LayerRow {
  std::string net, call;  // "G", "dense_2"
  std::string text;       // "dense(512)"
  std::string output;     // "[512]"
  std::int64_t parameters = 0;
  double flop = 0;  // one sample, forward
  Span span;
};

struct Net {
  std::string name;
  std::int64_t parameters = 0;
  std::vector<LayerRow> layers;
  Span span;
};

struct Model {
  std::string name;
  std::vector<Variable> variables;
  std::vector<Source> sources;
  std::vector<Net> nets;
  Graph init;  // outputs "variable/<name>" for every variable
  std::vector<Train> trains;
  std::vector<OutputProgram> outputs;
  std::vector<Metric> metrics;
  std::vector<Program> forwards;  // one a net that has parameters with full types; named by the net
  std::vector<Program> gradients;  // one an update, named by it: outputs loss/ and grad/
  std::vector<std::string>
      missing;  // what `check` knows and `build` cannot make yet, one sentence each
  std::vector<std::string> files;  // every file read, for cache keys
};

}  // namespace ganc
