#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/holds.h"

namespace ganc::elab {

void Elaborator::note_use(const ast::Ast& ast, ast::StmtId stmt, std::string what, Span span,
                          bool** used) {
  if (in_prelude(span)) return;
  auto& use = uses[{&ast, stmt.index}];
  if (!use) use = std::make_unique<Use>(Use{std::move(what), span, false});
  *used = &use->used;
}

void Elaborator::check_unused() {
  for (const auto& [where, use] : uses) {
    if (!use->used) {
      diagnostics.report(Kind::unused_value, use->span, use->what).fix(use->span, "remove it");
    }
  }
}

// A `const` that nothing reads is never evaluated: its names, at least, must be known.
void Elaborator::check_unread_constants() {
  constexpr std::array everywhere = {"step", "epoch", "progress", "batch", "training"};
  for (const auto& [name, binding] : file_scope->names) {
    const auto* constant = std::get_if<std::shared_ptr<ConstantName>>(&binding.what);
    if (!constant || (*constant)->read) continue;
    Frame frame = file_frame(*(*constant)->ast, (*constant)->scope);
    for (const auto& [used, place] : first_uses(*frame.ast, (*constant)->expr)) {
      const bool known = frame.scope->find(used) || nets.contains(used + "[]") ||
                         std::ranges::find(everywhere, used) != everywhere.end();
      if (known) continue;
      try {
        unknown_name(frame, used, (*frame.ast)[place].span);
      } catch (const Failed&) {
        // The next one may have a fault of its own.
      }
    }
  }
}

// A weight of a net that training calls, that no player owns, and that is no average and no loaded
// one.
void Elaborator::check_untrained() {
  if (model.trains.empty()) return;
  std::set<std::string> averaged;
  for (const auto& [name, net] : nets) {
    if (net && net->copied) averaged.insert(name);
  }
  std::map<std::string, std::pair<const Variable*, std::size_t>> untrained;
  for (const Variable& v : model.variables) {
    if (v.kind != VariableKind::weight || v.trained || !v.from.empty() || averaged.contains(v.net))
      continue;
    auto& entry = untrained[v.net];
    if (entry.second++ == 0) entry.first = &v;
  }
  for (const auto& [net, found] : untrained) {
    const auto& [first, count] = found;
    Report report =
        count == 1 ? diagnostics.report(Kind::untrained_weight, first->span, "weight", first->name)
                   : diagnostics.report(Kind::untrained_weight, first->span, "weights of", net);
    if (in_prelude(first->span)) {
      report.label(nets.at(net)->span, fmt::format("`{}` has {} untrained weight{}, such as `{}`",
                                                   net, count, count == 1 ? "" : "s", first->name));
    }
    report.note(
        "they keep their initial values: add the net to a player, or load it `from` a file");
  }
}

// A part is a path that weights of its net begin with.
void Elaborator::check_part(Frame& frame, const PlayerPart& part, Span span) {
  if (part.prefix == part.net->name) return;
  std::set<std::string> parts;
  for (const std::string& name : weights_of(*part.net)) {
    if (name.starts_with(part.prefix + ".")) return;
    for (std::size_t end = name.find('.', part.net->name.size() + 1); end != std::string::npos;
         end = name.find('.', end + 1))
      parts.insert(name.substr(0, end));
  }
  Report report = report_at(frame, Kind::no_such_part, span, part.net->name, part.prefix);
  const std::vector<std::string> known(parts.begin(), parts.end());
  if (const std::string best = nearest(part.prefix, known); !best.empty()) {
    report.fix(span, fmt::format("did you mean `{}`?", best), best);
  } else if (!known.empty()) {
    report.note(fmt::format("it has `{}`", fmt::join(known, "`, `")));
  }
  fail(report);
}

void Elaborator::check_reached(Frame& frame, const Objective& o,
                               const std::vector<PlayerPart>& parts,
                               const std::vector<std::string>& weights,
                               const std::map<std::string, std::vector<NodeId>>& versions) {
  const Span at = (*frame.ast)[o.objective].span;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PlayerPart& part = parts[i];
    check_part(frame, part, o.players[i]->span);
    const bool reached = std::any_of(weights.begin(), weights.end(), [&](const std::string& name) {
      return name.starts_with(part.prefix + ".");
    });
    if (reached) continue;
    report_at(frame, Kind::independent_objective, at, part.text)
        .label(o.players[0]->span, "this player learns nothing from it")
        .note(
            "no weight of the player is reached by the objective, or only through `stop`, a draw "
            "or a comparison");
  }
  for (const std::string& name : weights) {
    if (versions.at(name).back() == work->current.at(name)) continue;
    report_at(frame, Kind::stale_gradient, at, variable(name)->net)
        .note(fmt::format("`{}` was updated after the `let` that this objective reads", name))
        .fix(at, "compute it anew in the objective, or put this statement before the other update");
    return;
  }
}

