#include <algorithm>
#include <cctype>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/diagnostics/explanations.h"

namespace ganc {
namespace {

// The text of the heading: "# E0010: a bracket is not closed" -> "a bracket is not closed".
std::string_view title(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t colon = line.find(": ");
  return colon == std::string_view::npos ? line : line.substr(colon + 2);
}

}  // namespace

std::string explain(std::string_view code) {
  std::string wanted(code);
  if (wanted.starts_with('e') && wanted.size() == 5) wanted[0] = 'E';
  for (const Explanation& e : explanations()) {
    if (e.code == wanted) return std::string(e.text);
  }
  return {};
}

std::string explain_list() {
  std::string list;
  for (const Kind kind : all_kinds()) {
    const KindInfo& row = info(kind);
    std::string_view about = row.format;
    for (const Explanation& e : explanations()) {
      if (e.code == row.code) about = title(e.text);
    }
    list += fmt::format("{}  {}\n", row.code, about);
  }
  return list;
}

}  // namespace ganc
