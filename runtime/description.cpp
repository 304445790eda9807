#include "runtime/description.h"

#include <fmt/format.h>

#include <array>

#include "runtime/description_reader.h"
#include "runtime/json.h"

namespace ganc::runtime {
namespace {

// The bytes from the first to the last element of the binding lie in [0, limit).
Binding read_binding(DescriptionReader& in, std::int64_t limit) {
  Binding b;
  b.name = in.text("name");
  b.dtype = in.dtype("dtype");
  b.shape = in.integers("shape");
  b.strides = in.integers("strides");
  b.offset = in.natural("offset");
  b.bytes = in.natural("bytes");
  if (b.strides.size() != b.shape.size()) in.wrong("strides", "are not as many as axes");
  std::int64_t last = 0, count = 1;
  for (std::size_t i = 0; i < b.shape.size() && in.error().empty(); ++i) {
    std::int64_t reach = 0;
    if (b.shape[i] < 0 || b.strides[i] < 0) in.wrong("shape", "is negative");
    if (__builtin_mul_overflow(count, b.shape[i], &count)) in.wrong("shape", "is too large");
    if (b.shape[i] > 0 && (__builtin_mul_overflow(b.shape[i] - 1, b.strides[i], &reach) ||
                           __builtin_add_overflow(last, reach, &last)))
      in.wrong("strides", "are too large");
  }
  std::int64_t end = 0;
  if (__builtin_add_overflow(last, 1, &last) ||
      __builtin_mul_overflow(last, size_of(b.dtype), &end) || (count > 0 && end > b.bytes))
    in.wrong("bytes", "are too few for the shape");
  if (b.bytes > limit || b.offset > limit - b.bytes)
    in.wrong("offset", "lies outside of the arena");
  if (b.offset % size_of(b.dtype) != 0) in.wrong("offset", "is not aligned");
  return b;
}

Variable read_variable(DescriptionReader& in, std::int64_t limit) {
  static constexpr std::array kinds = {VariableKind::weight, VariableKind::state,
                                       VariableKind::slot};
  Variable v;
  v.binding = read_binding(in, limit);
  const std::string kind = in.text("kind");
  bool known = false;
  for (const VariableKind k : kinds)
    if (name(k) == kind) v.kind = k, known = true;
  if (!known) in.wrong("kind", "is unknown");
  v.net = in.text("net");
  v.weight = in.text("weight");
  v.from = in.text("from");
  v.trained = in.boolean("trained");
  return v;
}

SourceArgument read_argument(DescriptionReader& in, const std::string& key, const Json& value) {
  if (const auto* b = value.boolean()) return *b;
  if (const auto number = value.number()) return *number;
  if (const auto* text = value.string()) return *text;
  if (value.elements() != nullptr) return in.numbers(key);
  in.wrong(key, "is no argument");
  return 0.0;
}

FieldSpec read_field(DescriptionReader& in) {
  FieldSpec field;
  field.name = in.text("name");
  const std::string kind = in.text("kind");
  if (kind == "real")
    field.kind = FieldSpec::Kind::real;
  else if (kind == "class")
    field.kind = FieldSpec::Kind::class_;
  else if (kind == "integer")
    field.kind = FieldSpec::Kind::integer;
  else
    in.wrong("kind", "is unknown");
  field.shape = in.integers("shape");
  if (in.has("classes")) field.classes = in.natural("classes");
  return field;
}

SourceSpec read_source(DescriptionReader& in, const std::string& file) {
  SourceSpec spec;
  spec.function = in.text("function");
  in.object("arguments", [&] {});
  if (const Json* arguments = in.get("arguments"); arguments && arguments->members())
    in.object("arguments", [&] {
      for (const auto& [key, value] : *arguments->members())
        spec.arguments.emplace(key, read_argument(in, key, value));
    });
  // A number is a line of the file; a text already names it.
  if (const Json* line = in.get("line"); line != nullptr && line->string() != nullptr)
    spec.place = *line->string();
  else
    spec.place = fmt::format("{}:{}", file, in.integer("line"));
  spec.fields = in.list("fields", [&] { return read_field(in); });
  return spec;
}

Call read_call(DescriptionReader& in, const Description& d, std::size_t kernel_count) {
  Call call;
  call.kernel = static_cast<std::uint32_t>(in.index("kernel", kernel_count));
  call.units = in.natural("units");
  call.offsets = in.integers("offsets");
  call.guards = in.integers("guards");
  if (in.has("draw")) call.draw = static_cast<std::int32_t>(in.integer("draw"));
  call.op = in.text("op");
  call.path = in.text("path");
  call.line = in.text("line");
  for (const std::int64_t number : in.integers("others")) {
    if (number < 0 || number >= std::ssize(d.operations))
      return in.wrong("others", "are no operations"), call;
    call.others.push_back(static_cast<std::uint32_t>(number));
  }
  call.flop = in.number("flop");
  call.operations = in.number("operations");
  const std::vector<double> traffic = in.numbers("traffic");
  if (traffic.size() != 3) return in.wrong("traffic", "is not three numbers"), call;
  call.near = traffic[0];
  call.middle = traffic[1];
  call.far = traffic[2];
  for (const auto* list : {&call.offsets, &call.guards})
    for (const std::int64_t offset : *list)
      if (offset < 0 || offset > d.arena_bytes)
        in.wrong(list == &call.offsets ? "offsets" : "guards", "lie outside of the arena");
  if (call.kernel >= d.kernels.size() || d.kernels[call.kernel].buffers.empty()) return call;
  const auto& buffers = d.kernels[call.kernel].buffers;
  if (buffers.size() != call.offsets.size())
    return in.wrong("offsets", "are not one a buffer"), call;
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].elements * size_of(buffers[i].dtype) > d.arena_bytes - call.offsets[i])
      in.wrong("offsets", "lie outside of the arena");
  return call;
}

