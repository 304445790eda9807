#include "compiler/driver/hash.h"

#include <bit>
#include <new>

#include <fmt/format.h>
#include <xxhash.h>

namespace ganc {

struct Hash::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};
void Hash::Free::operator()(State* state) const {
  delete state;
}

Hash::Hash() : state_(new State) {
  if (state_->xxh == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_->xxh);
}

Hash& Hash::add(std::int64_t number) {
  XXH3_128bits_update(state_->xxh, &number, sizeof number);
  return *this;
}

Hash& Hash::add(double number) {
  return add(std::bit_cast<std::int64_t>(number));
}

Hash& Hash::add(std::string_view text) {
  add(static_cast<std::int64_t>(text.size()));
  XXH3_128bits_update(state_->xxh, text.data(), text.size());
  return *this;
}

std::string Hash::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string hash_of(std::string_view text) {
  return Hash().add(text).hex();
}

namespace {

void add_numbers(Hash& hash, const std::vector<std::int64_t>& numbers) {
  hash.add(static_cast<std::int64_t>(numbers.size()));
  for (std::int64_t number : numbers) hash.add(number);
}

void add_type(Hash& hash, const Type& type) {
  hash.add(static_cast<std::int64_t>(type.dtype));
  add_numbers(hash, type.shape);
}

void add_attributes(Hash& hash, const Attributes& a) {
  for (const auto* numbers : {&a.axes, &a.start, &a.limit, &a.stride, &a.low, &a.high, &a.interior,
                              &a.lhs_batch, &a.rhs_batch, &a.lhs_contract, &a.rhs_contract}) {
    add_numbers(hash, *numbers);
  }
  for (const Window& w : a.windows) {
    add_numbers(hash, {w.stride, w.pad_low, w.pad_high, w.lhs_dilation, w.rhs_dilation});
  }
  hash.add(a.groups).add(a.batch).add(a.size);
  hash.add(static_cast<std::int64_t>(a.comparison)).add(static_cast<std::int64_t>(a.stream));
  hash.add(static_cast<std::int64_t>(a.values.size()));
  for (double value : a.values) hash.add(value);
  hash.add(a.name);
}

void add_graph(Hash& hash, const Graph& graph) {
  for (const Node& node : graph.nodes) {
    hash.add(static_cast<std::int64_t>(node.op));
    add_type(hash, node.type);
    for (NodeId operand : node.operands) hash.add(static_cast<std::int64_t>(operand.index));
    add_attributes(hash, node.attributes);
  }
  for (const Output& output : graph.outputs) {
    hash.add(output.name).add(static_cast<std::int64_t>(output.node.index));
  }
}

void add_source(Hash& hash, const Source& source) {
  hash.add(source.function);
  for (const auto& [name, value] : source.arguments) {
    hash.add(name).add(static_cast<std::int64_t>(value.index()));
    if (const auto* number = std::get_if<double>(&value)) hash.add(*number);
    if (const auto* text = std::get_if<std::string>(&value)) hash.add(*text);
    if (const auto* truth = std::get_if<bool>(&value)) hash.add(std::int64_t{*truth});
    if (const auto* list = std::get_if<std::vector<double>>(&value)) {
      for (double number : *list) hash.add(number);
    }
  }
  for (const FieldInfo& field : source.fields) {
    hash.add(field.name).add(static_cast<std::int64_t>(field.kind)).add(field.classes);
    add_numbers(hash, field.shape);
  }
}

}  // namespace

std::string model_hash(const Compilation& compilation, const CompileOptions& options) {
  Hash hash;
  const Model& model = compilation.model;
  hash.add(std::int64_t{options.f64}).add(std::int64_t{options.optimize});
  for (const Variable& variable : model.variables) {
    hash.add(variable.name).add(static_cast<std::int64_t>(variable.kind)).add(variable.from);
    add_type(hash, variable.type);
  }
  for (const Source& source : model.sources) add_source(hash, source);
  for (const Train& train : model.trains) hash.add(train.name).add(train.batch).add(train.seed);
  for (const CompiledProgram& program : compilation.programs) {
    if (program.kind != ProgramKind::init && program.kind != ProgramKind::train) continue;
    add_graph(hash, program.graph);
    hash.add(static_cast<std::int64_t>(precision_of(model, program, options)));
  }
  return hash.hex();
}

}  // namespace ganc
