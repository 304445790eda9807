#include "compiler/driver/describe.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/driver/hash.h"
#include "compiler/driver/peak.h"
#include "compiler/driver/version.h"
#include "compiler/ops/op.h"
#include "runtime/abi.h"

namespace ganc {
namespace {

using Json = nlohmann::ordered_json;

Json binding(const std::string& name, const Placement& placement) {
  return {{"name", name},
          {"dtype", std::string(ganc::name(placement.dtype))},
          {"shape", placement.shape},
          {"strides", placement.strides},
          {"offset", placement.offset},
          {"bytes", placement.bytes}};
}

Json variables(const Model& model, const Plan& plan) {
  std::map<std::string, const Variable*> by_name;
  for (const Variable& variable : model.variables) by_name[variable.name] = &variable;
  Json list = Json::array();
  for (const Binding& place : plan.variables) {
    const Variable& variable = *by_name.at(place.name);
    Json entry = binding(place.name, place.placement);
    switch (variable.kind) {
      case VariableKind::weight:
        entry["kind"] = "weight";
        break;
      case VariableKind::state:
        entry["kind"] = "state";
        break;
      case VariableKind::slot:
        entry["kind"] = "slot";
        break;
    }
    entry["net"] = variable.net;
    entry["weight"] = variable.weight;
    entry["from"] = variable.from;
    entry["trained"] = variable.trained;
    list.push_back(std::move(entry));
  }
  return list;
}

Json source(const Source& source, const Sources& sources) {
  Json arguments = Json::object();
  for (const auto& [name, value] : source.arguments) {
    std::visit([&](const auto& v) { arguments[name] = v; }, value);
  }
  Json fields = Json::array();
  for (const FieldInfo& field : source.fields) {
    Json entry = {{"name", field.name}};
    switch (field.kind) {
      case FieldInfo::Kind::real:
        entry["kind"] = "real";
        break;
      case FieldInfo::Kind::class_:
        entry["kind"] = "class";
        break;
      case FieldInfo::Kind::integer:
        entry["kind"] = "integer";
        break;
    }
    entry["shape"] = field.shape;
    entry["classes"] = field.classes;
    fields.push_back(std::move(entry));
  }
  return {{"function", source.function},
          {"arguments", std::move(arguments)},
          {"line", place(sources, source.span)},
          {"fields", std::move(fields)}};
}

Json source_uses(const std::vector<SourceUse>& uses) {
  Json list = Json::array();
  for (const SourceUse& use : uses)
    list.push_back({{"source", use.source}, {"batches", use.batches}});
  return list;
}

// With these the runtime finds the first op that made a NaN: what each call wrote.
Json kernels(const Plan& plan) {
  Json list = Json::array();
  for (const kernel::Kernel& kernel : plan.kernels) {
    Json buffers = Json::array();
    for (const kernel::Buffer& buffer : kernel.buffers) {
      if (buffer.local) continue;
      buffers.push_back({{"dtype", std::string(name(buffer.dtype))},
                         {"elements", buffer.elements},
                         {"read", buffer.read},
                         {"written", buffer.written}});
    }
    list.push_back({{"name", kernel.name}, {"buffers", std::move(buffers)}});
  }
  return list;
}

// Operations of calls, each once: where a NaN may have arisen.
class OperationTable {
 public:
  explicit OperationTable(const Sources& sources) : sources_(sources) {}

  // What the call computes beside its root.
  Json others(const Call& call) {
    Json list = Json::array();
    for (const Operation& operation : call.computed)
      if (operation != Operation{call.op, call.origin}) list.push_back(number(operation));
    return list;
  }
  Json all() && { return std::move(all_); }

 private:
  std::size_t number(const Operation& operation) {
    const std::string op(definition(operation.op).name), path = operation.origin.path;
    std::string line = place(sources_, operation.origin.span);
    const auto [it, inserted] = numbers_.try_emplace({op, path, line}, all_.size());
    if (inserted) all_.push_back({{"op", op}, {"path", path}, {"line", std::move(line)}});
    return it->second;
  }

