#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

const std::string* bare_name(const ast::Ast& ast, ast::ExprId id) {
  const auto* name = std::get_if<ast::NameUse>(&ast[id].node);
  return name ? &name->name : nullptr;
}

}  // namespace

// A name of a dimension that is a known number: of the body first, then of the file. Anything else
// is bound.
std::optional<double> Elaborator::known_number(Frame& frame, const std::string& name,
                                               bool* is_number) {
  *is_number = false;
  Binding* binding = frame.scope->find(name);
  if (!binding) return std::nullopt;
  const bool in_body = frame.scope->find_in_body(name) == binding;
  if (const auto* constant = std::get_if<std::shared_ptr<ConstantName>>(&binding->what)) {
    if ((*constant)->evaluating) return std::nullopt;
    const Value value = eval_constant(frame, **constant, name, binding->span);
    *is_number = value.number().has_value();
    return value.number();
  }
  if (const Value* value = std::get_if<Value>(&binding->what)) {
    if (binding->used) *binding->used = true;
    *is_number = value->number().has_value() || (in_body && value->tensor());
    if (in_body && value->is<Unknown>()) throw Failed{};
    return value->number();
  }
  return std::nullopt;
}

void Elaborator::match_dims(Frame& frame, const std::vector<ast::Dim>& dims, const Shape& shape,
                            std::string_view what, Span span, Span type_span) {
  std::size_t ellipsis = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].ellipsis) ellipsis = i;
  }
  const bool open = ellipsis < dims.size();
  const auto mismatch = [&] {
    fail(report_at(frame, Kind::wrong_shape, span, what, text(type_span), print(shape))
             .label(type_span, "declared here"));
  };
  if (open ? shape.size() + 1 < dims.size() : shape.size() != dims.size()) mismatch();
  const std::size_t skipped = shape.size() + 1 - dims.size();  // axes of the `...`
  std::vector<std::pair<ast::ExprId, std::int64_t>> later;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].ellipsis) continue;
    const std::int64_t length = shape[i < ellipsis ? i : i - 1 + skipped];
    const std::string* name = bare_name(*frame.ast, dims[i].size);
    bool is_number = false;
    if (name && !known_number(frame, *name, &is_number) && !is_number) {
      Binding binding;
      binding.what = Value(static_cast<double>(length));
      binding.dimension = true;
      binding.span = (*frame.ast)[dims[i].size].span;
      frame.scope->names.insert_or_assign(*name, std::move(binding));
    } else {
      later.emplace_back(dims[i].size, length);
    }
  }
  for (const auto& [expr, length] : later) {
    const Span at = (*frame.ast)[expr].span;
    if (whole(frame, eval(frame, expr), at, "a dimension") != length) mismatch();
  }
}

Value Elaborator::match_tensor(Frame& frame, ast::TypeId id, const Value& value,
                               std::string_view what, Span span) {
  const ast::Type& type = (*frame.ast)[id];
  const auto* tensor_type = std::get_if<ast::TensorType>(&type.node);
  const bool scalar = tensor_type && tensor_type->dims.empty();
  if (scalar && !type.of && value.number()) return value;
  Value result = value;
  if (type.of) {
    const ast::Type& element = (*frame.ast)[type.of];
    if (const auto* class_type = std::get_if<ast::ClassType>(&element.node)) {
      const Span at = (*frame.ast)[class_type->count].span;
      result =
          to_class(frame, value,
                   whole(frame, eval(frame, class_type->count), at, "the number of classes"), span);
    }
  }
  if (!result.tensor() && !result.number() && !result.list()) {
    error(frame, Kind::wrong_value, span, what, text(type.span), describe(result));
  }
  const Tensor t = to_tensor(frame, result, span, what);
  if (!type.of && t.kind == ElementKind::class_) {
    error(frame, Kind::wrong_value, span, what, text(type.span), describe(t));
  }
  if (tensor_type) {
    match_dims(frame, tensor_type->dims, t.shape, what, span, type.span);
  } else {
    const auto& expr = std::get<ast::ExprType>(type.node);
    const Shape expected = shape_of_list(frame, eval(frame, expr.expr), type.span, "a type");
    if (expected != t.shape) {
      fail(report_at(frame, Kind::wrong_shape, span, what, print(expected), print(t.shape))
               .label(type.span, "declared here"));
    }
  }
  return t;
}

