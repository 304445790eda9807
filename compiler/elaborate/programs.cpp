#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

constexpr std::int64_t most_samples = 1 << 20;

// Puts a work and a unit in place for as long as one program is elaborated.
struct Working {
  Working(Elaborator& elaborator, Work& now) : e(elaborator) {
    e.work = &now;
    e.unit = &unit;
  }
  ~Working() {
    e.work = nullptr;
    e.unit = e.block_unit = nullptr;
    e.job = nullptr;
    e.train = nullptr;
  }
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;

  Elaborator& e;
  Unit unit;
};

}  // namespace

std::int64_t Elaborator::static_option(Frame& frame, const ast::TrainOption& option,
                                       std::string_view what) {
  const Span at = (*frame.ast)[option.value].span;
  return whole(frame, eval(frame, option.value), at, what);
}

// Which updates an objective's value comes from, for every draw.
void Elaborator::finish_draws(Work& finished, const std::vector<UpdateInfo>& updates) {
  work = &finished;
  for (const UpdateInfo& update : updates) {
    for (const Output& output : finished.graph.outputs) {
      if (output.name != "loss/" + update.name) continue;
      const std::vector<bool> read = cone({output.node}, false);
      for (const auto& [node, draw] : finished.draw_of_node) {
        if (node < read.size() && read[node]) finished.draws[draw].readers.push_back(update.name);
      }
    }
  }
  work = nullptr;
}

std::vector<SourceUse> Elaborator::source_uses(const Work& finished) const {
  std::vector<SourceUse> read;
  for (const auto& [source, batches] : finished.batches) read.push_back({source, batches});
  return read;
}

// How long, how many samples, which seed and precision.
void Elaborator::read_train_options(const TrainJob& now, Train& made) {
  const ast::Train& node = *now.declaration;
  Frame frame = file_frame(*now.ast, now.scope);
  const Span at = (*now.ast)[node.count].span;
  made.count = static_number(frame, eval(frame, node.count), at, "the length of the training");
  if (!(made.count >= 0) || (!made.epochs && made.count != std::floor(made.count))) {
    error(frame, Kind::wrong_value, at, "for", "a number of epochs or whole steps",
          print_number(made.count));
  }
  made.batch = options.batch.value_or(64);
  for (const ast::TrainOption& option : node.options) {
    const Span where = (*now.ast)[option.value].span;
    switch (option.kind) {
      case ast::TrainOption::Kind::batch:
        if (!options.batch) made.batch = static_option(frame, option, "the batch");
        if (made.batch < 1 || made.batch > most_samples) {
          error(frame, Kind::wrong_value, where, "batch", fmt::format("1 to {}", most_samples),
                made.batch);
        }
        break;
      case ast::TrainOption::Kind::seed:
        made.seed = static_option(frame, option, "the seed");
        break;
      case ast::TrainOption::Kind::precision: {
        const auto* name = std::get_if<ast::NameUse>(&(*now.ast)[option.value].node);
        made.precision = name ? name->name : text(where);
        if (made.precision != "exact" && made.precision != "fast" && made.precision != "bf16") {
          error(frame, Kind::wrong_value, where, "precision", "exact, fast or bf16",
                made.precision);
        }
        break;
      }
    }
  }
}

void Elaborator::elaborate_train(TrainJob& now) {
  const ast::Train& node = *now.declaration;
  Work own(now.name.empty() ? "train" : now.name);
  Train made;
  made.name = now.name;
  made.span = now.span;
  made.epochs = node.epochs;
  read_train_options(now, made);
  own.count = made.batch;
  {
    const Working working(*this, own);
    job = &now;
    train = &made;
    Frame body = program_frame(*now.ast, now.scope, &sites(*now.ast, node.body));
    body.training = true;
    body.path = now.name.empty() ? "train" : now.name;
    find_trained(body, node.body, now.trained);
    update_names.clear();
    run_body(body, node.body);
    for (const std::string& name : own.changed)
      b().output("variable/" + name, own.current.at(name));
  }
  finish_draws(own, made.updates);
  made.draws = std::move(own.draws);
  made.sources = source_uses(own);
  made.iteration = std::move(own.graph);
  model.trains.push_back(std::move(made));
}

Frame Elaborator::program_frame(const ast::Ast& ast, const std::shared_ptr<Scope>& scope,
                                const Sites* table) {
  Frame frame = file_frame(ast, scope);
  frame.sites = frame.draw_sites = table;
  frame.sees_draws = true;
  frame.count = work->count;
  return frame;
}