  const Sources& sources_;
  Json all_ = Json::array();
  std::map<std::array<std::string, 3>, std::size_t> numbers_;
};

Json calls(const ProgramPlan& program, const Plan& plan, const Sources& sources,
           OperationTable& operations) {
  Json list = Json::array();
  for (const Call& call : program.calls) {
    list.push_back({{"kernel", call.kernel},
                    {"units", plan.kernels[call.kernel].units},
                    {"offsets", call.offsets},
                    {"guards", call.guards},
                    {"draw", call.draw},
                    {"op", std::string(definition(call.op).name)},
                    {"path", call.origin.path},
                    {"line", place(sources, call.origin.span)},
                    {"others", operations.others(call)},
                    {"flop", call.flop},
                    {"operations", call.operations},
                    {"traffic", {call.traffic.near, call.traffic.middle, call.traffic.far}}});
  }
  return list;
}

Json draws(const ProgramPlan& program, const std::vector<Draw>& declared, const Sources& sources) {
  Json list = Json::array();
  for (std::size_t i = 0; i < program.draws.size(); ++i) {
    const Binding& place_of = program.draws[i];
    Json entry = binding(place_of.name, place_of.placement);
    entry["call"] = -1;
    for (std::size_t c = 0; c < program.calls.size(); ++c) {
      if (program.calls[c].draw == static_cast<std::int32_t>(i)) entry["call"] = c;
    }
    entry["distribution"] = "";
    entry["classes"] = 0;
    entry["stream"] = 0;
    entry["line"] = "";
    for (const Draw& draw : declared) {
      if (draw.name != place_of.name) continue;
      entry["distribution"] = draw.distribution;
      entry["classes"] = draw.classes;
      entry["stream"] = draw.stream;
      entry["line"] = place(sources, draw.span);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

Json programs(const Compilation& compilation, const Plan& plan, const Sources& sources,
              OperationTable& operations) {
  Json list = Json::array();
  for (std::size_t i = 0; i < compilation.programs.size(); ++i) {
    const CompiledProgram& program = compilation.programs[i];
    const ProgramPlan& own = plan.programs[i];
    Json inputs = Json::array();
    for (const Binding& input : own.inputs) inputs.push_back(binding(input.name, input.placement));
    Json results = Json::array();
    for (const Result& result : own.results) {
      Json entry = binding(result.binding.name, result.binding.placement);
      entry["after"] = result.after;
      results.push_back(std::move(entry));
    }
    list.push_back({{"name", program.name},
                    {"calls", calls(own, plan, sources, operations)},
                    {"inputs", std::move(inputs)},
                    {"results", std::move(results)},
                    {"draws", draws(own, draws_of(compilation.model, program), sources)}});
  }
  return list;
}

Json train(const Train& train, std::size_t program, const Sources& sources) {
  Json updates = Json::array();
  for (const UpdateInfo& update : train.updates) {
    updates.push_back({{"name", update.name},
                       {"players", update.players},
                       {"weights", update.weights},
                       {"maximize", update.maximize},
                       {"line", place(sources, update.span)}});
  }
  return {{"name", train.name},
          {"count", train.count},
          {"unit", train.epochs ? "epochs" : "steps"},
          {"batch", train.batch},
          {"seed", train.seed},
          {"program", program},
          {"updates", std::move(updates)},
          {"sources", source_uses(train.sources)},
          {"watches", train.watches}};
}

Json output(const OutputProgram& output, std::size_t program) {
  const char* kind = "array";
  switch (output.kind) {
    case OutputProgram::Kind::image:
      kind = "image";
      break;
    case OutputProgram::Kind::points:
      kind = "points";
      break;
    case OutputProgram::Kind::audio:
      kind = "audio";
      break;
    case OutputProgram::Kind::rows:
      kind = "rows";
      break;
    case OutputProgram::Kind::array:
      kind = "array";
      break;
  }
  return {{"name", output.program.name},
          {"program", program},
          {"count", output.count},
          {"shown", output.shown},
          {"kind", kind},
          {"rate", output.rate},
          {"ranges", output.ranges},
          {"parts", output.parts},
          {"sources", source_uses(output.program.sources)}};
}

// The name of the train block that an update belongs to: "D" of the unnamed block, "grow[8].D".
std::string train_of(const Model& model, const std::string& update) {
  for (std::size_t i = 0; i < model.trains.size(); ++i) {
    for (const UpdateInfo& info : model.trains[i].updates) {
      if (update == info.name || update == model.trains[i].name + "." + info.name)
        return model.trains[i].name;
    }
  }
  return "";
}

// The lists that name programs by index.
void add_uses(Json& document, const Compilation& compilation, const Sources& sources) {
  const Model& model = compilation.model;
  for (const char* key : {"trains", "outputs", "forwards", "gradients"})
    document[key] = Json::array();
  for (std::size_t i = 0; i < compilation.programs.size(); ++i) {
    const CompiledProgram& program = compilation.programs[i];
    switch (program.kind) {
      case ProgramKind::init:
        document["init"] = i;
        break;
      case ProgramKind::train:
        document["trains"].push_back(train(model.trains[program.index], i, sources));
        break;
      case ProgramKind::output:
        document["outputs"].push_back(output(model.outputs[program.index], i));
        break;
      case ProgramKind::forward:
        document["forwards"].push_back(
            {{"net", model.forwards[program.index].name}, {"program", i}});
        break;
      case ProgramKind::gradient: {
        const std::string& update = model.gradients[program.index].name;
        document["gradients"].push_back(
            {{"update", update}, {"train", train_of(model, update)}, {"program", i}});
        break;
      }
    }
  }
}

}  // namespace

std::string place(const Sources& sources, Span span) {
  if (!span.known()) return "";
  return fmt::format("{}:{}", sources.name(span.file),
                     sources.position(span.file, span.begin).line);
}

namespace {

// Of the train blocks; where they differ, all.
std::string precision(const Compilation& compilation, const CompileOptions& options) {
  std::string all;
  for (const CompiledProgram& program : compilation.programs) {
    if (program.kind != ProgramKind::train) continue;
    const std::string one(name(precision_of(compilation.model, program, options)));
    if (all.find(one) == std::string::npos) all += (all.empty() ? "" : ", ") + one;
  }
  return all.empty() ? "exact" : all;
}

}  // namespace

std::string describe(const Compilation& compilation, const Plan& plan, const Sources& sources,
                     std::uint32_t file, const CompileOptions& options,
                     std::int64_t scratch_bytes) {
  const Model& model = compilation.model;
  Json texts = Json::array();
  for (std::uint32_t i = 0; i < sources.count(); ++i) {
    // The prelude is the compiler's own: its version says it all.
    if (i != file && std::ranges::count(model.files, sources.name(i)) == 0) continue;
    texts.push_back({{"path", sources.name(i)}, {"text", sources.text(i)}});
  }
  Json source_list = Json::array();
  for (const Source& declared : model.sources) source_list.push_back(source(declared, sources));
  OperationTable operations(sources);
  Json document = {{"abi", int{GANC_ABI_VERSION}},
                   {"ganc", std::string(version())},
                   {"model", model.name},
                   {"source", sources.name(file)},
                   {"source_hash", hash_of(sources.text(file))},
                   {"model_hash", model_hash(compilation, options)},
                   {"source_text", std::move(texts)},
                   {"dtype", options.f64 ? "f64" : "f32"},
                   {"precision", precision(compilation, options)},
                   {"arena",
                    {{"bytes", plan.arena_bytes},
                     {"persistent_bytes", plan.persistent_bytes},
                     {"peak_bytes", peak_of(compilation, plan, options.f64).bytes(0)},
                     {"scratch_bytes", scratch_bytes}}},
                   {"variables", variables(model, plan)},
                   {"sources", std::move(source_list)},
                   {"kernels", kernels(plan)},
                   {"programs", programs(compilation, plan, sources, operations)}};
  document["operations"] = std::move(operations).all();
  add_uses(document, compilation, sources);
  document["missing"] = model.missing;
  return document.dump();
}

}  // namespace ganc
