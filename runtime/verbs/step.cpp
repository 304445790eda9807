// One run of one program with everything given: `step`, `forward`, `grad`.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "runtime/feed.h"
#include "runtime/inputs.h"
#include "runtime/scalars.h"
#include "runtime/session.h"
#include "runtime/verbs/verbs.h"
#include "runtime/weights.h"

namespace ganc::runtime {
namespace {

struct Start {
  std::unique_ptr<Session> session;
  Counters counters;
};

Result<Start> begin(VerbContext& context) {
  auto isa = isa_of(context.options.from);
  if (!isa) return std::unexpected(isa.error());
  auto session =
      Session::open(context.program, std::move(context.description), context.options, *isa, false);
  if (!session) return std::unexpected(session.error());
  auto counters = load_state(**session, context.options.from);
  if (!counters) return std::unexpected(counters.error());
  return Start{std::move(*session), std::move(*counters)};
}

// Results gathered while a program runs; of updates that did not run nothing is kept.
class Gathered {
 public:
  Gathered(Execution& execution, const Program& program,
           std::initializer_list<std::string_view> prefixes) {
    for (const ProgramResult& result : program.results) {
      const std::string_view name = result.binding.name;
      if (std::none_of(prefixes.begin(), prefixes.end(),
                       [&](auto prefix) { return name.starts_with(prefix); }))
        continue;
      tensors_.emplace_back(name, Tensor(result.binding.dtype, result.binding.shape));
      execution.read(result, tensors_.back().second);
    }
  }
  std::vector<TensorToWrite> computed(const Scalars& scalars) const {
    std::vector<TensorToWrite> list;
    for (const auto& [name, tensor] : tensors_) {
      // "loss/D#1", "grad/D#1/D.dense.w"
      std::string update = name.substr(name.find('/') + 1);
      if (name.starts_with("grad/")) update.resize(std::min(update.size(), update.find('/')));
      if (scalars.computed(update)) list.push_back(to_write(name, tensor));
    }
    return list;
  }
  std::vector<TensorToWrite> all() const {
    std::vector<TensorToWrite> list;
    for (const auto& [name, tensor] : tensors_) list.push_back(to_write(name, tensor));
    return list;
  }

 private:
  std::deque<std::pair<std::string, Tensor>>
      tensors_;  // a deque: the execution keeps their addresses
};

void say_written(Console& console, const std::string& path) {
  if (!console.json()) {
    console.out(path + "\n");
    return;
  }
  Json json;
  json.set("file", path);
  console.out_json(json);
}

std::string gradient_names(const Description& d) {
  std::vector<std::string> names;
  for (const GradientProgram& g : d.gradients) names.push_back(g.update);
  return names.empty() ? "none" : list_some(names);
}

std::string forward_names(const Description& d) {
  std::vector<std::string> names;
  for (const ForwardProgram& f : d.forwards) names.push_back(f.net);
  return names.empty() ? "none" : list_some(names);
}

}  // namespace

Result<int> step(VerbContext context) {
  if (context.description.trains.empty())
    return fail("the program has no `train` block, so that it has no steps");
  auto start = begin(context);
  if (!start) return std::unexpected(start.error());
  Session& session = *start->session;
  const Description& d = session.description;
  Counters& counters = start->counters;
  if (!enter_block(d, counters))
    return fail(fmt::format("{} stands at the end of the schedule: no iteration follows it",
                            context.options.from));
  const Train& train = d.trains[static_cast<std::size_t>(counters.block)];
  const Program& program = d.programs[static_cast<std::size_t>(train.program)];
  auto feed = Feed::read(context.options.feed, d, program);
  if (!feed) return std::unexpected(feed.error());

  Execution execution(session.machine(), program);
  feed->attach(execution);
  const Scalars scalars(execution, program);
  const Gathered results(execution, program, {"loss/", "grad/"});
  feed->fill(session.arena->data());
  CounterValues values = counter_values(train, counters);
  values.gradients = true;
  fill_counters(session.arena->data(), program, values);
  execution.run();
  scalars.remember(counters.last);
  advance(train, counters);
  if (auto r = save_checkpoint(context.options.to, d, session.arena->data(), counters,
                               results.computed(scalars));
      !r)
    return std::unexpected(r.error());
  say_written(context.console, context.options.to);
  return 0;
}

Result<int> forward(VerbContext context) {
  const auto& forwards = context.description.forwards;
  const auto at = std::find_if(forwards.begin(), forwards.end(), [&](const ForwardProgram& f) {
    return f.net == context.options.net;
  });
  if (at == forwards.end())
    return fail(fmt::format("`--net {}`: there is no such net to run; there are: {}",
                            context.options.net, forward_names(context.description)),
                2);
  const std::int64_t index = at->program;
  auto start = begin(context);
  if (!start) return std::unexpected(start.error());
  Session& session = *start->session;
  const Program& program = session.description.programs[static_cast<std::size_t>(index)];
  auto feed = Feed::read(context.options.feed, session.description, program);
  if (!feed) return std::unexpected(feed.error());
  Execution execution(session.machine(), program);
  feed->attach(execution);
  const Gathered results(execution, program, {"out"});
  feed->fill(session.arena->data());
  fill_counters(session.arena->data(), program, {.progress = 1, .seed = start->counters.seed});
  execution.run();
  if (auto r = write_tensor_file(context.options.to, {{"format", "pt"}}, results.all()); !r)
    return std::unexpected(r.error());
  say_written(context.console, context.options.to);
  return 0;
}

Result<int> grad(VerbContext context) {
  const std::string of = context.options.of;
  if (context.description.trains.empty())
    return fail("the program has no `train` block, so that it has no gradients");
  auto start = begin(context);
  if (!start) return std::unexpected(start.error());
  Session& session = *start->session;
  const Description& d = session.description;
  // Where blocks have updates of one name, that of the checkpoint's block.
  const auto block =
      std::min(start->counters.block, static_cast<std::int64_t>(d.trains.size()) - 1);
  const Train& train = d.trains[static_cast<std::size_t>(std::max<std::int64_t>(0, block))];
  const GradientProgram* found = nullptr;
  for (const GradientProgram& g : d.gradients)
    if (g.update == of && (found == nullptr || g.train == train.name)) found = &g;
  if (found == nullptr)
    return fail(
        fmt::format("`--of {}`: there is no such update; there are: {}", of, gradient_names(d)), 2);
  const Program& program = d.programs[static_cast<std::size_t>(found->program)];
  auto feed = Feed::read(context.options.feed, d, program);
  if (!feed) return std::unexpected(feed.error());
  Execution execution(session.machine(), program);
  feed->attach(execution);
  const Gathered results(execution, program, {"loss/", "grad/"});
  feed->fill(session.arena->data());
  fill_counters(session.arena->data(), program, counter_values(train, start->counters));
  execution.run();
  if (auto r = write_tensor_file(context.options.to, {{"format", "pt"}}, results.all()); !r)
    return std::unexpected(r.error());
  say_written(context.console, context.options.to);
  return 0;
}

}  // namespace ganc::runtime