Program read_program(DescriptionReader& in, const Description& d, std::size_t kernel_count) {
  Program program;
  program.name = in.text("name");
  program.calls = in.list("calls", [&] { return read_call(in, d, kernel_count); });
  program.inputs = in.list("inputs", [&] { return read_binding(in, d.arena_bytes); });
  const auto calls = static_cast<std::int64_t>(program.calls.size());
  program.results = in.list("results", [&] {
    ProgramResult result;
    result.binding = read_binding(in, d.arena_bytes);
    result.after = static_cast<std::int32_t>(in.integer("after"));
    if (result.after < -1 || result.after >= calls) in.wrong("after", "is no call");
    return result;
  });
  program.draws = in.list("draws", [&] {
    Draw draw;
    draw.binding = read_binding(in, d.arena_bytes);
    draw.call = static_cast<std::int32_t>(in.index("call", program.calls.size()));
    draw.distribution = in.text("distribution");
    draw.classes = in.natural("classes");
    draw.stream = static_cast<std::uint32_t>(in.natural("stream"));
    draw.line = in.text("line");
    return draw;
  });
  return program;
}

std::vector<SourceUse> read_uses(DescriptionReader& in, const Description& d) {
  return in.list("sources", [&] {
    SourceUse use;
    use.source = in.index("source", d.sources.size());
    use.batches = in.natural("batches");
    if (use.batches < 1) in.wrong("batches", "are none");
    return use;
  });
}

Train read_train(DescriptionReader& in, const Description& d) {
  Train train;
  train.name = in.text("name");
  train.count = in.number("count");
  const std::string unit = in.text("unit");
  if (unit != "epochs" && unit != "steps") in.wrong("unit", "is unknown");
  train.epochs = unit == "epochs";
  train.batch = in.natural("batch");
  train.seed = in.integer("seed");
  train.program = in.index("program", d.programs.size());
  train.updates = in.list("updates", [&] {
    UpdateInfo update;
    update.name = in.text("name");
    update.players = in.texts("players");
    update.weights = in.texts("weights");
    update.maximize = in.boolean("maximize");
    update.line = in.text("line");
    return update;
  });
  train.sources = read_uses(in, d);
  train.watches = in.texts("watches");
  return train;
}

Output read_output(DescriptionReader& in, const Description& d) {
  static constexpr std::array<std::string_view, 5> kinds = {"image", "points", "audio", "rows",
                                                            "array"};
  Output output;
  output.name = in.text("name");
  output.program = in.index("program", d.programs.size());
  output.count = in.natural("count");
  output.shown = in.natural("shown");
  const std::string kind = in.text("kind");
  bool known = false;
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (kinds[i] == kind) output.kind = static_cast<OutputKind>(i), known = true;
  if (!known) in.wrong("kind", "is unknown");
  output.rate = in.number("rate");
  output.ranges = in.numbers("ranges");
  output.parts = in.texts("parts");
  output.sources = read_uses(in, d);
  if (output.parts.empty()) in.wrong("parts", "are none");
  for (const std::string& part : output.parts)
    if (in.error().empty() &&
        d.programs[static_cast<std::size_t>(output.program)].result(part) == nullptr)
      in.wrong("parts", fmt::format("name the unknown result {}", part));
  return output;
}

