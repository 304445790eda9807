#include "runtime/verbs/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "runtime/verbs/machine_limits.h"
#include "runtime/verbs/random_iteration.h"

namespace ganc::runtime {
namespace {

constexpr int most_runs = 20;
constexpr double most_seconds = 5;  // of each of two ways to run

double median(std::vector<double> list) {
  if (list.empty()) return 0;
  std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2),
                   list.end());
  return list[list.size() / 2];
}

using Clock = std::chrono::steady_clock;
double seconds_from(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Calls `run` as often as is worth it.
void repeat(const std::function<void()>& run) {
  const auto begin = Clock::now();
  for (int i = 0; i < most_runs && seconds_from(begin) < most_seconds; ++i) run();
}

// Medians of several iterations, in seconds.
struct Times {
  std::vector<double> calls;  // of each call alone, all threads waiting after it
  double whole = 0;           // an iteration as training runs it
  double feed = 0;            // of it, placing data and counters
};

Times measure(RandomIteration& iteration) {
  std::vector<double> whole, feed;
  iteration.run();
  repeat([&] {
    const auto begin = Clock::now();
    iteration.fill();
    feed.push_back(seconds_from(begin));
    iteration.compute();
    whole.push_back(seconds_from(begin));
  });
  std::vector<std::vector<double>> times(iteration.program().calls.size());
  Clock::time_point last;
  iteration.execution().after_each_call([&](std::size_t call) {
    times[call].push_back(seconds_from(last));
    last = Clock::now();
    return true;
  });
  repeat([&] {
    iteration.fill();
    last = Clock::now();
    iteration.compute();
  });
  Times result{{}, median(whole), median(feed)};
  for (const auto& list : times) result.calls.push_back(median(list));
  return result;
}

// As the compiler's own prediction is made, of the limits of this machine.
struct Prediction {
  double seconds = 0;
  std::string_view bound;
};
Prediction predict(const Call& call, const MachineLimits& limits, unsigned threads) {
  const double part =
      static_cast<double>(std::min<std::int64_t>(std::max<std::int64_t>(call.units, 1), threads)) /
      threads;
  const double arithmetic = 2 * call.operations / (limits.flops * part);
  const double near = call.near / (limits.near * part),
               middle = call.middle / (limits.middle * part), far = call.far / limits.far;
  const double moving = near + middle + far, work = std::max(arithmetic, moving);
  if (limits.start > work) return {work + limits.start, "start"};
  if (arithmetic >= moving) return {work + limits.start, "multiply-add"};
  return {work + limits.start, far >= near && far >= middle ? "memory"
                               : middle >= near             ? "L3"
                                                            : "L2"};
}

struct Row {
  std::size_t call;
  double seconds;
  Prediction prediction;
};

struct Report {
  const Program& program;
  const MachineLimits& limits;
  const Times& times;
  std::vector<Row> rows;  // the most expensive first
  double in_calls = 0, predicted = 0, flop = 0, bytes = 0;
};

double bytes_of(const Call& call) {
  return call.near + call.middle + call.far;
}

Report report_of(const Program& program, const MachineLimits& limits, const Times& times,
                 unsigned threads) {
  Report report{program, limits, times, {}};
  for (std::size_t i = 0; i < program.calls.size(); ++i) {
    const Call& call = program.calls[i];
    report.rows.push_back({i, times.calls[i], predict(call, limits, threads)});
    report.in_calls += times.calls[i];
    report.predicted += report.rows.back().prediction.seconds;
    report.flop += call.flop;
    report.bytes += bytes_of(call);
  }
  std::stable_sort(report.rows.begin(), report.rows.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return report;
}

double percent(double part, double whole) {
  return whole > 0 ? part / whole * 100 : 0;
}

std::string text_of(const Report& r, unsigned threads, const char* isa) {
  const MachineLimits& l = r.limits;
  std::string text = fmt::format(
      "{} threads, {}: {:.4g} GFLOP/s of multiply-adds; {:.4g} GB/s near (L2), {:.4g} in the "
      "middle "
      "(L3), {:.4g} to memory; {:.2f} us a barrier (measured)\n\n"
      "{:>9} {:>7} {:>9} {:>8} {:>9} {:>8}  {:12}  {:>5}  what\n",
      threads, isa, l.flops * 1e-9, l.near * 1e-9, l.middle * 1e-9, l.far * 1e-9, l.start * 1e6,
      "ms", "share", "least ms", "of limit", "GFLOP/s", "GB/s", "bound", "call");
  const auto line = [&](double seconds, double predicted, double flop, double bytes,
                        std::string_view bound, const std::string& call, const std::string& what) {
    text +=
        fmt::format("{:>9.4f} {:>5.1f} % {:>9.4f} {:>6.0f} % {:>9.2f} {:>8.2f}  {:12}  {:>5}  {}\n",
                    seconds * 1e3, percent(seconds, r.times.whole), predicted * 1e3,
                    percent(predicted, seconds), seconds > 0 ? flop / seconds * 1e-9 : 0,
                    seconds > 0 ? bytes / seconds * 1e-9 : 0, bound, call, what);
  };
  for (const Row& row : r.rows) {
    const Call& call = r.program.calls[row.call];
    line(row.seconds, row.prediction.seconds, call.flop, bytes_of(call), row.prediction.bound,
         fmt::format("{}", row.call),
         fmt::format("{}{}{}{}{}", call.op, call.path.empty() ? "" : " ", call.path,
                     call.line.empty() ? "" : " ", call.line));
  }
  text += "\n";
  line(r.in_calls, r.predicted, r.flop, r.bytes, "", fmt::format("{}", r.rows.size()),
       "calls, one by one");
  text += fmt::format("{:>9.4f} {:>5.1f} %{:63}data and counters\n", r.times.feed * 1e3,
                      percent(r.times.feed, r.times.whole), "");
  const double rest = r.times.whole - r.in_calls - r.times.feed;
  text += fmt::format(
      "{:>9.4f} {:>5.1f} %{:63}else: barriers, checks (less than 0: what calls "
      "gain when they follow each other)\n",
      rest * 1e3, percent(rest, r.times.whole), "");
  line(r.times.whole, r.predicted, r.flop, r.bytes, "", "", "an iteration");
  return text;
}

Json json_of(const Report& r, unsigned threads, const char* isa) {
  Json limits, rows{Json::Array()}, json;
  limits.set("flops", r.limits.flops);
  limits.set("near_bytes_per_second", r.limits.near);
  limits.set("middle_bytes_per_second", r.limits.middle);
  limits.set("far_bytes_per_second", r.limits.far);
  limits.set("barrier_us", r.limits.start * 1e6);
  for (const Row& row : r.rows) {
    const Call& call = r.program.calls[row.call];
    Json entry;
    entry.set("ms", row.seconds * 1e3);
    entry.set("share", percent(row.seconds, r.times.whole) / 100);
    entry.set("least_ms", row.prediction.seconds * 1e3);
    entry.set("flop", call.flop);
    entry.set("bytes", bytes_of(call));
    entry.set("bound", std::string(row.prediction.bound));
    entry.set("call", row.call);
    entry.set("op", call.op);
    entry.set("path", call.path);
    entry.set("line", call.line);
    rows.push(std::move(entry));
  }
  json.set("threads", threads);
  json.set("isa", isa);
  json.set("limits", std::move(limits));
  json.set("ms", r.times.whole * 1e3);
  json.set("calls_ms", r.in_calls * 1e3);
  json.set("data_ms", r.times.feed * 1e3);
  json.set("least_ms", r.predicted * 1e3);
  json.set("flop", r.flop);
  json.set("bytes", r.bytes);
  json.set("calls", std::move(rows));
  return json;
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
  const unsigned threads = session.pool->threads();
  const bool wide = std::string_view(session.variant->isa) != "x86-64-v3";
  const MachineLimits limits = measure_limits(*session.pool, wide);
  const Times times = measure(**iteration);
  const Report report = report_of((*iteration)->program(), limits, times, threads);
  if (console.json())
    console.out_json(json_of(report, threads, session.variant->isa));
  else
    console.out(text_of(report, threads, session.variant->isa));
  return 0;
}

}  // namespace ganc::runtime
