#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// What the trainer can read today; the others are known to `check`.
constexpr std::array readable = {"digits", "ring", "grid", "swissroll", "mnist", "images", "npy"};

bool is_readable(std::string_view source) {
  return std::find(readable.begin(), readable.end(), source) != readable.end();
}

// What each option of a source that the trainer reads must be: it accepts exactly these
// (runtime/data/source_options.h).
struct OptionRule {
  std::string_view name;
  enum class Kind : std::uint8_t { whole, number, truth, text, range, split } kind;
  double low = 0, high = 0;
};
constexpr std::array option_rules = {
    OptionRule{"samples", OptionRule::Kind::whole, 1, 1e9},
    OptionRule{"resize", OptionRule::Kind::whole, 0, 32768},
    OptionRule{"crop", OptionRule::Kind::whole, 0, 32768},
    OptionRule{"modes", OptionRule::Kind::whole, 1, 1e6},
    OptionRule{"side", OptionRule::Kind::whole, 1, 1000},
    OptionRule{"radius", OptionRule::Kind::number, 0, 1e6},
    OptionRule{"std", OptionRule::Kind::number, 0, 1e6},
    OptionRule{"flip", OptionRule::Kind::truth},
    OptionRule{"name", OptionRule::Kind::text},
    OptionRule{"range", OptionRule::Kind::range},
    OptionRule{"split", OptionRule::Kind::split},
};

bool fits(const OptionRule& rule, const SourceArgument& argument) {
  const auto* number = std::get_if<double>(&argument);
  const auto* text = std::get_if<std::string>(&argument);
  switch (rule.kind) {
    case OptionRule::Kind::whole:
      return number && *number == std::floor(*number) && *number >= rule.low &&
             *number <= rule.high;
    case OptionRule::Kind::number:
      return number && *number >= rule.low && *number <= rule.high;
    case OptionRule::Kind::truth:
      return std::holds_alternative<bool>(argument) || (number && (*number == 0 || *number == 1));
    case OptionRule::Kind::text:
      return text && text->find('\0') == std::string::npos;
    case OptionRule::Kind::range: {
      const auto* pair = std::get_if<std::vector<double>>(&argument);
      return pair && pair->size() == 2 && std::isfinite((*pair)[0]) && std::isfinite((*pair)[1]) &&
             (*pair)[0] < (*pair)[1];
    }
    case OptionRule::Kind::split:
      return text && (*text == "train" || *text == "test");
  }
  return false;
}

std::string wanted(const OptionRule& rule) {
  switch (rule.kind) {
    case OptionRule::Kind::whole:
      return fmt::format("a whole number from {} to {}", print_number(rule.low),
                         print_number(rule.high));
    case OptionRule::Kind::number:
      return fmt::format("a number from {} to {}", print_number(rule.low), print_number(rule.high));
    case OptionRule::Kind::truth:
      return "true or false";
    case OptionRule::Kind::text:
      return "a text in quotes";
    case OptionRule::Kind::range:
      return "two numbers, the lower first, such as [0, 1]";
    case OptionRule::Kind::split:
      return "\"train\" or \"test\"";
  }
  return "";
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

// A call of a source: the options of one that the trainer reads are checked where they stand.
Value source_call(Elaborator& e, Frame& frame, const Arguments& a) {
  Special made{a.function->name, {}};
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const std::string& name = a.function->parameters[i].name;
    made.arguments[name] = a[i];
    if (!a.given(i) || !is_readable(made.function)) continue;
    const auto* rule = std::ranges::find(option_rules, name, &OptionRule::name);
    const auto value = source_argument(a[i]);
    if (value && fits(*rule, *value)) continue;
    e.error(frame, Kind::wrong_value, a.spans[i], fmt::format("`{}` of `{}`", name, made.function),
            wanted(*rule), describe(a[i]));
  }
  return std::make_shared<const Special>(std::move(made));
}

