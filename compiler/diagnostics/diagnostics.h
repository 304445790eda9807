#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "compiler/source/source.h"

namespace ganc {

enum class Severity { error, warning };

// One enumerator for each row of diagnostics.def: DIAGNOSTIC(name, severity, code, format).
// An error's code is "E0123"; a warning's is its name with hyphens, as `--allow` takes it.
enum class Kind {
#define DIAGNOSTIC(name, severity, code, format) name,
#include "compiler/diagnostics/diagnostics.def"
#undef DIAGNOSTIC
};

struct KindInfo {
  std::string_view name;
  Severity severity;
  std::string_view code;
  std::string_view format;  // fmt's syntax
};
const KindInfo& info(Kind kind);
std::vector<Kind> all_kinds();

struct Label {
  Span span;
  std::string text;
};

// Replace the bytes of `span` by `text`; a machine may apply it where `text` is no empty advice.
struct Fix {
  Span span;
  std::string message;  // "did you mean `dense`?"
  std::string text;     // the replacement; empty where the message is all there is
};

struct Diagnostic {
  Kind kind;
  Severity severity;
  std::string message;
  Span span;                  // the primary place
  std::string primary_label;  // what stands under the carets; may be empty
  std::vector<Label> labels;  // further places
  std::vector<std::string> notes;
  std::vector<Fix> fixes;
};

// What `report` returns: further parts of the diagnostic, in any order.
class Report {
 public:
  explicit Report(Diagnostic* diagnostic) : diagnostic_(diagnostic) {}
  Report& label(Span span, std::string text);  // the primary span: its own label
  Report& note(std::string text);
  Report& fix(Span span, std::string message, std::string replacement = "");

 private:
  Diagnostic* diagnostic_;
};

// The one list of what is wrong with a program. Equal diagnostics (kind, span, message) are kept
// once.
class Diagnostics {
 public:
  // `arguments` fill the format of `kind`; a format that does not fit its arguments is a bug of
  // ours.
  template <typename... Arguments>
  Report report(Kind kind, Span span, const Arguments&... arguments) {
    return add(kind, span, fmt::vformat(info(kind).format, fmt::make_format_args(arguments...)));
  }

  // `--allow NAME`, `--deny NAME`, `--deny warnings`. False: no such warning.
  bool allow(std::string_view warning);
  bool deny(std::string_view warning);

  bool has_error() const { return errors_ > 0; }
  std::size_t error_count() const { return errors_; }
  const std::deque<Diagnostic>& all() const { return list_; }
  // All, by file and place: as they are to be shown.
  std::vector<const Diagnostic*> in_order() const;

  // After this many errors nothing more is recorded and `full()` is true: stages then stop early.
  static constexpr std::size_t limit = 100;
  bool full() const { return errors_ >= limit; }

 private:
  Report add(Kind kind, Span span, std::string message);

  std::deque<Diagnostic> list_;
  std::size_t errors_ = 0;
  std::vector<std::pair<Kind, bool>>
      overrides_;  // a warning, and whether it is denied (else allowed)
  bool deny_all_ = false;
  Diagnostic dropped_{};  // what a report that is not kept writes to
};

// As a terminal shows it: message, place, source lines with carets, notes, fixes.
std::string render(const Diagnostic& diagnostic, const Sources& sources, bool colour);
// One JSON object: code, severity, message, spans (file, line, column, end, label), notes, fixes.
std::string render_json(const Diagnostic& diagnostic, const Sources& sources);

// The candidate nearest to `name` by edit distance, where one is near enough to be meant; else
// empty.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// What `ganc explain CODE` prints: cause, example, remedy. Empty: no such code.
std::string explain(std::string_view code);
// Every code with its title, a line each.
std::string explain_list();

}  // namespace ganc
