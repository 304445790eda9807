#include "runtime/json.h"

#include <fmt/format.h>

#include <cmath>

namespace ganc::runtime {
namespace {

// The length of the UTF-8 sequence that begins at text[i], or 0.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const unsigned a = byte(i);
  const auto follows = [&](std::size_t k) { return (byte(i + k) & 0xC0) == 0x80; };
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a < 0xE0) return follows(1) ? 2 : 0;
  if (a >= 0xE0 && a < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    if (a == 0xE0 && byte(i + 1) < 0xA0) return 0;   // overlong
    if (a == 0xED && byte(i + 1) >= 0xA0) return 0;  // surrogate
    return 3;
  }
  if (a >= 0xF0 && a < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (a == 0xF0 && byte(i + 1) < 0x90) return 0;
    if (a == 0xF4 && byte(i + 1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const std::string text = fmt::format("{}", value);
  out += text;
  if (text.find_first_of(".e") == std::string::npos) out += ".0";  // a real stays a real
}

}  // namespace

Json::Json() = default;
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json Json::array(const std::vector<std::int64_t>& numbers) {
  return Array(numbers.begin(), numbers.end());
}

std::optional<double> Json::number() const {
  if (const auto* real = std::get_if<double>(&value_)) return *real;
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  return std::nullopt;
}

std::optional<std::uint64_t> Json::natural() const {
  const auto* whole = integer();
  if (whole == nullptr || *whole < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*whole);
}

const Json* Json::find(std::string_view key) const {
  if (const Object* object = members())
    for (const auto& [name, value] : *object)
      if (name == key) return &value;
  return nullptr;
}

Json& Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object();
  auto& object = std::get<Object>(value_);
  object.emplace_back(std::move(key), std::move(value));
  return *this;
}

void Json::push(Json value) {
  if (is_null()) value_ = Array();
  std::get<Array>(value_).push_back(std::move(value));
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++i;
    } else if (c == '\n') {
      out += "\\n";
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      ++i;
    } else if (const std::size_t n = utf8_length(text, i); n > 0) {
      out += text.substr(i, n);
      i += n;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  out += '"';
  return out;
}

void Json::append(std::string& out, int indent) const {
  const bool lines = indent >= 0;
  const int inner = lines ? indent + 2 : -1;
  const auto separate = [&](bool first, int width) {
    if (!first) out += lines ? "," : ", ";
    if (lines) out += '\n', out.append(static_cast<std::size_t>(width), ' ');
  };
  if (is_null()) {
    out += "null";
  } else if (const auto* b = boolean()) {
    out += *b ? "true" : "false";
  } else if (const auto* whole = integer()) {
    out += fmt::format("{}", *whole);
  } else if (const auto* real = std::get_if<double>(&value_)) {
    append_number(out, *real);
  } else if (const auto* text = string()) {
    out += json_string(*text);
  } else if (const auto* array = elements()) {
    bool flat = !lines;
    if (!flat) {
      flat = true;
      for (const Json& element : *array) flat = flat && element.number().has_value();
    }
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (flat) {
        if (i > 0) out += ", ";
        (*array)[i].append(out, -1);
      } else {
        separate(i == 0, inner);
        (*array)[i].append(out, inner);
      }
    }
    if (!flat && !array->empty()) out += '\n', out.append(static_cast<std::size_t>(indent), ' ');
    out += ']';
  } else if (const auto* object = members()) {
    out += '{';
    for (std::size_t i = 0; i < object->size(); ++i) {
      separate(i == 0, inner);
      out += json_string((*object)[i].first);
      out += ": ";
      (*object)[i].second.append(out, inner);
    }
    if (lines && !object->empty()) out += '\n', out.append(static_cast<std::size_t>(indent), ' ');
    out += '}';
  }
}

std::string Json::dump() const {
  std::string out;
  append(out, -1);
  return out;
}

std::string Json::dump_indented() const {
  std::string out;
  append(out, 0);
  return out;
}

}  // namespace ganc::runtime