namespace {

// The squares that digits can be drawn for, also as many elements in another shape.
bool holds_digits(const Shape& shape) {
  const auto side_fits = [](std::int64_t side) { return side >= 8 && side <= 256; };
  if (shape.size() == 3)
    return (shape[0] == 1 || shape[0] == 3) && shape[1] == shape[2] && side_fits(shape[1]);
  if (shape.size() == 2) return shape[0] == shape[1] && side_fits(shape[0]);
  const std::int64_t elements = element_count(shape);
  for (const std::int64_t channels : {1, 3}) {
    const auto side = std::llround(std::sqrt(static_cast<double>(elements / channels)));
    if (side * side * channels == elements) return side_fits(side);
  }
  return false;
}

// What an option that was given, or its default, is.
std::int64_t whole_option(const Source& source, const std::string& name, std::int64_t otherwise) {
  const auto it = source.arguments.find(name);
  const auto* number = it == source.arguments.end() ? nullptr : std::get_if<double>(&it->second);
  return number ? static_cast<std::int64_t>(*number) : otherwise;
}

// The classes that a drawn source has; 0: it says so itself, or has none.
std::int64_t classes_of(const Source& source) {
  if (source.function == "digits") return 10;
  if (source.function == "ring") return whole_option(source, "modes", 8);
  const std::int64_t side = whole_option(source, "side", 5);
  return source.function == "grid" ? side * side : 0;
}

// The height and width of a picture's field; {0, 0}: its shape does not say.
std::pair<std::int64_t, std::int64_t> sides_of(const Shape& shape) {
  if (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3)) return {shape[1], shape[2]};
  if (shape.size() == 2) return {shape[0], shape[1]};
  return {0, 0};
}

}  // namespace

// What the trainer would refuse whatever the files are (runtime/data/image_target.cpp, digits.cpp).
void Elaborator::check_source(Frame& frame, const DataSource& source, const Source& made) {
  const ast::Data& declaration = *source.declaration;
  const std::int64_t resize = whole_option(made, "resize", 0), crop = whole_option(made, "crop", 0);
  const std::int64_t classes = classes_of(made);
  for (std::size_t i = 0; i < made.fields.size(); ++i) {
    const FieldInfo& field = made.fields[i];
    const Span type = (*source.ast)[declaration.fields[i].type].span;
    const auto refuse = [&](const std::string& what, const std::string& wanted,
                            std::int64_t given) {
      fail(report_at(frame, Kind::wrong_value, (*source.ast)[declaration.source].span,
                     fmt::format("`{}` of `{}`", what, made.function), wanted, given)
               .label(type, fmt::format("`{}` is declared here", field.name)));
    };
    if (field.kind == FieldInfo::Kind::class_ && field.classes < classes) {
      error(frame, Kind::wrong_value, type, fmt::format("`{}`", made.function),
            fmt::format("class[{}] or more", classes), fmt::format("class[{}]", field.classes));
    }
    if (field.kind != FieldInfo::Kind::real) continue;
    if (made.function == "digits" && !holds_digits(field.shape)) {
      error(frame, Kind::wrong_value, type, "`digits`",
            "a square of 8x8 to 256x256 with 1 or 3 channels, such as [1, 28, 28]",
            print(field.shape));
    }
    const auto [height, width] = sides_of(field.shape);
    if (crop > 0 && resize > 0 && resize < crop)
      refuse("crop", fmt::format("at most its `resize`, {}", resize), crop);
    if (height == 0) continue;
    if (crop > 0 && (height != crop || width != crop))
      refuse("crop", fmt::format("the sides of {}", print(field.shape)), crop);
    if (crop == 0 && resize > 0 && std::min(height, width) != resize)
      refuse("resize", fmt::format("the shorter side of {}", print(field.shape)), resize);
  }
}

Source Elaborator::read_source(const DataSource& source) {
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
    if (auto fitted = source_argument(argument)) made.arguments[name] = std::move(*fitted);
  }
  check_source(frame, source, made);
  return made;
}

void Elaborator::resolve_source(DataSource& source) {
  if (source.resolved) return;
  if (source.failed) throw Failed{};
  source.failed = true;  // until the end is reached
  Source made = read_source(source);
  if (!is_readable(made.function)) {
    model.missing.push_back(
        fmt::format("{}the source `{}` cannot be read yet", line_of(made.span), made.function));
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
Value Elaborator::read_data(Frame& frame, const Binding::DataField& field, std::string_view name,
                            Span span) {
  resolve_source(*field.source);
  const FieldInfo& info = field_info(field);
  check_elements(frame, span, info.shape, work->count);
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
