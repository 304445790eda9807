#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

// A JSON value. Whole numbers stay 64-bit integers; members of an object keep their order.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json();  // null
  // Out of line: inlined moves of a variant this large confuse GCC 12's check for uninitialized
  // values.
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(unsigned value) : value_(std::int64_t{value}) {}
  Json(std::uint64_t value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  static Json array(const std::vector<std::int64_t>& numbers);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const Array* elements() const { return std::get_if<Array>(&value_); }
  const Object* members() const { return std::get_if<Object>(&value_); }
  Object* members() { return std::get_if<Object>(&value_); }
  // Any number.
  std::optional<double> number() const;
  // A whole number of 0 or more that fits.
  std::optional<std::uint64_t> natural() const;

  // A member of an object, or null pointer.
  const Json* find(std::string_view key) const;
  // Adds a member; the value becomes an object if it was null.
  Json& set(std::string key, Json value);
  void push(Json value);

  // One line; numbers in the shortest form that reads back the same; NaN and infinity as null;
  // bytes that are no UTF-8 as U+FFFD.
  std::string dump() const;
  // With an indent of two spaces a level; arrays of numbers stay on a line.
  std::string dump_indented() const;

 private:
  void append(std::string& out, int indent) const;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

std::string json_string(std::string_view text);

struct JsonLimits {
  int depth = 32;
};

// Strict RFC 8259. Deeper nesting, a key given twice and integers beyond 64 bits are errors: "byte
// 17: ...".
Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

}  // namespace ganc::runtime
