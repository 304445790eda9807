#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "runtime/json.h"

namespace ganc::runtime {
namespace {

class Parser {
 public:
  Parser(std::string_view text, JsonLimits limits) : text_(text), limits_(limits) {}

  Result<Json> document() {
    Json value;
    if (!parse_value(value, 0)) return fail(fmt::format("byte {}: {}", error_at_, error_));
    skip_space();
    if (at_ < text_.size()) {
      wrong("something follows the end");
      return fail(fmt::format("byte {}: {}", error_at_, error_));
    }
    return value;
  }

 private:
  bool wrong(std::string message) {
    error_ = std::move(message);
    error_at_ = at_;
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(char c) {
    if (at_ < text_.size() && text_[at_] == c) return ++at_, true;
    return false;
  }
  bool accept(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool parse_value(Json& value, int depth) {
    skip_space();
    if (at_ >= text_.size()) return wrong("it ends too early");
    if (depth > limits_.depth)
      return wrong(fmt::format("nested deeper than {} levels", limits_.depth));
    switch (text_[at_]) {
      case '{':
        return parse_object(value, depth);
      case '[':
        return parse_array(value, depth);
      case '"': {
        std::string text;
        if (!parse_string(text)) return false;
        value = Json(std::move(text));
        return true;
      }
      case 't':
        return accept("true") ? (value = Json(true), true) : wrong("an unknown word");
      case 'f':
        return accept("false") ? (value = Json(false), true) : wrong("an unknown word");
      case 'n':
        return accept("null") ? (value = Json(), true) : wrong("an unknown word");
      default:
        return parse_number(value);
    }
  }

  bool parse_object(Json& value, int depth) {
    ++at_;
    Json::Object object;
    skip_space();
    while (!accept('}')) {
      if (!object.empty() && !accept(',')) return wrong("`,` or `}` is missing");
      skip_space();
      std::string key;
      if (at_ >= text_.size() || text_[at_] != '"') return wrong("a key is missing");
      if (!parse_string(key)) return false;
      skip_space();
      if (!accept(':')) return wrong("`:` is missing");
      object.emplace_back(std::move(key), Json());
      if (!parse_value(object.back().second, depth + 1)) return false;
      skip_space();
    }
    if (const std::string* twice = repeated_key(object))
      return wrong(fmt::format("the key {} is given twice", json_string(*twice)));
    value = Json(std::move(object));
    return true;
  }

  static const std::string* repeated_key(const Json::Object& object) {
    std::vector<const std::string*> keys;
    keys.reserve(object.size());
    for (const auto& member : object) keys.push_back(&member.first);
    std::sort(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a < *b; });
    for (std::size_t i = 1; i < keys.size(); ++i)
      if (*keys[i - 1] == *keys[i]) return keys[i];
    return nullptr;
  }

  bool parse_array(Json& value, int depth) {
    ++at_;
    Json::Array array;
    skip_space();
    while (!accept(']')) {
      if (!array.empty() && !accept(',')) return wrong("`,` or `]` is missing");
      array.emplace_back();
      if (!parse_value(array.back(), depth + 1)) return false;
      skip_space();
    }
    value = Json(std::move(array));
    return true;
  }

  bool parse_number(Json& value) {
    const std::size_t begin = at_;
    accept('-');
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - from;
    };
    const std::size_t first = at_;
    const std::size_t whole = digits();
    if (whole == 0) return wrong("a value is missing");
    if (whole > 1 && text_[first] == '0') return wrong("a number begins with 0");
    bool real = false;
    if (accept('.')) {
      real = true;
      if (digits() == 0) return wrong("a number ends with a point");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      real = true;
      ++at_;
      if (!accept('+')) accept('-');
      if (digits() == 0) return wrong("a number has an empty exponent");
    }
    const char* from = text_.data() + begin;
    const char* to = text_.data() + at_;
    if (real) {
      double number = 0;
      const auto read = std::from_chars(from, to, number);
      if (read.ec != std::errc() || !std::isfinite(number)) return wrong("a number out of range");
      value = Json(number);
    } else {
      std::int64_t number = 0;
      if (std::from_chars(from, to, number).ec != std::errc())
        return wrong("an integer beyond 64 bits");
      value = Json(number);
    }
    return true;
  }

  bool parse_hex(unsigned& code) {
    if (at_ + 4 > text_.size()) return wrong("it ends too early");
    const auto read = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (read.ec != std::errc() || read.ptr != text_.data() + at_ + 4)
      return wrong("a wrong \\u escape");
    at_ += 4;
    return true;
  }

  bool parse_escape(std::string& out) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) return wrong("it ends too early");
    const char c = text_[at_++];
    if (const auto k = letters.find(c); k != std::string_view::npos) {
      out += meanings[k];
      return true;
    }
    unsigned code = 0;
    if (c != 'u') return wrong("an unknown escape");
    if (!parse_hex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      unsigned low = 0;
      if (!accept("\\u")) return wrong("half a surrogate pair");
      if (!parse_hex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return wrong("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return wrong("half a surrogate pair");
    }
    append_utf8(out, code);
    return true;
  }

  static void append_utf8(std::string& out, unsigned code) {
    const auto byte = [&](unsigned b) { out += static_cast<char>(b); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6), byte(0x80 | (code & 63));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
    } else {
      byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63));
      byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
    }
  }

  bool parse_string(std::string& out) {
    ++at_;
    while (true) {
      if (at_ >= text_.size()) return wrong("a text without an end");
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return wrong("a control character in a text");
      ++at_;
      if (c != '\\')
        out += c;
      else if (!parse_escape(out))
        return false;
    }
  }

  std::string_view text_;
  JsonLimits limits_;
  std::size_t at_ = 0;
  std::string error_;
  std::size_t error_at_ = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  return Parser(text, limits).document();
}

}  // namespace ganc::runtime