void Elaborator::check_held_repeat(Frame& frame, const Objective& o, std::int64_t times) {
  const std::set<std::string> read = names_read(*frame.ast, o.objective);
  for (const std::string& name : read) {
    std::string why;
    for (const HeldBlock* block : work->held) {
      const auto it = block->why.find(name);
      const Binding* binding = frame.scope->find(name);
      const bool drawn = binding && (std::get_if<Binding::DataField>(&binding->what) ||
                                     std::get_if<std::shared_ptr<NoiseName>>(&binding->what));
      if (it != block->why.end() && drawn) why = "`" + name + "` is held by " + it->second;
    }
    const Binding* binding = frame.scope->find(name);
    const Value* value = binding ? std::get_if<Value>(&binding->what) : nullptr;
    if (value && value->tensor() && value->tensor()->batched())
      why = "`" + name + "` is computed once, by a `let`";
    if (why.empty()) continue;
    report_at(frame, Kind::held_repeat, (*frame.ast)[o.objective].span, times, name)
        .note(why)
        .fix((*frame.ast)[o.objective].span,
             "compute it in the objective: a block with its own `let`");
    return;
  }
}

namespace {

NodeId below_movement(const Graph& graph, NodeId id) {
  while (graph[id].op == Op::reshape || graph[id].op == Op::transpose ||
         graph[id].op == Op::slice) {
    id = graph[id].operands[0];
  }
  return id;
}

}  // namespace

void Elaborator::note_sigmoid(const Function& function, const Value& result) {
  if (!function.prelude || !work || (function.name != "sigmoid" && function.name != "softmax"))
    return;
  if (const Tensor* t = result.tensor(); t && t->node) work->sigmoids.insert(t->node.index);
}

void Elaborator::check_logits(const Frame& frame, const Function& function, const Call& c) {
  const bool binary = function.name == "bce_with_logits";
  if (!function.prelude || !work || (!binary && function.name != "cross_entropy")) return;
  if (c.arguments.empty()) return;
  const Tensor* t = c.arguments[0].second.tensor();
  if (!t || !t->node || !work->sigmoids.contains(below_movement(work->graph, t->node).index))
    return;
  report_at(frame, Kind::sigmoid_before_logits, c.span, binary ? "sigmoid" : "softmax",
            function.name)
      .note(fmt::format("`{}` takes logits and applies its own", function.name))
      .fix(c.span, binary ? "drop the `sigmoid`, or use `bce`" : "drop the `softmax`");
}

// 1: data in [0, 1]; 2: what a `tanh` made; 0: neither.
int Elaborator::range_kind(const Value& value) {
  const Tensor* t = value.tensor();
  if (!t || t->kind != ElementKind::real) return 0;
  const NodeId made = t->node ? t->node : t->lazy->node;
  if (!made) return 0;  // not read until now
  const Node& n = work->graph[below_movement(work->graph, made)];
  if (n.op == Op::tanh) return 2;
  if (n.op != Op::input || !n.attributes.name.starts_with("data/")) return 0;
  const std::string field = n.attributes.name.substr(n.attributes.name.rfind('/') + 1);
  for (const Source& source : model.sources) {
    const bool has = std::any_of(source.fields.begin(), source.fields.end(),
                                 [&](const FieldInfo& f) { return f.name == field; });
    const auto range = source.arguments.find("range");
    if (!has || range == source.arguments.end()) continue;
    const auto* numbers = std::get_if<std::vector<double>>(&range->second);
    if (numbers && *numbers == std::vector<double>{0, 1}) return 1;
  }
  return 0;
}

namespace {

void explain_range(Report report, Span span) {
  report.note("the data are in [0, 1], `tanh` makes values in [-1, 1]")
      .fix(span, "end the net in `sigmoid`, or leave out the data's `range = [0, 1]`");
}

}  // namespace

// Data in [0, 1] and a net that ends in tanh, at the same parameter of a net.
void Elaborator::check_range(const Frame& frame, const NetInstance& net,
                             const ast::Parameter& parameter, const Value& value, Span span) {
  if (!job) return;
  int& both = range_seen[net.name + "." + parameter.name.text];
  const int before = both;
  both |= range_kind(value);
  if (both == 3 && before != 3) {
    explain_range(report_at(frame, Kind::tanh_range, span, "`" + net.name + "` sees"), span);
  }
}

// The difference of the two, as in a reconstruction's loss.
void Elaborator::check_range_pair(const Frame& frame, const Value& a, const Value& c, Span span) {
  if (!job || range_kind(a) + range_kind(c) != 3) return;
  explain_range(report_at(frame, Kind::tanh_range, span, "this compares"), span);
}

}  // namespace ganc::elab