Value Elaborator::match_type(Frame& frame, ast::TypeId id, const Value& value,
                             std::string_view what, Span span) {
  const ast::Type& type = (*frame.ast)[id];
  if (std::holds_alternative<ast::Invalid>(type.node)) throw Failed{};
  if (const auto* record_type = std::get_if<ast::RecordType>(&type.node)) {
    const Record* record = value.record();
    if (!record) error(frame, Kind::wrong_value, span, what, text(type.span), describe(value));
    std::vector<std::pair<std::string, Value>> fields;
    for (const ast::Field& field : record_type->fields) {
      const Value* v = record->find(field.name.text);
      if (!v) error(frame, Kind::no_member, span, describe(value), field.name.text);
      fields.emplace_back(field.name.text,
                          match_type(frame, field.type, *v,
                                     fmt::format("`{}` of {}", field.name.text, what), span));
    }
    return make_record(std::move(fields));
  }
  if (const auto* class_type = std::get_if<ast::ClassType>(&type.node)) {
    const Span at = (*frame.ast)[class_type->count].span;
    const Value count = eval(frame, class_type->count);
    const Value fitted =
        to_class(frame, value, whole(frame, count, at, "the number of classes"), span);
    if (!fitted.tensor()->shape.empty()) {
      error(frame, Kind::wrong_shape, span, what, text(type.span), describe(fitted));
    }
    return fitted;
  }
  if (std::holds_alternative<ast::IntType>(type.node)) {
    if (value.number()) {
      whole(frame, value, span, what);
      return value;
    }
    const Tensor* t = value.tensor();
    if (!t || t->kind != ElementKind::integer || !t->shape.empty()) {
      error(frame, Kind::wrong_value, span, what, "int", describe(value));
    }
    return value;
  }
  return match_tensor(frame, id, value, what, span);
}

TypeSpec Elaborator::eval_type(Frame& frame, ast::TypeId id) {
  const ast::Type& type = (*frame.ast)[id];
  TypeSpec spec;
  if (std::holds_alternative<ast::Invalid>(type.node)) throw Failed{};
  if (std::holds_alternative<ast::RecordType>(type.node)) {
    error(frame, Kind::wrong_value, type.span, "a declaration", "a tensor's type", "a record's");
  }
  if (const auto* class_type = std::get_if<ast::ClassType>(&type.node)) {
    spec.kind = ElementKind::class_;
    const Span at = (*frame.ast)[class_type->count].span;
    spec.classes = whole(frame, eval(frame, class_type->count), at, "the number of classes");
    if (spec.classes < 1 || spec.classes > (1 << 24)) {
      error(frame, Kind::wrong_value, at, "class", "1 to 16777216 classes", spec.classes);
    }
    return spec;
  }
  if (std::holds_alternative<ast::IntType>(type.node)) {
    spec.kind = ElementKind::integer;
    return spec;
  }
  if (const auto* tensor = std::get_if<ast::TensorType>(&type.node)) {
    spec.scalar_literal = tensor->dims.empty();
    for (const ast::Dim& dim : tensor->dims) {
      if (dim.ellipsis) error(frame, Kind::not_static, type.span, "every dimension");
      spec.shape.push_back(
          whole(frame, eval(frame, dim.size), (*frame.ast)[dim.size].span, "a dimension"));
    }
  } else {
    const auto& expr = std::get<ast::ExprType>(type.node);
    spec.shape = shape_of_list(frame, eval(frame, expr.expr), type.span, "a type");
  }
  check_elements(frame, type.span, spec.shape);
  if (std::find(spec.shape.begin(), spec.shape.end(), 0) != spec.shape.end()) {
    error(frame, Kind::wrong_value, type.span, "a declaration", "lengths of at least 1",
          print(spec.shape));
  }
  if (type.of) {
    const TypeSpec element = eval_type(frame, type.of);
    spec.kind = element.kind;
    spec.classes = element.classes;
    spec.scalar_literal = false;
  }
  return spec;
}

}  // namespace ganc::elab
