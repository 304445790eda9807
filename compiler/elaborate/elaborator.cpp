#include "compiler/elaborate/elaborator.h"

#include <filesystem>

#include "compiler/parse/parse.h"
#include "compiler/prelude/prelude.h"

namespace ganc::elab {

Elaborator::Elaborator(Sources& sources, Diagnostics& found, const ElaborateOptions& given,
                       Model& made)
    : sources_(sources), diagnostics(found), options(given), model(made) {}

void Elaborator::load_prelude() {
  prelude_scope = inner_scope(nullptr, false);
  for (const NativeFunction& native : all_natives()) {
    Binding binding;
    binding.what = Value(&native);
    prelude_scope->names.emplace(native.name, std::move(binding));
  }
  const auto constant = [&](const char* name, Value value) {
    Binding binding;
    binding.what = std::move(value);
    prelude_scope->names.emplace(name, std::move(binding));
  };
  constant("none", None{});
  constant("f32", DType::f32);
  constant("f64", DType::f64);
  constant("bf16", DType::bf16);
  for (const PreludeFile& file : prelude_files_embedded()) {
    const std::uint32_t id =
        sources_.add("prelude/" + std::string(file.name), std::string(file.text));
    prelude_files.insert(id);
    asts.push_back(parse(sources_, id, diagnostics));
    declare(asts.back(), asts.back().roots, prelude_scope, true);
  }
}

// What is declared, then every program: train blocks, outputs, metrics, forward passes, gradients,
// initial values.
void Elaborator::run(std::uint32_t file) {
  const char here = 0;
  stack_base = &here;
  init_work = std::make_unique<Work>("init");
  load_prelude();
  file_scope = inner_scope(prelude_scope, false);
  model.name = std::filesystem::path(sources_.name(file)).stem().string();
  model.files.push_back(sources_.name(file));
  used_files.insert(std::filesystem::path(sources_.name(file)).lexically_normal().string());
  try {
    const ast::Ast& ast = parse_file(file);
    declare(ast, ast.roots, file_scope, false);
  } catch (const Failed&) {
    // Reported.
  }
  if (syntax_error) return;
  for (const auto& [name, value] : options.set) {
    if (!settings_used.contains(name))
      diagnostics.report(Kind::unknown_setting, Span{file, 0, 0}, name);
  }
  const auto each = [&](const auto& step) {
    if (diagnostics.full()) return;
    try {
      step();
    } catch (const Failed&) {
      // Reported; the next program may be right.
    }
    work = nullptr;
    unit = block_unit = nullptr;
    job = nullptr;
    train = nullptr;
    only_update.clear();
    only_done = false;
    repetition = -1;
    current_let.clear();
  };
  for (TrainJob& t : trains) each([&] { elaborate_train(t); });
  for (const Later& o : outputs_) {
    each([&] {
      elaborate_output(*o.ast, std::get<ast::Output>(o.decl->node), o.decl->span, o.scope);
    });
  }
  for (const Later& m : metrics_) {
    each([&] {
      elaborate_metric(*m.ast, std::get<ast::Metric>(m.decl->node), m.decl->span, m.scope);
    });
  }
  for (const auto& source : data_sources_) {  // one that nothing reads may be wrong too
    if (!source->resolved && !source->failed) each([&] { read_source(*source); });
  }
  check_unread_constants();
  if (!diagnostics.has_error()) {
    check_unused();
    check_untrained();
  }
  if (!diagnostics.has_error()) {
    for (const auto& net : net_order) each([&] { elaborate_forward(net); });
    for (std::size_t i = 0; i < model.trains.size(); ++i) {
      each([&] { elaborate_gradients(trains[i], model.trains[i]); });
    }
  }
  finish_nets();
  finish_init();
}

}  // namespace ganc::elab

namespace ganc {

Model elaborate(Sources& sources, std::uint32_t file, const ElaborateOptions& options,
                Diagnostics& diagnostics) {
  Model model;
  const elab::KeptValues kept;
  elab::Elaborator elaborator(sources, diagnostics, options, model);
  elaborator.run(file);
  return model;
}

}  // namespace ganc
