#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/holds.h"

namespace ganc::elab {
namespace {

constexpr std::int64_t most_repeats = 1000;

// Evaluates something as a unit of its own and saves what it changed.
struct OwnUnit {
  OwnUnit(Elaborator& elaborator, const std::string& draw_label, const std::string& data_label,
          std::int64_t index)
      : e(elaborator), outer(e.unit) {
    own.draw_label = draw_label;
    own.data_label = data_label;
    own.batch_index = index;
    e.unit = &own;
  }
  ~OwnUnit() { e.unit = outer; }
  OwnUnit(const OwnUnit&) = delete;
  OwnUnit& operator=(const OwnUnit&) = delete;

  Elaborator& e;
  Unit* outer;
  Unit own;
};

std::string join_names(const std::vector<Elaborator::PlayerPart>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "+") + part.text;
  return text;
}

}  // namespace

Elaborator::PlayerPart Elaborator::player(Frame& frame, const ast::Player& p) {
  Value value;
  std::string name = p.name.text;
  std::size_t step = 0;
  if (step < p.steps.size() && p.steps[step].member.text.empty()) {
    for (const ast::ExprId index : p.steps[step].indices)
      name += loop_suffix(eval(frame, index), 0);
    ++step;
  }
  std::shared_ptr<NetInstance> net;
  if (const auto it = nets.find(name); it != nets.end() && it->second) {
    net = it->second;
  } else {
    const Value named = eval_name(frame, p.name.text, p.name.span);
    const NetValue* known = named.get<NetValue>();
    if (!known || step > 0) error(frame, Kind::not_a_player, p.span, text(p.span));
    net = known->net;
  }
  PlayerPart part{net, net->name, net->name};
  for (; step < p.steps.size(); ++step) {
    part.prefix += "." + p.steps[step].member.text;
    for (const ast::ExprId index : p.steps[step].indices)
      part.prefix += loop_suffix(eval(frame, index), 0);
    part.text = part.prefix;
  }
  return part;
}

