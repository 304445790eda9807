#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/json.h"
#include "runtime/tensor.h"

namespace ganc::runtime {

// Walks the JSON; the first thing that is wrong is kept with its place, and everything after it
// reads as empty.
class DescriptionReader {
 public:
  explicit DescriptionReader(const Json& root) { places_.push_back({&root, ""}); }

  const std::string& error() const { return error_; }
  void wrong(std::string_view key, std::string_view what) {
    if (!error_.empty()) return;
    for (const auto& place : places_) error_ += place.second;
    error_ += fmt::format(".{} {}", key, what);
  }

  std::string text(std::string_view key) {
    const Json* value = get(key);
    if (value == nullptr || value->string() == nullptr) return wrong(key, "is no text"), "";
    return *value->string();
  }
  std::int64_t integer(std::string_view key) {
    const Json* value = get(key);
    if (value == nullptr || value->integer() == nullptr) return wrong(key, "is no integer"), 0;
    return *value->integer();
  }
  std::int64_t natural(std::string_view key) {
    const std::int64_t value = integer(key);
    if (value < 0) return wrong(key, "is negative"), 0;
    return value;
  }
  // In [0, count).
  std::int64_t index(std::string_view key, std::size_t count) {
    const std::int64_t value = natural(key);
    if (value >= static_cast<std::int64_t>(count)) return wrong(key, "is out of range"), 0;
    return value;
  }
  double number(std::string_view key) {
    const Json* value = get(key);
    if (value == nullptr || !value->number()) return wrong(key, "is no number"), 0;
    return *value->number();
  }
  bool boolean(std::string_view key) {
    const Json* value = get(key);
    if (value == nullptr || value->boolean() == nullptr)
      return wrong(key, "is no truth value"), false;
    return *value->boolean();
  }
  DType dtype(std::string_view key) {
    const auto type = dtype_of(text(key));
    if (!type) wrong(key, "is no dtype");
    return type.value_or(DType::f32);
  }
  std::vector<std::int64_t> integers(std::string_view key) {
    std::vector<std::int64_t> numbers;
    for (const Json& element : array(key)) {
      if (element.integer() == nullptr) return wrong(key, "holds no integers"), numbers;
      numbers.push_back(*element.integer());
    }
    return numbers;
  }
  std::vector<double> numbers(std::string_view key) {
    std::vector<double> list;
    for (const Json& element : array(key)) {
      if (!element.number()) return wrong(key, "holds no numbers"), list;
      list.push_back(*element.number());
    }
    return list;
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> list;
    for (const Json& element : array(key)) {
      if (element.string() == nullptr) return wrong(key, "holds no texts"), list;
      list.push_back(*element.string());
    }
    return list;
  }
  bool has(std::string_view key) const { return get(key) != nullptr; }
  const Json* get(std::string_view key) const {
    return places_.back().first == nullptr ? nullptr : places_.back().first->find(key);
  }

  // Calls read() inside every object of the list `key`.
  template <typename F>
  auto list(std::string_view key, F read) {
    std::vector<decltype(read())> result;
    const Json::Array& elements = array(key);
    result.reserve(elements.size());
    for (std::size_t i = 0; i < elements.size() && error_.empty(); ++i) {
      places_.push_back({&elements[i], fmt::format(".{}[{}]", key, i)});
      result.push_back(read());
      places_.pop_back();
    }
    return result;
  }
  template <typename F>
  void object(std::string_view key, F read) {
    const Json* value = get(key);
    if (value == nullptr || value->members() == nullptr) return wrong(key, "is no object");
    places_.push_back({value, fmt::format(".{}", key)});
    read();
    places_.pop_back();
  }

 private:
  const Json::Array& array(std::string_view key) {
    static const Json::Array none;
    const Json* value = get(key);
    if (value == nullptr || value->elements() == nullptr) return wrong(key, "is no list"), none;
    return *value->elements();
  }
  std::vector<std::pair<const Json*, std::string>> places_;
  std::string error_;
};

}  // namespace ganc::runtime
