#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/elaborate/model.h"
#include "compiler/parse/ast.h"

namespace ganc::elab {

// What an expression of the language evaluates to. Static values hold no node and may be kept
// across programs; whatever holds a node belongs to the graph that is being built.

enum class ElementKind { real, integer, class_ };

// A tensor that is only made when somebody reads its value: weights, data and noise.
struct Lazy {
  std::function<NodeId()> make;
  NodeId node;
};

// The batch, where there is one, is axis 0 of the node's shape; `shape` is that of one sample.
struct Tensor {
  NodeId node;
  std::shared_ptr<Lazy> lazy;  // where `node` is none
  Shape shape;
  std::int64_t count = -1;  // samples; -1: not batched
  ElementKind kind = ElementKind::real;
  std::int64_t classes = 0;  // kind class_
  bool number =
      false;  // an f64 scalar that depends on no tensor: step, schedules, states of type []

  bool batched() const { return count >= 0; }
};

struct Value;
using List = std::vector<Value>;
struct Record;
struct Scope;
struct Sites;
struct NetInstance;
struct Overlay;
struct NativeFunction;

struct Unknown {};  // the value of what was wrong: whatever uses it stays silent
struct None {};

// A `fn`, a nameless one, or a `layer`, with the scope in which it was written.
struct Function {
  std::string name;
  const ast::Ast* ast = nullptr;
  const std::vector<ast::Parameter>* parameters = nullptr;
  ast::TypeId result;
  ast::BlockId body;
  std::shared_ptr<Scope> scope;
  bool layer = false;
  bool prelude = false;
  bool sees_draws = false;  // written inside a train block, an output or a metric
  Span span;
};

// A net, and the values that `descend` put in place of its variables.
struct NetValue {
  std::shared_ptr<NetInstance> net;
  std::shared_ptr<Overlay> overlay;  // null: the saved ones
};
// `D` where the file declares `net D[i]`; the steps so far of an index `D[1]`.
struct NetFamily {
  std::string name;
};

struct OptimizerTemplate {
  const ast::Ast* ast = nullptr;
  const ast::Optimizer* declaration = nullptr;
  std::shared_ptr<Scope> scope;
};
// `adam(lr = 1e-4)`: the declaration and its arguments. Whose state it uses is said by who calls
// it.
struct OptimizerInstance {
  std::shared_ptr<OptimizerTemplate> declaration;
  std::shared_ptr<Scope> arguments;
  std::string owner;  // the const that names it; empty: the statement's own
};

struct Distribution {
  enum class Kind { normal, uniform, bernoulli, categorical, truncated_normal } kind;
  std::vector<Value> arguments;
  std::string text;
};

// A call whose meaning is its place: a data source, an output's form, a metric.
struct Special {
  std::string function;
  std::map<std::string, Value> arguments;
};

struct Value {
  std::variant<Unknown, None, double, bool, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Record>, Tensor, std::shared_ptr<const Function>,
               const NativeFunction*, NetValue, NetFamily, std::shared_ptr<OptimizerTemplate>,
               std::shared_ptr<OptimizerInstance>, std::shared_ptr<const Distribution>,
               std::shared_ptr<const Special>, DType>
      v;

  Value() = default;
  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Value>)
  Value(T&& x) : v(std::forward<T>(x)) {}  // NOLINT(google-explicit-constructor)

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(v);
  }
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&v);
  }
  const List* list() const;
  const Record* record() const;
  const Function* function() const;
  const Tensor* tensor() const { return get<Tensor>(); }
  // A static number; a boolean is 1 or 0.
  std::optional<double> number() const;
};

struct Record {
  std::vector<std::pair<std::string, Value>> fields;
  const Value* find(std::string_view name) const;
};

// Keeps every list, record and scope until it goes: their references may be deep or go round in a
// circle, so they are let go one by one, never through one another. One at a time in a thread.
class KeptValues {
 public:
  KeptValues();
  ~KeptValues();
  KeptValues(const KeptValues&) = delete;
  KeptValues& operator=(const KeptValues&) = delete;
  static void keep(std::shared_ptr<const List> list);
  static void keep(std::shared_ptr<const Record> record);
  static void keep(std::shared_ptr<Scope> scope);

 private:
  std::vector<std::shared_ptr<const List>> lists_;
  std::vector<std::shared_ptr<const Record>> records_;
  std::vector<std::shared_ptr<Scope>> scopes_;
  KeptValues* outer_;
};

// The samples of the batched tensors in a value; -1: there are none.
std::int64_t samples_in(const Value& value);
// How deep lists and records stand in one another.
int nesting(const Value& value);

Value make_list(List elements);
Value make_list(const Shape& shape);
Value make_record(std::vector<std::pair<std::string, Value>> fields);

std::string print_number(double x);     // "8", "0.5"
std::string print(const Shape& shape);  // "[3, 64, 64]"
// What a message calls a value: "the number 3", "[64]", "a layer", "class[10]".
std::string describe(const Value& value);
std::string describe(const Tensor& tensor);

}  // namespace ganc::elab