// A net, or a part of one, is named once.
std::vector<Elaborator::PlayerPart> Elaborator::players_of(Frame& frame, const Objective& o) {
  std::vector<PlayerPart> parts;
  for (const ast::Player* p : o.players) {
    PlayerPart part = player(frame, *p);
    const auto lies_in = [](const std::string& whole, const std::string& prefix) {
      return whole.starts_with(prefix) &&
             (whole.size() == prefix.size() || whole[prefix.size()] == '.' ||
              whole[prefix.size()] == '[');
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].net != part.net) continue;
      if (!lies_in(part.prefix, parts[i].prefix) && !lies_in(parts[i].prefix, part.prefix))
        continue;
      fail(report_at(frame, Kind::player_twice, p->span, text(p->span))
               .label(o.players[i]->span, "its weights are trained by this already"));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

// "D", "Encoder+Decoder", "D[1]" the second statement with these players, "grow[8].D" of several
// train blocks.
std::string Elaborator::update_name(Frame& frame, const Objective& o, std::string* label) {
  const std::vector<PlayerPart> parts = players_of(frame, o);
  *label = job->name.empty() ? join_names(parts) : job->name + "." + join_names(parts);
  auto& names = update_names[*label];
  const std::string key = fmt::format("{}/{}{}", o.id.index, o.side, frame.loops);
  const std::size_t n = names.size();
  const auto [it, fresh] = names.emplace(key, n == 0 ? *label : fmt::format("{}[{}]", *label, n));
  return it->second;
}

void Elaborator::run_objective(Frame& frame, const Objective& o) {
  std::string label;
  const std::string base = update_name(frame, o, &label);
  std::int64_t times = 1;
  const std::size_t conditions = work->conditions.size();
  for (const ast::Clause& clause : *o.clauses) {
    const Span at = (*frame.ast)[clause.value].span;
    if (clause.kind == ast::Clause::Kind::times) {
      times = whole(frame, eval(frame, clause.value), at, "the count of `times`");
      if (times < 1 || times > most_repeats) {
        error(frame, Kind::wrong_value, at, "times", fmt::format("1 to {}", most_repeats), times);
      }
    } else if (only_update.empty()) {
      work->conditions.push_back(every_condition(frame, clause.value, clause.epochs, at, base));
    }
  }
  try {
    for (std::int64_t k = 0; k < times && !only_done; ++k) {
      const std::int64_t index = std::max<std::int64_t>(repetition, 0) * times + k;
      const bool repeated = times > 1 || repetition >= 0;
      const std::string name = repeated ? fmt::format("{}#{}", base, index) : base;
      if (!only_update.empty() && name != only_update) continue;
      if (k == 1) check_held_repeat(frame, o, times);
      run_update_once(frame, o, base, name, repeated ? name : "", index);
    }
  } catch (const Failed&) {
    work->conditions.resize(conditions);
    throw;
  }
  work->conditions.resize(conditions);
}

// One number, computed by a net.
NodeId Elaborator::objective_value(Frame& frame, const Objective& o, const std::string& base) {
  const Span at = (*frame.ast)[o.objective].span;
  const Value value = eval(frame, o.objective);
  const Tensor* t = value.tensor();
  if (value.number() || (t && t->number)) {
    fail(report_at(frame, Kind::independent_objective_error, at, base)
             .note("an objective is computed from what its player makes"));
  }
  if (!t || t->batched() || !t->shape.empty() || t->kind != ElementKind::real) {
    Report report = report_at(frame, Kind::objective_no_number, at,
                              t && t->batched() ? "a batch of " + describe(*t) : describe(value));
    if (t) report.fix(at, "average it", fmt::format("E[{}]", sources_.text(at)));
    fail(report);
  }
  return real_node(*t);
}

// The objective's value, its derivatives by the players' weights, the optimizer, the new weights.
void Elaborator::run_update_once(Frame& frame, const Objective& o, const std::string& base,
                                 const std::string& name, const std::string& data_label,
                                 std::int64_t batch_index) {
  const std::vector<PlayerPart> parts = players_of(frame, o);
  const OwnUnit own(*this, name, data_label, batch_index);
  Frame inside = frame;
  inside.caller = frame.caller;
  auto& table = let_sites[(static_cast<std::uint64_t>(frame.ast->file) << 32) | (1u << 31) |
                          o.objective.index];
  if (!table) table = std::make_unique<Sites>(sites_of_exprs(*frame.ast, {o.objective}));
  inside.draw_sites = table.get();
  const auto optimizer_here = [&] {
    check_optimizer_name(inside, o.by);
    return optimizer_of(inside, eval(inside, o.by), (*frame.ast)[o.by].span);
  };
  NodeId loss;
  try {
    loss = objective_value(inside, o, base);
  } catch (const Failed&) {
    optimizer_here();  // it may have a fault of its own
    throw;
  }
  if (o.maximize) loss = b().negate(loss);
  std::map<std::string, std::vector<NodeId>> versions;
  const std::vector<std::string> weights = reached_weights(loss, parts, &versions);
  check_reached(frame, o, parts, weights, versions);
  const std::vector<Step::Entry> entries = differentiate_weights(loss, weights, versions);
  const auto optimizer = optimizer_here();
  const std::string owner = optimizer->owner.empty() ? base : optimizer->owner;
  const std::vector<NodeId> updated = optimizer_step(inside, *optimizer, owner, entries, o.span);
  report_update(o, parts, name, loss, entries);
  if (!only_update.empty()) {
    only_done = true;
    return;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    save(entries[i].name, updated[i]);
    model.variables[variables.at(entries[i].name).index].trained = true;
  }
  save_pending();
  block_unit->transformed.clear();  // of the weights before
}

// Every value of a weight that the objective was computed with: their derivatives add up.
std::vector<Step::Entry> Elaborator::differentiate_weights(
    NodeId loss, const std::vector<std::string>& weights,
    const std::map<std::string, std::vector<NodeId>>& versions) {
  std::vector<Step::Entry> entries;
  for (const std::string& name : weights) {
    const Shape& shape = variable(name)->type.shape;
    NodeId sum;
    for (const NodeId version : versions.at(name)) {
      const NodeId one = b().grad(loss, version);
      sum = sum ? b().add(sum, one) : one;
    }
    const NodeId current = work->current.at(name);
    entries.push_back(
        {name, Value(make_tensor(current, shape, -1)), Value(make_tensor(sum, shape, -1))});
  }
  return entries;
}

void Elaborator::report_update(const Objective& o, const std::vector<PlayerPart>& parts,
                               const std::string& name, NodeId loss,
                               const std::vector<Step::Entry>& entries) {
  const auto guarded = [&](NodeId x) {
    for (const NodeId condition : work->conditions) x = b().select(condition, x, b().like(x, 0));
    return x;
  };
  b().output("loss/" + name, guarded(loss));
  NodeId squares = b().constant(0, {real(), {}});
  for (const Step::Entry& entry : entries) {
    const NodeId g = node(*entry.gradient.tensor());
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < b().shape(g).size(); ++i)
      axes.push_back(static_cast<std::int64_t>(i));
    squares = b().add(squares, b().reduce_sum(b().multiply(g, g), axes));
    const NodeId shown = only_update.empty() ? b().select(b().input("gradients", {DType::pred, {}}),
                                                          g, b().like(g, 0))
                                             : g;
    b().output("grad/" + name + "/" + entry.name, guarded(shown));
  }
  b().output("grad_norm/" + name, guarded(b().sqrt(squares)));
  if (!work->conditions.empty()) {
    NodeId ran = work->conditions[0];
    for (std::size_t i = 1; i < work->conditions.size(); ++i)
      ran = b().binary(Op::logical_and, ran, work->conditions[i]);
    b().output("ran/" + name, ran);
  }
  if (!train) return;
  UpdateInfo info;
  info.name = name;
  for (const PlayerPart& part : parts) info.players.push_back(part.text);
  for (const Step::Entry& entry : entries) info.weights.push_back(entry.name);
  info.maximize = o.maximize;
  info.span = (*job->ast)[o.objective].span;
  train->updates.push_back(std::move(info));
}

