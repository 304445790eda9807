#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/source/source.h"

namespace ganc::testing {

// What an error test expects on one of its lines, by hand, in a comment:
//
//   z + (z -> dense(10))  # error[E0207]: `+` needs equal shapes, but got [64] and [10]
//
// `# warning[name]: ...` likewise; several comments may stand behind one another. Where the line
// itself can hold no comment, `# error[E0004]@-1: ...` on the next one speaks of the line before.
struct Expectation {
  std::string severity;
  std::string code;
  std::uint32_t line = 0;
  std::string message;

  bool operator==(const Expectation&) const = default;
};

inline std::string describe(const Expectation& e) {
  return fmt::format("line {}: {}[{}]: {}", e.line, e.severity, e.code, e.message);
}

// Reads one comment that begins at `at` with `# severity[`; false where it is no expectation.
inline bool read_expectation(std::string_view line, std::size_t at, std::uint32_t number,
                             Expectation* e) {
  const std::size_t bracket = line.find('[', at);
  const std::size_t close = line.find(']', at);
  const std::size_t colon = line.find(": ", close);
  if (close == std::string_view::npos || colon == std::string_view::npos) return false;
  e->severity = line.substr(at + 2, bracket - at - 2);
  e->code = line.substr(bracket + 1, close - bracket - 1);
  const std::string_view offset = line.substr(close + 1, colon - close - 1);
  if (!offset.empty() && !offset.starts_with("@-")) return false;
  e->line =
      number -
      (offset.empty() ? 0 : static_cast<std::uint32_t>(std::stoul(std::string(offset.substr(2)))));
  const std::size_t next =
      std::min(line.find("  # error[", colon), line.find("  # warning[", colon));
  e->message = line.substr(colon + 2, next == std::string_view::npos ? next : next - colon - 2);
  return true;
}

inline std::vector<Expectation> expectations(std::string_view text) {
  std::vector<Expectation> list;
  std::uint32_t number = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    ++number;
    for (std::size_t at = line.find('#'); at != std::string_view::npos;
         at = line.find('#', at + 1)) {
      const std::string_view comment = line.substr(at);
      Expectation e;
      const bool expects = comment.starts_with("# error[") || comment.starts_with("# warning[");
      if (expects && read_expectation(line, at, number, &e)) list.push_back(std::move(e));
    }
    begin = end + 1;
  }
  return list;
}

// What of the diagnostics of `file` was not expected, and what of the expected did not come. A
// diagnostic of another file, or of none, is never expected.
inline std::vector<std::string> mismatches(const Sources& sources, std::uint32_t file,
                                           const Diagnostics& diagnostics) {
  std::vector<Expectation> missing = expectations(sources.text(file));
  std::vector<std::string> wrong;
  for (const Diagnostic* d : diagnostics.in_order()) {
    const bool here = d->span.known() && d->span.file == file;
    const Expectation got{d->severity == Severity::error ? "error" : "warning",
                          std::string(info(d->kind).code),
                          here ? sources.position(file, d->span.begin).line : 0, d->message};
    const auto found = here ? std::find(missing.begin(), missing.end(), got) : missing.end();
    if (found != missing.end()) {
      missing.erase(found);
    } else {
      const std::string_view where = here ? ""
                                     : d->span.known()
                                         ? std::string_view(sources.name(d->span.file))
                                         : "no place";
      wrong.push_back(
          fmt::format("not expected: {}{}{}", describe(got), here ? "" : ", in ", where));
    }
  }
  for (const Expectation& e : missing) wrong.push_back("did not come: " + describe(e));
  return wrong;
}

}  // namespace ganc::testing
