#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

constexpr std::int64_t samples_of_an_output = 64;
constexpr std::int64_t most_pixels = 1 << 22;  // of a picture with several samples

// What black and white are: [0, 1] after a sigmoid or from such data, else [-1, 1].
bool is_sigmoid(const Graph& graph, NodeId id) {
  for (;;) {
    const Node& n = graph[id];
    if (n.op == Op::reshape || n.op == Op::transpose || n.op == Op::slice) {
      id = n.operands[0];
    } else if (n.op == Op::divide) {  // 1 / (1 + exp(-x))
      const Node& below = graph[n.operands[1]];
      if (below.op != Op::add) return false;
      return graph[below.operands[0]].op == Op::exponential ||
             graph[below.operands[1]].op == Op::exponential;
    } else {
      return n.op == Op::logistic;
    }
  }
}

}  // namespace

void Elaborator::output_part(OutputProgram& output, Frame& frame, const Value& value,
                             const std::string& part, Span span) {
  Value shown = value;
  OutputProgram::Kind kind = OutputProgram::Kind::array;
  bool said = false;
  if (const auto* special = value.get<std::shared_ptr<const Special>>()) {
    const std::string& form = (*special)->function;
    said = true;
    if (form == "image") {
      kind = OutputProgram::Kind::image;
    } else if (form == "audio") {
      kind = OutputProgram::Kind::audio;
      output.rate =
          static_number(frame, (*special)->arguments.at("rate"), span, "the rate of `audio`");
      model.missing.push_back(line_of(span) + "sound cannot be written yet");
    } else if (form == "rows") {
      kind = OutputProgram::Kind::rows;
      model.missing.push_back(line_of(span) + "tables cannot be written yet");
    } else {
      error(frame, Kind::wrong_value, span, "output", "a tensor", describe(value));
    }
    shown = (*special)->arguments.at("x");
  }
  Tensor t = to_tensor(frame, shown, span, "an output");
  if (!t.batched()) {
    t.node = broadcast(frame, t, t.shape, work->count);
    t.count = work->count;
  }
  const bool image = t.shape.size() == 3 && (t.shape[0] == 1 || t.shape[0] == 3);
  if (!said && image) kind = OutputProgram::Kind::image;
  if (!said && t.shape == Shape{2}) kind = OutputProgram::Kind::points;
  if (kind == OutputProgram::Kind::image && !image) {
    error(frame, Kind::wrong_value, span, "image", "[1, h, w] or [3, h, w]", describe(t));
  }
  if (output.parts.empty()) output.kind = kind;
  if (output.kind != kind) output.kind = OutputProgram::Kind::array;
  if (!output.parts.empty() && t.count != output.count) {
    error(frame, Kind::unequal_batches, span, output.count, t.count);
  }
  output.count = t.count;
  const NodeId x = node(t);
  bool unit_range = is_sigmoid(work->graph, x);
  for (const Source& source : model.sources) {
    const auto range = source.arguments.find("range");
    const auto* numbers = range == source.arguments.end()
                              ? nullptr
                              : std::get_if<std::vector<double>>(&range->second);
    unit_range = unit_range || (numbers && *numbers == std::vector<double>{0, 1});
  }
  output.ranges.insert(output.ranges.end(), {unit_range ? 0.0 : -1.0, 1.0});
  output.parts.push_back(part);
  b().output(part, x);
}

namespace {

// No more than training computes at once, which needs more memory for each of them.
std::int64_t samples_at_once(const Model& model) {
  return model.trains.empty() ? samples_of_an_output
                              : std::min(samples_of_an_output, model.trains.front().batch);
}

// Fewer of large pictures.
std::int64_t samples_shown(const Graph& graph, const OutputProgram& output) {
  std::int64_t pixels = 0;
  if (output.kind == OutputProgram::Kind::image)
    for (const Output& part : graph.outputs) {
      const Shape& shape = graph[part.node].type.shape;
      pixels += shape.size() < 3 ? 0 : shape[shape.size() - 1] * shape[shape.size() - 2];
    }
  std::int64_t shown = samples_of_an_output;
  while (shown > 1 && shown * pixels > most_pixels) shown /= 2;
  return shown;
}

}  // namespace

void Elaborator::elaborate_output(const ast::Ast& ast, const ast::Output& declaration, Span span,
                                  const std::shared_ptr<Scope>& scope) {
  Frame named = file_frame(ast, scope);
  const std::string name = indexed_name(named, declaration.path);
  for (const OutputProgram& other : model.outputs) {
    if (other.program.name == name) error(named, Kind::defined_twice, declaration.path.span, name);
  }
  Work own(name);
  own.count = samples_at_once(model);
  statement_sites.push_back(sites_of_exprs(ast, {declaration.value}));
  Unit once;
  work = &own;
  unit = &once;
  OutputProgram output;
  try {
    Frame frame = program_frame(ast, scope, &statement_sites.back());
    const Span at = ast[declaration.value].span;
    const Value value = eval(frame, declaration.value);
    output.kind = OutputProgram::Kind::array;
    if (const List* list = value.list()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        output_part(output, frame, (*list)[i], fmt::format("out/{}", i), at);
      }
      if (list->empty())
        error(frame, Kind::wrong_value, at, "output", "at least one value", "an empty list");
    } else {
      output_part(output, frame, value, "out", at);
    }
  } catch (const Failed&) {
    work = nullptr;
    unit = nullptr;
    throw;
  }
  work = nullptr;
  unit = nullptr;
  output.shown = samples_shown(own.graph, output);
  output.program.name = name;
  output.program.draws = std::move(own.draws);
  output.program.sources = source_uses(own);
  output.program.graph = std::move(own.graph);
  output.program.span = span;
  model.outputs.push_back(std::move(output));
}

// Its expressions are checked; the trainer does not measure yet.
void Elaborator::elaborate_metric(const ast::Ast& ast, const ast::Metric& declaration, Span span,
                                  const std::shared_ptr<Scope>& scope) {
  Frame named = file_frame(ast, scope);
  Metric metric;
  metric.name = indexed_name(named, declaration.path);
  metric.span = span;
  Work own(metric.name);
  own.count = model.trains.empty() ? samples_of_an_output : model.trains.front().batch;
  statement_sites.push_back(sites_of_exprs(ast, {declaration.value}));
  Unit once;
  work = &own;
  unit = &once;
  try {
    Frame frame = program_frame(ast, scope, &statement_sites.back());
    const Span at = ast[declaration.value].span;
    const Value value = eval(frame, declaration.value);
    const auto* special = value.get<std::shared_ptr<const Special>>();
    const Tensor* t = value.tensor();
    if (special && is_metric((*special)->function)) {
      metric.function = (*special)->function;
    } else if (!t || t->batched() || !t->shape.empty()) {
      error(frame, Kind::wrong_value, at, "metric", "one number, or a measure such as `fid(..)`",
            describe(value));
    }
  } catch (const Failed&) {
    work = nullptr;
    unit = nullptr;
    throw;
  }
  work = nullptr;
  unit = nullptr;
  model.missing.push_back(fmt::format("the metric `{}` is not measured yet", metric.name));
  model.metrics.push_back(std::move(metric));
}

}  // namespace ganc::elab