std::vector<bool> Elaborator::cone(const std::vector<NodeId>& roots, bool derivatives,
                                   std::uint32_t least) const {
  const Graph& graph = work->graph;
  std::set<std::uint32_t> saved;
  for (const auto& [name, versions] : work->versions) {
    for (const NodeId version : versions) saved.insert(version.index);
  }
  std::vector<bool> seen(graph.nodes.size(), false);
  std::vector<NodeId> open = roots;
  for (const NodeId root : roots) seen[root.index] = true;
  while (!open.empty()) {
    const NodeId at = open.back();
    const Node& n = graph[at];
    open.pop_back();
    if (saved.contains(at.index)) continue;
    if (derivatives && (n.op == Op::stop || n.op == Op::draw || !is_real(n.type.dtype))) continue;
    for (const NodeId operand : n.operands) {
      if (operand.index < least || seen[operand.index]) continue;
      seen[operand.index] = true;
      open.push_back(operand);
    }
  }
  return seen;
}

bool Elaborator::reaches(NodeId y, NodeId x) const {
  return cone({y}, true, x.index)[x.index];
}

std::vector<std::string> Elaborator::reached_weights(
    NodeId loss, const std::vector<PlayerPart>& parts,
    std::map<std::string, std::vector<NodeId>>* versions) {
  const std::vector<bool> reached = cone({loss}, true);
  std::vector<std::string> names;
  for (const Variable& v : model.variables) {
    if (v.kind != VariableKind::weight) continue;
    const bool owned = std::any_of(parts.begin(), parts.end(), [&](const PlayerPart& part) {
      return v.net == part.net->name &&
             (part.prefix == v.net || v.name.starts_with(part.prefix + "."));
    });
    const auto known = work->versions.find(v.name);
    if (!owned || known == work->versions.end()) continue;
    for (const NodeId version : known->second) {
      if (version.index < reached.size() && reached[version.index])
        (*versions)[v.name].push_back(version);
    }
    if (versions->contains(v.name)) names.push_back(v.name);
  }
  return names;
}

// ---- the other statements

void Elaborator::run_update(Frame& frame, const ast::Update& node, ast::StmtId id) {
  if (!only_update.empty()) return;
  const OwnUnit own(*this, "update." + node.name.text, block_unit->data_label,
                    block_unit->batch_index);
  Value ignored;
  eval_statement(frame, id, false, &ignored);
  save_pending();
}

