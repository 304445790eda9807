#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/elaborate/elaborator.h"
#include "compiler/parse/parse.h"

namespace ganc::elab {
namespace {

constexpr std::size_t most_files = 64;
constexpr std::int64_t most_declarations = 100'000;

struct Declare {
  Elaborator& e;
  const ast::Ast& ast;
  const ast::Decl& decl;
  const std::shared_ptr<Scope>& scope;
  bool prelude;

  void add(const ast::Name& name, decltype(Binding::what) what) const {
    Binding binding;
    binding.what = std::move(what);
    binding.span = name.span;
    e.add_name(scope, name, std::move(binding));
  }
  void function(const ast::Name& name, const std::vector<ast::Parameter>& parameters,
                ast::TypeId result, ast::BlockId body, bool layer) const {
    Function f{name.text, &ast, &parameters, result, body, scope, layer, prelude};
    f.span = decl.span;
    add(name, Value(std::make_shared<const Function>(std::move(f))));
  }

  void operator()(const ast::Invalid&) const {}
  void operator()(const ast::Use& n) const { e.use_file(n, decl.span); }
  void operator()(const ast::Const& n) const {
    ConstantName constant{&ast, n.value, scope};
    constant.prelude = prelude;
    add(n.name, std::make_shared<ConstantName>(std::move(constant)));
  }
  void operator()(const ast::Data& n) const {
    auto source = std::make_shared<DataSource>(DataSource{&ast, &n, scope, decl.span});
    e.data_sources_.push_back(source);
    for (std::size_t i = 0; i < n.fields.size(); ++i)
      add(n.fields[i].name, Binding::DataField{source, i});
  }
  void operator()(const ast::Noise& n) const {
    add(n.name, std::make_shared<NoiseName>(NoiseName{&ast, &n, scope, decl.span}));
  }
  void operator()(const ast::State& n) const {
    add(n.init.name, std::make_shared<FileState>(FileState{&ast, &n.init, scope, decl.span}));
  }
  void operator()(const ast::Fn& n) const {
    function(n.name, n.parameters, n.result, n.body, false);
  }
  void operator()(const ast::Layer& n) const {
    function(n.name, n.parameters, n.result, n.body, true);
  }
  void operator()(const ast::Net& n) const { e.declare_net(ast, n, decl.span, scope); }
  void operator()(const ast::Optimizer& n) const {
    auto t = std::make_shared<OptimizerTemplate>(OptimizerTemplate{&ast, &n, scope});
    add(n.name, Value(std::move(t)));
  }
  void operator()(const ast::Train& n) const {
    Elaborator::TrainJob job{&ast, &n, scope, {}, decl.span, {}};
    Frame frame = e.file_frame(ast, scope);
    if (!n.path.name.text.empty()) job.name = e.indexed_name(frame, n.path);
    for (const Elaborator::TrainJob& other : e.trains) {
      if (other.name == job.name) {
        e.fail(e.diagnostics.report(Kind::defined_twice, decl.span, "train " + job.name)
                   .label(other.span, "the first is here")
                   .note("several train blocks run in order; name them"));
      }
    }
    e.trains.push_back(std::move(job));
  }
  void operator()(const ast::Output&) const { e.outputs_.push_back({&ast, &decl, scope}); }
  void operator()(const ast::Metric&) const { e.metrics_.push_back({&ast, &decl, scope}); }
  void operator()(const ast::ForDecl&) const {}
  void operator()(const ast::IfDecl&) const {}
};

}  // namespace

void Elaborator::add_name(const std::shared_ptr<Scope>& scope, const ast::Name& name,
                          Binding binding) {
  // Names of a declaration inside a loop are the file's: an index tells them apart.
  Scope* target = scope.get();
  while (target != prelude_scope.get() && target != file_scope.get()) target = target->parent.get();
  if (const auto it = target->names.find(name.text); it != target->names.end()) {
    diagnostics.report(Kind::defined_twice, name.span, name.text)
        .label(it->second.span, "the first is here");
    return;
  }
  target->names.emplace(name.text, std::move(binding));
}

Frame Elaborator::file_frame(const ast::Ast& ast, const std::shared_ptr<Scope>& scope) {
  Frame frame;
  frame.ast = &ast;
  frame.scope = inner_scope(scope, true);
  frame.count = work ? work->count : -1;
  return frame;
}

std::string Elaborator::indexed_name(Frame& frame, const ast::Path& path) {
  return path_component(frame, path);
}

void Elaborator::declare_one(const ast::Ast& ast, const ast::Decl& decl,
                             const std::shared_ptr<Scope>& scope, bool prelude) {
  try {
    std::visit(Declare{*this, ast, decl, scope, prelude}, decl.node);
  } catch (const Failed&) {
    // The next declaration may be right.
  }
}

// Everything but `for` and `if` first: their lists and conditions may use any name of the file.
void Elaborator::declare(const ast::Ast& ast, const std::vector<ast::DeclId>& ids,
                         const std::shared_ptr<Scope>& scope, bool prelude) {
  Frame frame = file_frame(ast, scope);
  const auto late = [&](const ast::Decl& d) {
    const auto* net = std::get_if<ast::Net>(&d.node);
    return (net && net->alias) || std::holds_alternative<ast::ForDecl>(d.node) ||
           std::holds_alternative<ast::IfDecl>(d.node) ||
           std::holds_alternative<ast::Train>(d.node) ||
           std::holds_alternative<ast::Output>(d.node) ||
           std::holds_alternative<ast::Metric>(d.node);
  };
  for (const ast::DeclId id : ids) {
    if (!late(ast[id])) declare_one(ast, ast[id], scope, prelude);
  }
  if (!prelude && scope == file_scope) apply_settings();
  for (const ast::DeclId id : ids) {
    if (!late(ast[id])) continue;
    try {
      charge(frame, ast[id].span);
      declare_control(ast, ast[id], scope);
    } catch (const Failed&) {
      if (diagnostics.full()) return;
    }
  }
}

void Elaborator::declare_control(const ast::Ast& ast, const ast::Decl& decl,
                                 const std::shared_ptr<Scope>& scope) {
  Frame frame = file_frame(ast, scope);
  if (const auto* loop = std::get_if<ast::ForDecl>(&decl.node)) {
    const std::vector<Value> values =
        loop_values(frame, eval(frame, loop->list), ast[loop->list].span);
    for (const Value& value : values) {
      charge(frame, decl.span, 10);
      if (steps_ > most_declarations * 1000) return;
      auto inner = inner_scope(scope, true);
      Binding binding;
      binding.what = value;
      binding.span = loop->variable.span;
      inner->names.emplace(loop->variable.text, std::move(binding));
      declare(ast, loop->body, inner, false);
    }
  } else if (const auto* choice = std::get_if<ast::IfDecl>(&decl.node)) {
    const bool taken =
        static_condition(frame, eval(frame, choice->condition), ast[choice->condition].span);
    declare(ast, taken ? choice->then : choice->otherwise, inner_scope(scope, true), false);
  } else {
    declare_one(ast, decl, scope, false);
  }
}

void Elaborator::declare_net(const ast::Ast& ast, const ast::Net& node, Span span,
                             const std::shared_ptr<Scope>& scope) {
  auto net = std::make_shared<NetInstance>();
  Frame frame = file_frame(ast, scope);
  net->name = indexed_name(frame, node.path);
  net->ast = &ast;
  net->declaration = &node;
  net->scope = scope;
  net->from = node.from;
  net->span = span;
  if (node.alias) {
    const auto* call = std::get_if<ast::Call>(&ast[node.alias].node);
    const bool copies =
        call && callee_text(ast, call->callee) == "copy" && call->arguments.size() == 1;
    const Value original = copies ? eval(frame, call->arguments[0].value) : Value(None{});
    if (!original.is<NetValue>()) {
      error(frame, Kind::wrong_value, ast[node.alias].span, "net", "`copy(..)` of a net",
            text(ast[node.alias].span));
    }
    net->copied = original.get<NetValue>()->net;
  }
  if (nets.contains(net->name)) error(frame, Kind::defined_twice, node.path.span, net->name);
  nets[net->name] = net;
  net_order.push_back(net);
  if (node.path.indices.empty()) {
    Binding binding;
    binding.what = Value(NetValue{net, nullptr});
    binding.span = node.path.name.span;
    add_name(scope, node.path.name, std::move(binding));
    return;
  }
  // "D[]" says that `D` has members.
  for (std::size_t at = net->name.rfind('['); at != std::string::npos && at > 0;
       at = net->name.rfind('[', at - 1)) {
    nets.emplace(net->name.substr(0, at) + "[]", nullptr);
  }
}

const ast::Ast& Elaborator::parse_file(std::uint32_t file) {
  const std::size_t errors = diagnostics.error_count();
  asts.push_back(parse(sources_, file, diagnostics));
  if (diagnostics.error_count() > errors || diagnostics.full()) {
    syntax_error = true;
    throw Failed{};
  }
  return asts.back();
}

void Elaborator::use_file(const ast::Use& use, Span span) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(sources_.name(span.file)).parent_path();
  const fs::path path = (folder / use.file).lexically_normal();
  if (!used_files.insert(path.string()).second) return;
  if (used_files.size() > most_files) {
    fail(diagnostics.report(Kind::unreadable_file, use.file_span, use.file,
                            "a program uses too many files"));
  }
  std::error_code wrong;
  const bool regular = fs::is_regular_file(path, wrong);
  std::ifstream in(path, std::ios::binary);
  if (!regular || !in) {
    const char* why =
        wrong || !fs::exists(path, wrong) ? "there is no such file" : "it is no readable file";
    fail(diagnostics.report(Kind::unreadable_file, use.file_span, use.file, why)
             .note(fmt::format("looked for `{}`", path.string())));
  }
  constexpr std::size_t most_bytes = 2 << 20;  // parse refuses what is larger than one of them
  std::string content(most_bytes + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  const std::uint32_t file = sources_.add(path.string(), std::move(content));
  model.files.push_back(path.string());
  const ast::Ast& ast = parse_file(file);
  declare(ast, ast.roots, file_scope, false);
}

// `--set NAME=VALUE`: the value is an expression of the language, in place of the file's.
void Elaborator::apply_settings() {
  for (const auto& [name, value] : options.set) {
    if (settings_used.contains(name)) continue;
    const auto it = file_scope->names.find(name);
    if (it == file_scope->names.end()) continue;
    auto* constant = std::get_if<std::shared_ptr<ConstantName>>(&it->second.what);
    if (!constant) continue;
    settings_used.insert(name);
    const std::uint32_t file =
        sources_.add("--set " + name, "const " + name + " = " + value + "\n");
    const ast::Ast& ast = parse_file(file);
    const auto* node =
        ast.roots.size() == 1 ? std::get_if<ast::Const>(&ast[ast.roots[0]].node) : nullptr;
    if (!node) {
      diagnostics.report(Kind::wrong_setting, it->second.span, name, value);
      continue;
    }
    **constant = ConstantName{&ast, node->value, file_scope};
  }
}

}  // namespace ganc::elab
