#include "runtime/verbs/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "runtime/cpu.h"
#include "runtime/verbs/machine_limits.h"
#include "runtime/verbs/random_iteration.h"

namespace ganc::runtime {
namespace {

constexpr int most_runs = 20;
constexpr double most_seconds = 10;

// Seconds of every call, the median of several runs.
std::vector<double> measure(RandomIteration& iteration) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(iteration.program().calls.size());
  iteration.run();
  Clock::time_point last;
  iteration.execution().after_each_call([&](std::size_t call) {
    const auto now = Clock::now();
    times[call].push_back(std::chrono::duration<double>(now - last).count());
    last = Clock::now();
    return true;
  });
  const auto begin = Clock::now();
  for (int run = 0; run < most_runs &&
                    std::chrono::duration<double>(Clock::now() - begin).count() < most_seconds;
       ++run) {
    iteration.fill();
    last = Clock::now();
    iteration.compute();
  }
  std::vector<double> medians;
  for (auto& list : times) {
    std::sort(list.begin(), list.end());
    medians.push_back(list[list.size() / 2]);
  }
  return medians;
}

}  // namespace

Result<int> profile(VerbContext context) {
  Console& console = context.console;
  auto opened =
      Session::open(context.program, std::move(context.description), context.options, "", false);
  if (!opened) return std::unexpected(opened.error());
  Session& session = **opened;
  auto iteration = RandomIteration::create(session);
  if (!iteration) return std::unexpected(iteration.error());
  const MachineLimits limits = measure_limits(*session.pool, missing_features("x86-64-v4").empty());
  const std::vector<double> seconds = measure(**iteration);
  const auto& calls = (*iteration)->program().calls;
  double total = 0, total_bound = 0;
  Json rows{Json::Array()};
  std::string text = fmt::format(
      "{} threads: {:.4g} GFLOP/s of multiply-adds, {:.4g} GB/s to memory (measured)\n\n{:>9} "
      "{:>9} {:>6} {:>9} "
      "{:>9}  {}\n",
      session.pool->threads(), limits.flops * 1e-9, limits.bytes_per_second * 1e-9, "ms",
      "bound ms", "share", "GFLOP/s", "GB/s", "call");
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    const double bound = std::max(call.flop / limits.flops, call.bytes / limits.bytes_per_second);
    total += seconds[i];
    total_bound += bound;
    const double share = seconds[i] > 0 ? bound / seconds[i] : 1;
    text += fmt::format("{:>9.4f} {:>9.4f} {:>4.0f} % {:>9.2f} {:>9.2f}  {} {} {}\n",
                        seconds[i] * 1e3, bound * 1e3, share * 100, call.flop / seconds[i] * 1e-9,
                        call.bytes / seconds[i] * 1e-9, call.op, call.path, call.line);
    Json row;
    row.set("op", call.op);
    row.set("path", call.path);
    row.set("line", call.line);
    row.set("ms", seconds[i] * 1e3);
    row.set("bound_ms", bound * 1e3);
    row.set("flop", call.flop);
    row.set("bytes", call.bytes);
    rows.push(std::move(row));
  }
  text += fmt::format("\n{:>9.4f} {:>9.4f} {:>4.0f} %  an iteration\n", total * 1e3,
                      total_bound * 1e3, total > 0 ? total_bound / total * 100 : 100);
  if (!console.json()) {
    console.out(text);
    return 0;
  }
  Json json;
  json.set("threads", session.pool->threads());
  json.set("isa", session.variant->isa);
  json.set("flops", limits.flops);
  json.set("bytes_per_second", limits.bytes_per_second);
  json.set("ms", total * 1e3);
  json.set("bound_ms", total_bound * 1e3);
  json.set("calls", std::move(rows));
  console.out_json(json);
  return 0;
}

}  // namespace ganc::runtime