void read_head(DescriptionReader& in, Description& d) {
  if (in.integer("abi") != GANC_ABI_VERSION) in.wrong("abi", "is another version");
  d.compiler = in.text("ganc");
  d.model = in.text("model");
  d.source = in.text("source");
  d.source_hash = in.text("source_hash");
  d.model_hash = in.text("model_hash");
  d.source_text =
      in.list("source_text", [&] { return SourceText{in.text("path"), in.text("text")}; });
  d.dtype = in.dtype("dtype");
  d.precision = in.text("precision");
  in.object("arena", [&] {
    d.arena_bytes = in.natural("bytes");
    d.persistent_bytes = in.natural("persistent_bytes");
    d.peak_bytes = in.natural("peak_bytes");
    d.scratch_bytes = in.natural("scratch_bytes");
    if (d.persistent_bytes > d.arena_bytes) in.wrong("persistent_bytes", "are more than all");
  });
}

void read_body(DescriptionReader& in, Description& d, std::size_t kernel_count) {
  d.variables = in.list("variables", [&] { return read_variable(in, d.persistent_bytes); });
  d.sources = in.list("sources", [&] { return read_source(in, d.source); });
  if (in.has("kernels"))
    d.kernels = in.list("kernels", [&] {
      KernelInfo kernel;
      kernel.name = in.text("name");
      kernel.buffers = in.list("buffers", [&] {
        return KernelBuffer{in.dtype("dtype"), in.natural("elements"), in.boolean("read"),
                            in.boolean("written")};
      });
      return kernel;
    });
  d.operations = in.list(
      "operations", [&] { return Operation{in.text("op"), in.text("path"), in.text("line")}; });
  d.programs = in.list("programs", [&] { return read_program(in, d, kernel_count); });
  d.init = in.index("init", d.programs.size());
  d.trains = in.list("trains", [&] { return read_train(in, d); });
  d.outputs = in.list("outputs", [&] { return read_output(in, d); });
  d.forwards = in.list("forwards", [&] {
    return ForwardProgram{in.text("net"), in.index("program", d.programs.size())};
  });
  d.gradients = in.list("gradients", [&] {
    return GradientProgram{in.text("update"), in.text("train"),
                           in.index("program", d.programs.size())};
  });
  d.missing = in.texts("missing");
}

std::unexpected<Failure> damaged(std::string_view what) {
  return fail(
      fmt::format(
          "the program inside this trainer is damaged: {}; build it again, and if that does not "
          "help, report it as a bug of ganc with the .gan file",
          what),
      70);
}

}  // namespace

std::string_view name(VariableKind kind) {
  switch (kind) {
    case VariableKind::weight:
      return "weight";
    case VariableKind::state:
      return "state";
    case VariableKind::slot:
      return "slot";
  }
  __builtin_unreachable();
}

const Binding* Program::input(std::string_view input_name) const {
  for (const Binding& binding : inputs)
    if (binding.name == input_name) return &binding;
  return nullptr;
}

const ProgramResult* Program::result(std::string_view result_name) const {
  for (const ProgramResult& r : results)
    if (r.binding.name == result_name) return &r;
  return nullptr;
}

std::int64_t Description::parameters() const {
  std::int64_t count = 0;
  for (const Variable& v : variables)
    if (v.kind == VariableKind::weight) count += elements(v.binding.shape);
  return count;
}

std::int64_t Description::source_of(std::string_view field) const {
  for (std::size_t i = 0; i < sources.size(); ++i)
    for (const FieldSpec& spec : sources[i].fields)
      if (spec.name == field) return static_cast<std::int64_t>(i);
  return -1;
}

Result<Description> read_description(const GancProgram& program) {
  if (program.abi_version != GANC_ABI_VERSION)
    return damaged(fmt::format("it is made for version {} of the runtime, and this is {}",
                               program.abi_version, static_cast<int>(GANC_ABI_VERSION)));
  if (program.variant_count == 0) return damaged("it has no kernels");
  return read_description(program.variants[0]);
}

Result<Description> read_description(const GancVariant& variant) {
  auto json = parse_json({variant.description, variant.description_bytes});
  if (!json) return damaged(json.error().message);
  Description description;
  DescriptionReader in(*json);
  read_head(in, description);
  read_body(in, description, variant.kernel_count);
  if (!in.error().empty()) return damaged(in.error());
  return description;
}

}  // namespace ganc::runtime
