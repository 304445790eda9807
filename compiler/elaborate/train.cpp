#include <algorithm>
#include <cmath>

#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/holds.h"

namespace ganc::elab {
namespace {

constexpr std::int64_t most_repeats = 10'000;

// The values of the block's lets, for the numbering of their draws.
void let_values(const ast::Ast& ast, ast::BlockId block, std::vector<ast::ExprId>& values) {
  for (const ast::StmtId id : ast[block].statements) {
    const auto& node = ast[id].node;
    if (const auto* let = std::get_if<ast::Let>(&node)) values.push_back(let->value);
    if (const auto* var = std::get_if<ast::Var>(&node)) values.push_back(var->value);
    if (const auto* assign = std::get_if<ast::Assign>(&node)) values.push_back(assign->value);
    if (const auto* expr = std::get_if<ast::ExprStmt>(&node)) {
      for (const ast::BlockId b : parts_of(ast, expr->value).blocks) let_values(ast, b, values);
    }
  }
}

}  // namespace

// What a block's statements share: what its lets hold, and the unit that they draw and save as.
struct Elaborator::Block {
  Block(Elaborator& elaborator, Frame& frame, ast::BlockId id, const std::string& label)
      : e(elaborator), frame_(frame), outer(e.block_unit), outer_sites(frame.draw_sites) {
    held.label = label;
    held.data_label = e.repetition >= 0 ? label : "";
    held.batch_index = std::max<std::int64_t>(e.repetition, 0);
    held.why = names_held(*frame.ast, id);
    unit.draw_label = label;
    unit.data_label = held.data_label;
    unit.batch_index = held.batch_index;
    e.work->held.push_back(&held);
    e.block_unit = e.unit = &unit;
    const auto key = (static_cast<std::uint64_t>(frame.ast->file) << 32) | id.index;
    auto& table = e.let_sites[key];
    if (!table) {
      std::vector<ast::ExprId> values;
      let_values(*frame.ast, id, values);
      table = std::make_unique<Sites>(sites_of_exprs(*frame.ast, values));
    }
    frame.draw_sites = table.get();
  }
  ~Block() {
    e.work->held.pop_back();
    e.block_unit = e.unit = outer;
    frame_.draw_sites = outer_sites;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  Elaborator& e;
  Frame& frame_;
  Unit* outer;
  const Sites* outer_sites;
  HeldBlock held;
  Unit unit;
};

void Elaborator::find_players(Frame& frame, const std::vector<ast::Player>& players,
                              std::set<std::string>& trained) {
  for (const ast::Player& p : players) {
    try {
      trained.insert(player(frame, p).net->name);
    } catch (const Failed&) {
      // Its own statement says so.
    }
  }
}

// The nets that the block trains, before its first statement: they decide what `training` is.
void Elaborator::find_trained(Frame& frame, ast::BlockId block, std::set<std::string>& trained) {
  for (const ast::StmtId id : (*frame.ast)[block].statements) {
    const auto& node = (*frame.ast)[id].node;
    if (const auto* objective = std::get_if<ast::Objective>(&node))
      find_players(frame, objective->players, trained);
    if (const auto* game = std::get_if<ast::MinMax>(&node)) {
      for (const auto& side : game->sides) find_players(frame, side.players, trained);
    }
    if (const auto* every = std::get_if<ast::Every>(&node))
      find_trained(frame, every->body, trained);
    if (const auto* times = std::get_if<ast::Times>(&node))
      find_trained(frame, times->body, trained);
    const auto* expr = std::get_if<ast::ExprStmt>(&node);
    if (!expr) continue;
    const auto* loop = std::get_if<ast::For>(&(*frame.ast)[expr->value].node);
    if (!loop) {
      for (ast::ExprId at = expr->value; at;) {
        const Parts parts = parts_of(*frame.ast, at);
        for (const ast::BlockId b : parts.blocks) find_trained(frame, b, trained);
        const auto* choice = std::get_if<ast::If>(&(*frame.ast)[at].node);
        at = choice ? choice->otherwise : ast::ExprId{};
      }
      continue;
    }
    const std::set<std::string> names = names_read(*frame.ast, loop->list);
    const bool known = std::all_of(names.begin(), names.end(),
                                   [&](const std::string& n) { return frame.scope->find(n); });
    if (!known) {  // its list is a `let` of the block
      find_families(*frame.ast, loop->body, trained);
      continue;
    }
    const Value list = eval(frame, loop->list);
    const auto outer = frame.scope;
    for (const Value& value : loop_values(frame, list, (*frame.ast)[loop->list].span)) {
      frame.scope = inner_scope(outer, false);
      Binding binding;
      binding.what = value;
      frame.scope->names.emplace(loop->variable.text, std::move(binding));
      find_trained(frame, loop->body, trained);
    }
    frame.scope = outer;
  }
}

// Players in a loop that cannot be run yet: all nets of the names.
void Elaborator::find_families(const ast::Ast& ast, ast::BlockId block,
                               std::set<std::string>& trained) {
  for (const ast::StmtId id : ast[block].statements) {
    std::vector<ast::Player> players;
    if (const auto* objective = std::get_if<ast::Objective>(&ast[id].node))
      players = objective->players;
    if (const auto* game = std::get_if<ast::MinMax>(&ast[id].node)) {
      for (const auto& side : game->sides)
        players.insert(players.end(), side.players.begin(), side.players.end());
    }
    for (const ast::Player& p : players) {
      for (const auto& [name, net] : nets) {
        if (net && (name == p.name.text || name.starts_with(p.name.text + "[")))
          trained.insert(name);
      }
    }
    if (const auto* expr = std::get_if<ast::ExprStmt>(&ast[id].node)) {
      for (const ast::BlockId inner : parts_of(ast, expr->value).blocks)
        find_families(ast, inner, trained);
    }
  }
}

void Elaborator::run_block(Frame& frame, ast::BlockId id) {
  const auto outer = frame.scope;
  frame.scope = inner_scope(outer, false);
  for (const ast::StmtId stmt : (*frame.ast)[id].statements) {
    if (only_done || diagnostics.full()) break;
    try {
      run_statement(frame, stmt);
    } catch (const Failed&) {
      // The next statement may have a fault of its own.
    }
  }
  frame.scope = outer;
}

void Elaborator::run_let(Frame& frame, ast::StmtId id) {
  unit = block_unit;
  const auto* let = std::get_if<ast::Let>(&(*frame.ast)[id].node);
  current_let = let ? "`let " + let->name.text + "`" : "a statement of the block";
  try {
    Value ignored;
    eval_statement(frame, id, false, &ignored);
  } catch (const Failed&) {
    current_let.clear();
    throw;
  }
  current_let.clear();
  save_pending();
}

void Elaborator::run_statement(Frame& frame, ast::StmtId id) {
  const ast::Stmt& stmt = (*frame.ast)[id];
  const auto& node = stmt.node;
  charge(frame, stmt.span);
  if (work) b().set_origin({stmt.span, ""});  // of what no call in it makes
  if (const auto* s = std::get_if<ast::Objective>(&node)) {
    Objective o{{}, s->maximize, s->objective, s->by, &s->clauses, id, 0, stmt.span};
    for (const ast::Player& p : s->players) o.players.push_back(&p);
    run_objective(frame, o);
  } else if (const auto* game = std::get_if<ast::MinMax>(&node)) {
    for (std::size_t side = game->sides.size(); side-- > 0;) {  // the last player first
      Objective o{
          {},       game->sides[side].maximize, game->objective, game->by, &game->clauses, id, side,
          stmt.span};
      for (const ast::Player& p : game->sides[side].players) o.players.push_back(&p);
      run_objective(frame, o);
    }
  } else if (const auto* average = std::get_if<ast::Average>(&node)) {
    run_average(frame, *average, stmt.span, id);
  } else if (const auto* update = std::get_if<ast::Update>(&node)) {
    run_update(frame, *update, id);
  } else if (const auto* watch = std::get_if<ast::Watch>(&node)) {
    run_watch(frame, *watch, stmt.span);
  } else if (const auto* every = std::get_if<ast::Every>(&node)) {
    run_every(frame, *every, stmt.span, id);
  } else if (const auto* times = std::get_if<ast::Times>(&node)) {
    run_times(frame, *times, stmt.span, id);
  } else if (const auto* noise = std::get_if<ast::Noise>(&node)) {
    Binding binding;
    binding.what = std::make_shared<NoiseName>(NoiseName{frame.ast, noise, frame.scope, stmt.span});
    binding.span = noise->name.span;
    define(frame, noise->name, std::move(binding));
  } else if (const auto* expr = std::get_if<ast::ExprStmt>(&node)) {
    run_expression(frame, expr->value, id);
  } else if (std::holds_alternative<ast::Assign>(node) && !work->conditions.empty()) {
    fail(report_at(frame, Kind::runtime_condition, stmt.span)
             .note("a name cannot be rebound by a statement that may not run; a `state` can be "
                   "updated"));
  } else {
    run_let(frame, id);
  }
}

// `if` and `for` in a train block hold statements of the block.
void Elaborator::run_expression(Frame& frame, ast::ExprId id, ast::StmtId stmt) {
  const ast::Expr& expr = (*frame.ast)[id];
  if (const auto* choice = std::get_if<ast::If>(&expr.node))
    return run_if(frame, *choice, expr.span);
  if (const auto* block = std::get_if<ast::BlockExpr>(&expr.node))
    return run_block(frame, block->block);
  const auto* loop = std::get_if<ast::For>(&expr.node);
  if (!loop) return run_let(frame, stmt);
  const std::vector<Value> values =
      loop_values(frame, eval(frame, loop->list), (*frame.ast)[loop->list].span);
  const auto outer = frame.scope;
  const std::string loops = frame.loops;
  for (std::size_t i = 0; i < values.size(); ++i) {
    frame.scope = inner_scope(outer, false);
    frame.loops = loops + loop_suffix(values[i], i);
    Binding binding;
    binding.what = values[i];
    binding.span = loop->variable.span;
    frame.scope->names.emplace(loop->variable.text, std::move(binding));
    run_block(frame, loop->body);
  }
  frame.scope = outer;
  frame.loops = loops;
}

// A name for a nested block, the same in every pass over the text.
std::string Elaborator::block_label(const std::string& kind, ast::StmtId id, const Frame& frame) {
  const std::string key = fmt::format("{}{}", id.index, frame.loops);
  auto& labels = update_names[kind + "{}"];
  const std::size_t n = labels.size();
  const auto [it, fresh] = labels.emplace(key, n == 0 ? kind : fmt::format("{}_{}", kind, n + 1));
  return it->second;
}

void Elaborator::run_times(Frame& frame, const ast::Times& node, Span, ast::StmtId id) {
  const Span at = (*frame.ast)[node.count].span;
  const std::int64_t count = whole(frame, eval(frame, node.count), at, "the count of `times`");
  if (count < 1 || count > most_repeats) {
    error(frame, Kind::wrong_value, at, "times", fmt::format("1 to {}", most_repeats), count);
  }
  const std::string label = block_label("times", id, frame);
  const std::int64_t outer = repetition;
  for (std::int64_t k = 0; k < count && !only_done; ++k) {
    repetition = std::max<std::int64_t>(outer, 0) * count + k;
    Block block(*this, frame, node.body, fmt::format("{}#{}", label, repetition));
    run_block(frame, node.body);
  }
  repetition = outer;
}

// Statements that run where `condition` holds.
void Elaborator::run_guarded(Frame& frame, NodeId condition, ast::BlockId body) {
  const bool guarded =
      only_update.empty();  // the gradient of an update is asked for whether it would run or not
  if (guarded) work->conditions.push_back(condition);
  run_block(frame, body);
  if (guarded) work->conditions.pop_back();
}

NodeId Elaborator::every_condition(Frame& frame, ast::ExprId period, bool epochs, Span span,
                                   const std::string& key) {
  const Span at = (*frame.ast)[period].span;
  const double n = static_number(frame, eval(frame, period), at, "the period of `every`");
  if (!(n >= 1) || (!epochs && n != std::floor(n))) {
    error(frame, Kind::wrong_value, at, "every",
          epochs ? "at least 1 epoch" : "a whole number of at least 1 step", n);
  }
  if (!epochs) {
    const NodeId step = b().input("step", {DType::f64, {}});
    const NodeId rest = b().binary(Op::modulo, step, b().like(step, n));
    return b().compare(Comparison::equal, rest, b().like(rest, 0));
  }
  // Once in each n epochs: a state remembers the last.
  const std::string name = frame.path + "." + key + ".last";
  if (!variable(name)) {
    Variable v;
    v.name = name;
    v.kind = VariableKind::state;
    v.type = {DType::f64, {}};
    v.scalar = true;
    v.span = span;
    variables[name] = {model.variables.size(), name};
    init_nodes[name] = init_work->builder.constant(-1, v.type);
    model.variables.push_back(v);
  }
  const NodeId last = read_variable(name, nullptr);
  const NodeId epoch = b().input("epoch", {DType::f64, {}});
  const NodeId now = b().unary(Op::floor, b().divide(epoch, b().like(epoch, n)));
  save(name, b().maximum(now, last));
  return b().compare(Comparison::greater, now, last);
}

void Elaborator::run_every(Frame& frame, const ast::Every& node, Span span, ast::StmtId id) {
  const std::string label = block_label("every", id, frame);
  const NodeId condition = every_condition(frame, node.period, node.epochs, span, label);
  Block block(*this, frame, node.body, label);
  run_guarded(frame, condition, node.body);
}

void Elaborator::run_if(Frame& frame, const ast::If& node, Span span) {
  const Span at = (*frame.ast)[node.condition].span;
  Unit own;
  own.draw_label = "if";
  own.data_label = block_unit->data_label;
  own.batch_index = block_unit->batch_index;
  unit = &own;
  Value condition;
  NodeId holds;
  try {
    condition = eval(frame, node.condition);
    if (const Tensor* t = condition.tensor()) {
      if (t->batched() || !t->shape.empty()) {
        error(frame, Kind::wrong_value, at, "if", "one number",
              t->batched() ? "a batch of " + describe(*t) : describe(*t));
      }
      holds = predicate(frame, condition, at);
    }
  } catch (const Failed&) {
    unit = block_unit;
    throw;
  }
  save_pending();
  unit = block_unit;
  if (!holds) {
    if (static_condition(frame, condition, at)) return run_block(frame, node.then);
    if (node.otherwise) run_expression(frame, node.otherwise, {});
    return;
  }
  run_guarded(frame, holds, node.then);
  if (!node.otherwise) return;
  const NodeId fails = b().unary(Op::logical_not, holds);
  const auto& otherwise = (*frame.ast)[node.otherwise].node;
  if (const auto* block = std::get_if<ast::BlockExpr>(&otherwise))
    return run_guarded(frame, fails, block->block);
  const auto* next = std::get_if<ast::If>(&otherwise);
  if (!next) return;
  if (only_update.empty()) work->conditions.push_back(fails);
  run_if(frame, *next, span);
  if (only_update.empty()) work->conditions.pop_back();
}

void Elaborator::run_body(Frame& frame, ast::BlockId body) {
  Block block(*this, frame, body, "");
  run_block(frame, body);
}

}  // namespace ganc::elab
