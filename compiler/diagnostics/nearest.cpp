#include <algorithm>
#include <cctype>

#include "compiler/diagnostics/diagnostics.h"

namespace ganc {
namespace {

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// An edit counts `edit`; a letter replaced a little more: who leaves one out types the others
// right.
constexpr std::size_t edit = 16, replacement = 17;

// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j * edit;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i * edit;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] =
          std::min({last[j] + edit, row[j - 1] + edit, last[j - 1] + (same ? 0 : replacement)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + edit);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && lower(a[n]) == lower(b[n])) ++n;
  return n;
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = SIZE_MAX;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(name.size(), candidate.size());
    const std::size_t shorter = std::min(name.size(), candidate.size());
    const std::size_t allowed = longer <= 3 ? 1 : 1 + longer / 5;
    if (longer - shorter > allowed || shorter == 0) continue;
    const std::size_t distance = edit_distance(name, candidate);
    // A name that shares nothing with the candidate is no misspelling of it.
    const std::size_t edits = distance / edit;
    if (edits > allowed || edits >= shorter || distance > best_distance) continue;
    // Of equally near ones the one that begins alike, then the first.
    if (distance == best_distance && common_prefix(name, candidate) <= common_prefix(name, best))
      continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace ganc
