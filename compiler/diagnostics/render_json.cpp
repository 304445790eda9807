#include <nlohmann/json.hpp>

#include "compiler/diagnostics/diagnostics.h"

namespace ganc {
namespace {

using Json = nlohmann::ordered_json;

Json place(const Sources& sources, Span span) {
  const Position begin = sources.position(span.file, span.begin);
  const Position end = sources.position(span.file, span.end);
  return {{"file", sources.name(span.file)},
          {"line", begin.line},
          {"column", begin.column},
          {"end", {{"line", end.line}, {"column", end.column}}}};
}

Json labelled(const Sources& sources, Span span, const std::string& label, bool primary) {
  Json json = place(sources, span);
  json["label"] = label;
  json["primary"] = primary;
  return json;
}

}  // namespace

std::string render_json(const Diagnostic& diagnostic, const Sources& sources) {
  Json json;
  json["code"] = info(diagnostic.kind).code;
  json["severity"] = diagnostic.severity == Severity::error ? "error" : "warning";
  json["message"] = diagnostic.message;
  json["spans"] = Json::array();
  if (diagnostic.span.known()) {
    json["spans"].push_back(labelled(sources, diagnostic.span, diagnostic.primary_label, true));
  }
  for (const Label& label : diagnostic.labels) {
    if (label.span.known())
      json["spans"].push_back(labelled(sources, label.span, label.text, false));
  }
  json["notes"] = diagnostic.notes;
  json["fixes"] = Json::array();
  for (const Fix& fix : diagnostic.fixes) {
    Json entry = fix.span.known() ? place(sources, fix.span) : Json::object();
    entry["message"] = fix.message;
    entry["replacement"] = fix.text;
    json["fixes"].push_back(std::move(entry));
  }
  // What is no UTF-8 is shown as U+FFFD: the text itself may be what is wrong.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ganc
