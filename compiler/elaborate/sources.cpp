#include <algorithm>
#include <array>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// What the trainer can read today; the others are known to `check`.
constexpr std::array readable = {"digits", "ring", "grid", "swissroll", "mnist", "images", "npy"};

bool is_readable(std::string_view source) {
  return std::find(readable.begin(), readable.end(), source) != readable.end();
}

std::optional<SourceArgument> source_argument(const Value& value) {
  if (const bool* b = value.get<bool>()) return *b;
  if (const auto n = value.number()) return *n;
  if (const auto* s = value.get<std::string>()) return *s;
  if (const List* list = value.list()) {
    std::vector<double> numbers;
    for (const Value& v : *list) {
      if (!v.number()) return std::nullopt;
      numbers.push_back(*v.number());
    }
    return numbers;
  }
  return std::nullopt;
}

}  // namespace

void Elaborator::resolve_source(DataSource& source) {
  if (source.resolved) return;
  if (source.failed) throw Failed{};
  source.failed = true;  // until the end is reached
  Frame frame = file_frame(*source.ast, source.scope);
  const ast::Data& declaration = *source.declaration;
  Source made;
  made.span = source.span;
  for (const ast::Field& field : declaration.fields) {
    const TypeSpec type = eval_type(frame, field.type);
    FieldInfo info;
    info.name = field.name.text;
    info.kind = type.kind == ElementKind::real     ? FieldInfo::Kind::real
                : type.kind == ElementKind::class_ ? FieldInfo::Kind::class_
                                                   : FieldInfo::Kind::integer;
    info.shape = type.shape;
    info.classes = type.classes;
    info.span = field.name.span;
    made.fields.push_back(std::move(info));
  }
  const Span at = (*source.ast)[declaration.source].span;
  const Value value = eval(frame, declaration.source);
  const auto* special = value.get<std::shared_ptr<const Special>>();
  if (!special || !is_source((*special)->function)) {
    error(frame, Kind::wrong_value, at, "from", "a data source, such as `digits()`",
          describe(value));
  }
  made.function = (*special)->function;
  for (const auto& [name, argument] : (*special)->arguments) {
    if (argument.is<None>()) continue;
    if (auto fitted = source_argument(argument)) {
      made.arguments[name] = std::move(*fitted);
    } else if (is_readable(made.function)) {
      error(frame, Kind::wrong_value, at, "`" + name + "` of a source",
            "a number, a text or a list of numbers", describe(argument));
    }
  }
  if (!is_readable(made.function)) {
    model.missing.push_back(fmt::format("the source `{}` cannot be read yet", made.function));
  }
  source.source = static_cast<std::uint32_t>(model.sources.size());
  model.sources.push_back(std::move(made));
  source.resolved = true;
  source.failed = false;
}

const FieldInfo& Elaborator::field_info(const Binding::DataField& field) const {
  return model.sources[field.source->source].fields[field.field];
}

// A batch of a field: that of the repetition, or the one that a `let` of the block holds. A row is
// one draw, so holding one field holds all.
Value Elaborator::read_data(Frame&, const Binding::DataField& field, std::string_view name, Span) {
  resolve_source(*field.source);
  const FieldInfo& info = field_info(field);
  const HeldBlock* holder = nullptr;
  for (const HeldBlock* block : work->held) {
    for (const ast::Field& f : field.source->declaration->fields) {
      if (!holder && block->why.contains(f.name.text)) holder = block;
    }
  }
  const std::string label = holder ? holder->data_label : unit->data_label;
  const std::int64_t index = holder ? holder->batch_index : unit->batch_index;
  Tensor t;
  t.shape = info.shape;
  t.count = work->count;
  t.classes = info.classes;
  t.kind = info.kind == FieldInfo::Kind::real     ? ElementKind::real
           : info.kind == FieldInfo::Kind::class_ ? ElementKind::class_
                                                  : ElementKind::integer;
  t.lazy = std::make_shared<Lazy>();
  Shape full = info.shape;
  full.insert(full.begin(), work->count);
  const Type type{t.kind == ElementKind::real ? real() : DType::i32, full};
  const std::string input =
      label.empty() ? "data/" + std::string(name) : "data/" + label + "/" + std::string(name);
  t.lazy->make = [this, type, input, index, source = field.source->source] {
    std::int64_t& batches = work->batches[source];
    batches = std::max(batches, index + 1);
    return b().input(input, type);
  };
  return t;
}

}  // namespace ganc::elab
