#include "compiler/elaborate/value.h"

#include <cmath>

#include <fmt/core.h>

#include <algorithm>

#include "compiler/elaborate/natives.h"
#include "compiler/elaborate/scope.h"

namespace ganc::elab {

const List* Value::list() const {
  const auto* p = get<std::shared_ptr<const List>>();
  return p ? p->get() : nullptr;
}

const Record* Value::record() const {
  const auto* p = get<std::shared_ptr<const Record>>();
  return p ? p->get() : nullptr;
}

const Function* Value::function() const {
  const auto* p = get<std::shared_ptr<const Function>>();
  return p ? p->get() : nullptr;
}

std::optional<double> Value::number() const {
  if (const double* x = get<double>()) return *x;
  if (const bool* b = get<bool>()) return *b ? 1.0 : 0.0;
  return std::nullopt;
}

const Value* Record::find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return &value;
  }
  return nullptr;
}

namespace {

thread_local KeptValues* kept_now = nullptr;

// Lists and records are made here alone, with their depth.
struct NestedList : List {
  int depth = 1;
};
struct NestedRecord : Record {
  int depth = 1;
};

}  // namespace

KeptValues::KeptValues() : outer_(std::exchange(kept_now, this)) {}

// What is made later refers to what was made before, but for a scope, which is emptied first.
KeptValues::~KeptValues() {
  kept_now = outer_;
  std::vector<std::map<std::string, Binding, std::less<>>> names;
  for (const auto& scope : scopes_) names.push_back(std::exchange(scope->names, {}));
  names.clear();
  while (!lists_.empty()) lists_.pop_back();
  while (!records_.empty()) records_.pop_back();
  while (!scopes_.empty()) scopes_.pop_back();
}

void KeptValues::keep(std::shared_ptr<const List> list) {
  if (kept_now) kept_now->lists_.push_back(std::move(list));
}
void KeptValues::keep(std::shared_ptr<const Record> record) {
  if (kept_now) kept_now->records_.push_back(std::move(record));
}
void KeptValues::keep(std::shared_ptr<Scope> scope) {
  if (kept_now) kept_now->scopes_.push_back(std::move(scope));
}

std::int64_t samples_in(const Value& value) {
  if (const Tensor* t = value.tensor()) return t->count;
  std::int64_t count = -1;
  if (const List* list = value.list()) {
    for (const Value& v : *list) count = std::max(count, samples_in(v));
  } else if (const Record* record = value.record()) {
    for (const auto& [name, v] : record->fields) count = std::max(count, samples_in(v));
  }
  return count;
}

int nesting(const Value& value) {
  if (const List* list = value.list()) return static_cast<const NestedList*>(list)->depth;
  if (const Record* record = value.record()) return static_cast<const NestedRecord*>(record)->depth;
  return 0;
}

Value make_list(List elements) {
  auto list = std::make_shared<NestedList>();
  static_cast<List&>(*list) = std::move(elements);
  for (const Value& v : *list) list->depth = std::max(list->depth, nesting(v) + 1);
  KeptValues::keep(std::shared_ptr<const List>(list));
  return std::shared_ptr<const List>(std::move(list));
}

Value make_list(const Shape& shape) {
  List list;
  for (const std::int64_t n : shape) list.emplace_back(static_cast<double>(n));
  return make_list(std::move(list));
}

Value make_record(std::vector<std::pair<std::string, Value>> fields) {
  auto record = std::make_shared<NestedRecord>();
  record->fields = std::move(fields);
  for (const auto& [name, v] : record->fields)
    record->depth = std::max(record->depth, nesting(v) + 1);
  KeptValues::keep(std::shared_ptr<const Record>(record));
  return std::shared_ptr<const Record>(std::move(record));
}

std::string print_number(double x) {
  return fmt::format("{}", x == 0 ? 0.0 : x);
}

std::string print(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += fmt::format("{}{}", i ? ", " : "", shape[i]);
  }
  return text + "]";
}

std::string describe(const Tensor& tensor) {
  if (tensor.kind == ElementKind::real) return print(tensor.shape);
  const std::string element =
      tensor.kind == ElementKind::integer ? "int" : fmt::format("class[{}]", tensor.classes);
  return tensor.shape.empty() ? element : fmt::format("{} of {}", print(tensor.shape), element);
}

namespace {

struct Describe {
  std::string operator()(const Unknown&) const { return "an unknown value"; }
  std::string operator()(const None&) const { return "none"; }
  std::string operator()(double x) const { return "the number " + print_number(x); }
  std::string operator()(bool b) const { return b ? "true" : "false"; }
  std::string operator()(const std::string& s) const { return fmt::format("the text \"{}\"", s); }
  std::string operator()(const std::shared_ptr<const List>& list) const {
    constexpr std::size_t most_printed = 4;
    std::string text;
    for (const Value& v : *list) {
      if (!v.number() || list->size() > most_printed)
        return fmt::format("a list of {}", list->size());
      text += (text.empty() ? "" : ", ") + print_number(*v.number());
    }
    return "the list [" + text + "]";
  }
  std::string operator()(const std::shared_ptr<const Record>& record) const {
    std::string text = "a record (";
    for (std::size_t i = 0; i < record->fields.size(); ++i) {
      text += (i ? ", " : "") + record->fields[i].first;
    }
    return text + ")";
  }
  std::string operator()(const Tensor& t) const {
    return t.number ? "a number that is known at run time" : describe(t);
  }
  std::string operator()(const std::shared_ptr<const Function>& f) const {
    return f->layer ? fmt::format("the layer `{}`", f->name)
                    : fmt::format("the function `{}`", f->name);
  }
  std::string operator()(const NativeFunction* f) const {
    return fmt::format("the function `{}`", f->name);
  }
  std::string operator()(const NetValue&) const { return "a net"; }
  std::string operator()(const NetFamily& f) const { return fmt::format("the nets `{}`", f.name); }
  std::string operator()(const std::shared_ptr<OptimizerTemplate>& o) const {
    return fmt::format("the optimizer `{}` without arguments", o->declaration->name.text);
  }
  std::string operator()(const std::shared_ptr<OptimizerInstance>&) const { return "an optimizer"; }
  std::string operator()(const std::shared_ptr<const Distribution>& d) const {
    return "the distribution " + d->text;
  }
  std::string operator()(const std::shared_ptr<const Special>& s) const {
    return fmt::format("`{}(..)`", s->function);
  }
  std::string operator()(DType) const { return "a type of numbers"; }
};

}  // namespace

std::string describe(const Value& value) {
  return std::visit(Describe{}, value.v);
}

}  // namespace ganc::elab
