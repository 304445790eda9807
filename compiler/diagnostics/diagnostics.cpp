#include "compiler/diagnostics/diagnostics.h"

#include <algorithm>
#include <array>

namespace ganc {
namespace {

constexpr Severity error = Severity::error;
constexpr Severity warning = Severity::warning;

constexpr std::array table = {
#define DIAGNOSTIC(name, severity, code, format) KindInfo{#name, severity, code, format},
#include "compiler/diagnostics/diagnostics.def"
#undef DIAGNOSTIC
};

const Kind* warning_named(std::string_view code, const std::vector<Kind>& kinds) {
  for (const Kind& kind : kinds) {
    if (info(kind).severity == Severity::warning && info(kind).code == code) return &kind;
  }
  return nullptr;
}

}  // namespace

const KindInfo& info(Kind kind) {
  return table[static_cast<std::size_t>(kind)];
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < table.size(); ++i) kinds.push_back(static_cast<Kind>(i));
  return kinds;
}

Report& Report::label(Span span, std::string text) {
  if (span == diagnostic_->span) {
    diagnostic_->primary_label = std::move(text);
  } else {
    diagnostic_->labels.push_back({span, std::move(text)});
  }
  return *this;
}

Report& Report::note(std::string text) {
  diagnostic_->notes.push_back(std::move(text));
  return *this;
}

Report& Report::fix(Span span, std::string message, std::string replacement) {
  diagnostic_->fixes.push_back({span, std::move(message), std::move(replacement)});
  return *this;
}

bool Diagnostics::allow(std::string_view name) {
  const std::vector<Kind> kinds = all_kinds();
  const Kind* kind = warning_named(name, kinds);
  if (kind) overrides_.emplace_back(*kind, false);
  return kind != nullptr;
}

bool Diagnostics::deny(std::string_view name) {
  if (name == "warnings") {
    deny_all_ = true;
    return true;
  }
  const std::vector<Kind> kinds = all_kinds();
  const Kind* kind = warning_named(name, kinds);
  if (kind) overrides_.emplace_back(*kind, true);
  return kind != nullptr;
}

std::vector<const Diagnostic*> Diagnostics::in_order() const {
  std::vector<const Diagnostic*> order;
  for (const Diagnostic& diagnostic : list_) order.push_back(&diagnostic);
  std::stable_sort(order.begin(), order.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return std::pair(a->span.file, a->span.begin) < std::pair(b->span.file, b->span.begin);
  });
  return order;
}

Report Diagnostics::add(Kind kind, Span span, std::string message) {
  Severity severity = info(kind).severity;
  bool allowed = false;
  if (severity == Severity::warning) {
    if (deny_all_) severity = Severity::error;
    // The last word on a warning counts; one about a single warning counts more than `warnings`.
    for (const auto& [which, denied] : overrides_) {
      if (which != kind) continue;
      allowed = !denied;
      severity = denied ? Severity::error : Severity::warning;
    }
  }
  const bool known = std::any_of(list_.begin(), list_.end(), [&](const Diagnostic& d) {
    return d.kind == kind && d.span == span && d.message == message;
  });
  if (allowed || known || full()) {
    dropped_ = Diagnostic{};
    return Report(&dropped_);
  }
  errors_ += severity == Severity::error;
  list_.push_back({kind, severity, std::move(message), span, {}, {}, {}, {}});
  return Report(&list_.back());
}

}  // namespace ganc
