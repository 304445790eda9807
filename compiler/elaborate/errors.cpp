#include <algorithm>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

constexpr std::int64_t most_steps = 4'000'000;
constexpr std::size_t most_nodes = 500'000;
constexpr std::int64_t most_elements = std::int64_t{1} << 40;
constexpr std::int64_t longest_axis = (std::int64_t{1} << 31) - 1;
constexpr std::ptrdiff_t most_stack = 4 << 20;  // bytes; a main thread has 8 MiB
constexpr std::size_t longest_chain = 12;       // calls printed

}  // namespace

void Elaborator::fail(Report) {
  throw Failed{};
}

bool Elaborator::in_prelude(Span span) const {
  return span.known() && prelude_files.contains(span.file);
}

Span Elaborator::user_place(const Frame& frame, Span span) const {
  for (const Frame* f = &frame; f && (!span.known() || in_prelude(span)); f = f->caller) {
    span = f->call_span;
  }
  return span;
}

void Elaborator::add_call_chain(Report& report, const Frame& frame, Span span, Span place) const {
  if (span != place && span.known()) {
    report.note(fmt::format("in the standard library: `{}`", text(span)));
  }
  std::vector<Span> printed;  // a recursion is shown once
  for (const Frame* f = &frame; f && printed.size() < longest_chain; f = f->caller) {
    if (!f->call_span.known() || in_prelude(f->call_span) || f->name.empty()) continue;
    if (std::find(printed.begin(), printed.end(), f->call_span) != printed.end()) continue;
    printed.push_back(f->call_span);
    if (f->call_span == place) {
      report.note(fmt::format("in the call of `{}`", f->name));
    } else {
      report.label(f->call_span, fmt::format("`{}` is called here", f->name));
    }
  }
}

void Elaborator::charge(const Frame& frame, Span span, std::int64_t steps) {
  if (exhausted_) throw Failed{};  // nothing that follows is worth reporting
  steps_ += steps;
  const char here = 0;
  const std::ptrdiff_t used = stack_base > &here ? stack_base - &here : &here - stack_base;
  const bool nested = used > most_stack;
  const bool grown = work && work->graph.nodes.size() > most_nodes;
  exhausted_ = nested || grown || steps_ > most_steps;
  if (nested) error(frame, Kind::nested_too_much, span, "calls");
  if (grown) error(frame, Kind::too_many_nodes, span, most_nodes);
  if (exhausted_) error(frame, Kind::too_much_work, span, most_steps);
}

void Elaborator::check_elements(const Frame& frame, Span span, const Shape& shape,
                                std::int64_t count) {
  // In double: the product of what a program may write overflows 64 bits.
  double elements = static_cast<double>(count < 0 ? 1 : count);
  bool fits = shape.size() <= 16;
  for (const std::int64_t n : shape) {
    if (n < 0)
      error(frame, Kind::wrong_value, span, "a shape", "lengths of at least 0", print(shape));
    elements *= static_cast<double>(n);
    fits = fits && n <= longest_axis;
  }
  if (elements > static_cast<double>(most_elements) || !fits)
    error(frame, Kind::too_large, span, print(shape));
}

std::string Elaborator::line_of(Span span) const {
  return fmt::format("{}:{}: ", sources_.name(span.file),
                     sources_.position(span.file, span.begin).line);
}

std::string Elaborator::text(Span span) const {
  if (!span.known()) return {};
  std::string line;
  bool space = false;
  for (const char c : sources_.text(span)) {  // on one line
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank && space && !line.empty()) line += ' ';
    space = blank;
    if (!blank) line += c;
  }
  if (line.size() > 60) line = line.substr(0, 57) + "...";
  return line;
}

}  // namespace ganc::elab
