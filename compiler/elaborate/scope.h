#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/elaborate/value.h"

namespace ganc::elab {

// A `const`: the expression, and its value where that is static.
struct ConstantName {
  const ast::Ast* ast;
  ast::ExprId expr;
  std::shared_ptr<Scope> scope;
  bool prelude = false;
  bool evaluating = false;
  bool read = false;
  bool known = false;
  Value value;  // where known
};

// One `data` declaration.
struct DataSource {
  const ast::Ast* ast;
  const ast::Data* declaration;
  std::shared_ptr<Scope> scope;
  Span span;
  bool resolved = false;
  bool failed = false;
  std::uint32_t source = 0;  // into Model::sources, when resolved
};

// A `noise` of the file or of a train block: drawn when read.
struct NoiseName {
  const ast::Ast* ast;
  const ast::Noise* declaration;
  std::shared_ptr<Scope> scope;
  Span span;
};

// A `state` of the file, a train block or a body: read through its variable.
struct StateName {
  std::string variable;
};
// `state p: [] = 0` of the file, not yet read.
struct FileState {
  const ast::Ast* ast;
  const ast::Initialized* declaration;
  std::shared_ptr<Scope> scope;
  Span span;
};

struct Binding {
  struct DataField {
    std::shared_ptr<DataSource> source;
    std::size_t field;
  };
  std::variant<Value, std::shared_ptr<ConstantName>, DataField, std::shared_ptr<NoiseName>,
               StateName, std::shared_ptr<FileState>>
      what;
  Span span;
  bool rebindable = false;  // `var`
  bool dimension = false;   // bound by a parameter's shape: the body may hide it
  bool* used = nullptr;     // set when read; owned by the elaborator
};

struct Scope {
  std::shared_ptr<Scope> parent;
  bool body = false;  // the outermost scope of a body: names below may be hidden
  std::map<std::string, Binding, std::less<>> names;

  Binding* find(std::string_view name) {
    for (Scope* s = this; s; s = s->parent.get()) {
      if (auto it = s->names.find(name); it != s->names.end()) return &it->second;
    }
    return nullptr;
  }
  // In this body only.
  Binding* find_in_body(std::string_view name) {
    for (Scope* s = this; s; s = s->parent.get()) {
      if (auto it = s->names.find(name); it != s->names.end()) return &it->second;
      if (s->body) return nullptr;
    }
    return nullptr;
  }
};

std::shared_ptr<Scope> inner_scope(std::shared_ptr<Scope> parent, bool body);

}  // namespace ganc::elab