// One update with the saved values: the block's text again, all other updates left out.
void Elaborator::elaborate_gradients(TrainJob& now, const Train& made) {
  for (const UpdateInfo& update : made.updates) {
    const std::size_t repeat = update.name.rfind('#');
    if (repeat != std::string::npos && update.name.substr(repeat) != "#0") continue;
    Work own(update.name);
    own.count = made.batch;
    {
      const Working working(*this, own);
      job = &now;
      only_update = update.name;
      only_done = false;
      Frame body = program_frame(*now.ast, now.scope, &sites(*now.ast, now.declaration->body));
      body.training = true;
      body.path = now.name.empty() ? "train" : now.name;
      run_body(body, now.declaration->body);
      only_update.clear();
      only_done = false;
    }
    Program program;
    program.name = update.name;
    program.draws = std::move(own.draws);
    program.sources = source_uses(own);
    program.span = update.span;
    std::erase_if(own.graph.outputs, [](const Output& o) { return o.name.starts_with("ran/"); });
    program.graph = std::move(own.graph);
    model.gradients.push_back(std::move(program));
  }
}

// Whether every parameter's type says its whole shape.
bool Elaborator::has_full_types(const NetInstance& body) {
  for (const ast::Parameter& p : body.declaration->parameters) {
    if (!p.type) return false;
    const auto& type = (*body.ast)[p.type].node;
    if (std::holds_alternative<ast::RecordType>(type)) return false;
    if (const auto* tensor = std::get_if<ast::TensorType>(&type)) {
      for (const ast::Dim& dim : tensor->dims) {
        if (dim.ellipsis) return false;
        // A name that the argument binds says that the type is not complete.
        const auto* name = std::get_if<ast::NameUse>(&(*body.ast)[dim.size].node);
        Frame scope = file_frame(*body.ast, body.scope);
        bool is_number = false;
        if (name && !known_number(scope, name->name, &is_number)) return false;
      }
    }
  }
  return true;
}

// `forward --net G`: arguments in, results out, in evaluation.
void Elaborator::elaborate_forward(const std::shared_ptr<NetInstance>& net) {
  const NetInstance& body = net->body();
  if (!has_full_types(body)) return;
  Work own(net->name);
  own.count = model.trains.empty() ? options.batch.value_or(64) : model.trains.front().batch;
  const Working working(*this, own);
  Frame frame = program_frame(*body.ast, body.scope, nullptr);
  Frame declared = file_frame(*body.ast, body.scope);
  declared.scope = inner_scope(body.scope, true);
  Call c;
  c.span = net->span;
  c.site = c.draw_site = net->name;
  for (const ast::Parameter& p : body.declaration->parameters) {
    const TypeSpec type = eval_type(declared, p.type);
    Shape full = type.shape;
    full.insert(full.begin(), own.count);
    const DType dtype = type.kind == ElementKind::real ? real() : DType::i32;
    const NodeId input = b().input("arg/" + p.name.text, {dtype, full});
    c.arguments.emplace_back("",
                             make_tensor(input, type.shape, own.count, type.kind, type.classes));
    c.spans.push_back(p.name.span);
    c.names.push_back({});
  }
  const Value result = call_net(frame, NetValue{net, nullptr}, c);
  const auto add = [&](const std::string& name, const Value& value) {
    if (const Tensor* t = value.tensor()) b().output(name, node(*t));
  };
  if (const Record* record = result.record()) {
    for (const auto& [name, field] : record->fields) add("out/" + name, field);
  } else if (const List* list = result.list()) {
    for (std::size_t i = 0; i < list->size(); ++i) add(fmt::format("out/{}", i), (*list)[i]);
  } else {
    add("out", result);
  }
  if (own.graph.outputs.empty()) return;
  Program program;
  program.name = net->name;
  program.draws = std::move(own.draws);
  program.graph = std::move(own.graph);
  program.span = net->span;
  model.forwards.push_back(std::move(program));
}

void Elaborator::finish_init() {
  Builder& ib = init_work->builder;
  for (const Variable& v : model.variables) ib.output("variable/" + v.name, init_nodes.at(v.name));
  model.init = std::move(init_work->graph);
  model.init.name = "init";
}

void Elaborator::finish_nets() {
  for (const auto& net : net_order) {
    Net made;
    made.name = net->name;
    made.parameters = net->parameters;
    made.layers = std::move(net->rows);
    if (net->copied) {  // its weights were made beside the original's, not by its calls
      const auto original = std::ranges::find(model.nets, net->copied->name, &Net::name);
      for (LayerRow& row : made.layers) {
        const auto same = std::ranges::find(original->layers, row.call, &LayerRow::call);
        if (same != original->layers.end()) row.parameters = same->parameters;
      }
    }
    made.span = net->span;
    model.nets.push_back(std::move(made));
  }
}

}  // namespace ganc::elab
