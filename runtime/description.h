#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi.h"
#include "runtime/data/data_set.h"
#include "runtime/result.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// description.md as plain structs, in the same words.

// A tensor in the arena: element (i0, i1, ..) at offset + size_of(dtype) * sum(i * stride).
struct Binding {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::int64_t> strides;  // in elements
  std::int64_t offset = 0, bytes = 0;
};

enum class VariableKind { weight, state, slot };
std::string_view name(VariableKind kind);

struct Variable {
  Binding binding;
  VariableKind kind = VariableKind::weight;
  std::string net, weight, from;
  bool trained = false;
};

struct Operation {
  std::string op, path, line;
};

struct Call {
  std::uint32_t kernel = 0;
  std::int64_t units = 1;
  std::vector<std::int64_t> offsets, guards;
  std::int32_t draw = -1;
  std::string op, path, line;
  std::vector<std::uint32_t> others;  // into Description::operations: what the kernel computes too
  double flop = 0, operations = 0;
  double near = 0, middle = 0, far = 0;  // bytes, by how long ago their place was touched
};

struct ProgramResult {
  Binding binding;
  std::int32_t after = -1;
};

struct Draw {
  Binding binding;
  std::int32_t call = 0;
  std::string distribution, line;
  std::int64_t classes = 0;  // 0: no class
  std::uint32_t stream = 0;
};

struct Program {
  std::string name;
  std::vector<Call> calls;
  std::vector<Binding> inputs;
  std::vector<ProgramResult> results;
  std::vector<Draw> draws;

  const Binding* input(std::string_view input_name) const;
  const ProgramResult* result(std::string_view result_name) const;
};

struct KernelBuffer {
  DType dtype = DType::f32;
  std::int64_t elements = 0;
  bool read = false, written = false;
};
struct KernelInfo {
  std::string name;
  std::vector<KernelBuffer> buffers;  // may be empty: not told
};

struct UpdateInfo {
  std::string name;
  std::vector<std::string> players, weights;
  bool maximize = false;
  std::string line;
};

struct SourceUse {
  std::int64_t source = 0, batches = 1;
};

struct Train {
  std::string name;
  double count = 0;
  bool epochs = true;
  std::int64_t batch = 0, seed = -1, program = 0;
  std::vector<UpdateInfo> updates;
  std::vector<SourceUse> sources;
  std::vector<std::string> watches;
};

enum class OutputKind { image, points, audio, rows, array };

struct Output {
  std::string name;
  std::int64_t program = 0;
  std::int64_t count = 0, shown = 0;  // samples that it computes; where nobody says how many
  OutputKind kind = OutputKind::array;
  double rate = 0;
  std::vector<double> ranges;      // two a part: the values that are black and white
  std::vector<std::string> parts;  // results, left to right
  std::vector<SourceUse> sources;
};

struct ForwardProgram {
  std::string net;
  std::int64_t program = 0;
};

struct GradientProgram {
  std::string update, train;
  std::int64_t program = 0;
};

struct SourceText {
  std::string path, text;
};

struct Description {
  std::string compiler, model, source, source_hash, model_hash, precision;
  std::vector<SourceText> source_text;
  DType dtype = DType::f32;
  std::int64_t arena_bytes = 0, persistent_bytes = 0, peak_bytes = 0, scratch_bytes = 0;
  std::vector<Variable> variables;
  std::vector<SourceSpec> sources;
  std::vector<KernelInfo> kernels;
  std::vector<Operation> operations;
  std::vector<Program> programs;
  std::int64_t init = 0;
  std::vector<Train> trains;
  std::vector<Output> outputs;
  std::vector<ForwardProgram> forwards;
  std::vector<GradientProgram> gradients;
  std::vector<std::string> missing;

  // Numbers in all weights.
  std::int64_t parameters() const;
  // The source that has the field, or -1.
  std::int64_t source_of(std::string_view field) const;
};

// Reads and checks the description: every index, offset, stride and size lies where it must. What
// is wrong is a bug of ours or a damaged file: exit code 70.
Result<Description> read_description(const GancProgram& program);  // of the first variant
Result<Description> read_description(const GancVariant& variant);

}  // namespace ganc::runtime
