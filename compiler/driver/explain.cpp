#include <fmt/format.h>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/driver/verbs.h"

namespace ganc {
namespace {

Outcome list_of_codes(bool json) {
  Outcome outcome;
  outcome.text = explain_list();
  if (json) {
    auto codes = nlohmann::ordered_json::array();
    for (Kind kind : all_kinds()) {
      const KindInfo& row = info(kind);
      codes.push_back({{"code", std::string(row.code)},
                       {"name", std::string(row.name)},
                       {"severity", row.severity == Severity::error ? "error" : "warning"}});
    }
    outcome.document = {{"codes", std::move(codes)}};
  }
  return outcome;
}

}  // namespace

Outcome run_explain_code(const Options& options) {
  if (options.code.empty()) return list_of_codes(options.json);
  const std::string text = explain(options.code);
  if (text.empty()) {
    return Outcome::stopped(
        {fmt::format("there is no diagnostic `{}`; `ganc explain` lists them all", options.code),
         2});
  }
  Outcome outcome;
  outcome.text = text.ends_with('\n') ? text : text + "\n";
  outcome.document = {{"code", options.code}, {"text", text}};
  return outcome;
}

}  // namespace ganc