void Elaborator::run_watch(Frame& frame, const ast::Watch& node, Span) {
  if (!only_update.empty()) return;
  const std::string name = path_component(frame, node.path);
  const OwnUnit own(*this, "watch." + name, block_unit->data_label, block_unit->batch_index);
  const Span at = (*frame.ast)[node.value].span;
  const Value value = eval(frame, node.value);
  const Tensor t = real_tensor(frame, value, at, "`watch`");
  if (t.batched() || !t.shape.empty()) {
    error(frame, Kind::wrong_value, at, "watch", "one number",
          t.batched() ? "a batch of " + describe(t) : describe(t));
  }
  NodeId shown = real_node(t);
  for (const NodeId condition : work->conditions)
    shown = b().select(condition, shown, b().like(shown, 0));
  if (std::find(train->watches.begin(), train->watches.end(), name) != train->watches.end()) {
    error(frame, Kind::defined_twice, node.path.span, name);
  }
  b().output("watch/" + name, shown);
  train->watches.push_back(name);
  save_pending();
}

void Elaborator::ensure_copy(const NetInstance& copy, const std::string& original,
                             const std::string& name) {
  if (variable(name)) return;
  Variable v = *variable(original);
  v.name = name;
  v.net = copy.name;
  v.trained = false;
  variables[name] = {model.variables.size(), original};
  init_nodes[name] = init_nodes.at(original);
  if (v.kind == VariableKind::weight) nets.at(copy.name)->parameters += element_count(v.type.shape);
  model.variables.push_back(std::move(v));
}

void Elaborator::run_average(Frame& frame, const ast::Average& node, Span span, ast::StmtId id) {
  if (!only_update.empty()) return;
  const PlayerPart from = player(frame, node.from);
  const PlayerPart into = player(frame, node.into);
  const OwnUnit own(*this, "average." + into.text, block_unit->data_label, block_unit->batch_index);
  if (weights_of(*from.net).empty()) declare_weights(frame, from.net, span);
  const std::size_t conditions = work->conditions.size();
  for (const ast::Clause& clause : node.clauses) {
    const Span at = (*frame.ast)[clause.value].span;
    if (clause.kind == ast::Clause::Kind::times)
      error(frame, Kind::misplaced, at, "`times`", "an update");
    work->conditions.push_back(every_condition(frame, clause.value, clause.epochs, at,
                                               fmt::format("average_{}", id.index)));
  }
  const Value decay = eval(frame, node.decay);
  const Tensor d = real_tensor(frame, decay, (*frame.ast)[node.decay].span, "a decay");
  if (d.batched() || !d.shape.empty()) {
    error(frame, Kind::wrong_value, (*frame.ast)[node.decay].span, "decay", "one number",
          describe(decay));
  }
  if (const auto rate = decay.number(); rate && !(*rate >= 0 && *rate <= 1)) {
    error(frame, Kind::wrong_value, (*frame.ast)[node.decay].span, "decay", "a number from 0 to 1",
          print_number(*rate));
  }
  check_part(frame, from, node.from.span);
  std::vector<std::string> names;
  for (const Variable& v : model.variables) {
    if (v.net == from.net->name && (from.prefix == v.net || v.name.starts_with(from.prefix + ".")))
      names.push_back(v.name);
  }
  for (const std::string& name : names) {
    const std::string target = into.prefix + name.substr(from.prefix.size());
    if (into.net->copied == from.net) ensure_copy(*into.net, name, target);
    const Variable* copy = variable(target);
    const Variable original = *variable(name);
    if (!copy) error(frame, Kind::no_such_part, span, into.text, target);
    if (copy->type != original.type) {
      const std::string left = print(original.type.shape), right = print(copy->type.shape);
      fail(report_at(frame, Kind::shapes_differ, span, "average", left, right)
               .note(fmt::format("`{}` is {}, `{}` is {}", name, left, target, right)));
    }
    const NodeId now = read_variable(name, nullptr);
    NodeId value = now;
    if (original.kind == VariableKind::weight) {
      const NodeId before = read_variable(target, nullptr);
      const NodeId rate = b().broadcast_scalar(b().convert(this->node(d), original.type.dtype),
                                               original.type.shape);
      value = b().add(now, b().multiply(rate, b().subtract(before, now)));
    } else {
      read_variable(target, nullptr);
    }
    save(target, value);
  }
  work->conditions.resize(conditions);
}

}  // namespace ganc::elab
