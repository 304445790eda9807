#include "runtime/data/source_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace ganc::runtime {
namespace {

struct FunctionRow {
  SourceFunction function;
  std::string_view name;
  bool drawn;
  std::string_view options;  // names between spaces
};

constexpr std::array rows = {
    FunctionRow{SourceFunction::digits, "digits", true, " range samples "},
    FunctionRow{SourceFunction::ring, "ring", true, " modes radius std samples "},
    FunctionRow{SourceFunction::grid, "grid", true, " side std samples "},
    FunctionRow{SourceFunction::swissroll, "swissroll", true, " samples "},
    FunctionRow{SourceFunction::mnist, "mnist", false, " split range resize crop flip "},
    FunctionRow{SourceFunction::images, "images", false, " name resize crop flip range split "},
    FunctionRow{SourceFunction::npy, "npy", false, " name "},
    FunctionRow{SourceFunction::other, "", false, " name split range resize crop flip "},
};

const FunctionRow& row_of(SourceFunction function) {
  return *std::ranges::find(rows, function, &FunctionRow::function);
}

struct NumberRow {
  std::string_view name;
  double low, high;
  bool whole;
};

constexpr std::array numbers = {
    NumberRow{"samples", 1, 1e9, true}, NumberRow{"resize", 0, 32768, true},
    NumberRow{"crop", 0, 32768, true},  NumberRow{"modes", 1, 1e6, true},
    NumberRow{"side", 1, 1000, true},   NumberRow{"radius", 0, 1e6, false},
    NumberRow{"std", 0, 1e6, false},
};

class OptionReader {
 public:
  OptionReader(const SourceSpec& spec, SourceOptions& options) : spec_(spec), options_(options) {}

  Result<void> read(std::string_view name, const SourceArgument& argument) {
    if (name == "range") return range(argument);
    if (name == "split") return split(argument);
    if (name == "name") return text(name, argument, options_.name);
    if (name == "flip") return truth(name, argument, options_.flip);
    if (name == "radius") return number(name, argument, options_.radius);
    if (name == "std") return number(name, argument, options_.std);
    for (const auto& [whole, target] : whole_numbers_) {
      if (name != whole) continue;
      double value = 0;
      auto read = number(name, argument, value);
      if (read) options_.*target = static_cast<std::int64_t>(value);
      return read;
    }
    return {};
  }

 private:
  Result<void> number(std::string_view name, const SourceArgument& argument, double& to) {
    const auto& row = *std::ranges::find(numbers, name, &NumberRow::name);
    const auto* value = std::get_if<double>(&argument);
    if (value && *value >= row.low && *value <= row.high &&
        (!row.whole || *value == std::floor(*value))) {
      to = *value;
      return {};
    }
    return source_failure(spec_, fmt::format("`{}` is a {}number from {:.0f} to {:.0f}{}", name,
                                             row.whole ? "whole " : "", row.low, row.high,
                                             value ? fmt::format(", not {}", *value) : ""));
  }

  // 0 stands for a range that is not given.
  Result<void> range(const SourceArgument& argument) {
    if (const auto* zero = std::get_if<double>(&argument); zero && *zero == 0) return {};
    const auto* pair = std::get_if<std::vector<double>>(&argument);
    if (!pair || pair->size() != 2 || !std::isfinite((*pair)[0]) || !std::isfinite((*pair)[1]) ||
        !((*pair)[0] < (*pair)[1]))
      return source_failure(spec_, "`range` is a list of two numbers, the lower first: [0, 1]");
    options_.low = (*pair)[0];
    options_.high = (*pair)[1];
    return {};
  }

  Result<void> split(const SourceArgument& argument) {
    if (auto read = text("split", argument, options_.split); !read) return read;
    if (options_.split.empty() || options_.split == "train" || options_.split == "test") return {};
    return source_failure(
        spec_, fmt::format("`split` is \"train\" or \"test\", not \"{}\"", options_.split));
  }

  Result<void> text(std::string_view name, const SourceArgument& argument, std::string& to) {
    const auto* value = std::get_if<std::string>(&argument);
    if (!value) return source_failure(spec_, fmt::format("`{}` is a text in quotes", name));
    if (value->find('\0') != std::string::npos)
      return source_failure(spec_, fmt::format("`{}` has a zero byte in it", name));
    to = *value;
    return {};
  }

  Result<void> truth(std::string_view name, const SourceArgument& argument, bool& to) {
    if (const auto* value = std::get_if<bool>(&argument)) {
      to = *value;
      return {};
    }
    if (const auto* value = std::get_if<double>(&argument); value && (*value == 0 || *value == 1)) {
      to = *value == 1;
      return {};
    }
    return source_failure(spec_, fmt::format("`{}` is true or false", name));
  }

  static constexpr std::pair<std::string_view, std::int64_t SourceOptions::*> whole_numbers_[] = {
      {"samples", &SourceOptions::samples}, {"resize", &SourceOptions::resize},
      {"crop", &SourceOptions::crop},       {"modes", &SourceOptions::modes},
      {"side", &SourceOptions::side},
  };
  const SourceSpec& spec_;
  SourceOptions& options_;
};

std::string known_options(SourceFunction function) {
  std::string list;
  for (const char c : row_of(function).options) {
    if (c == ' ' && !list.empty()) list += ", ";
    if (c != ' ') list += c;
  }
  list.resize(list.size() - 2);
  return list;
}

}  // namespace

SourceFunction source_function(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &FunctionRow::name);
  return row == rows.end() ? SourceFunction::other : row->function;
}

bool is_drawn(SourceFunction function) {
  return row_of(function).drawn;
}

bool takes_option(SourceFunction function, std::string_view option) {
  return row_of(function).options.find(fmt::format(" {} ", option)) != std::string_view::npos;
}

Result<SourceOptions> read_options(const SourceSpec& spec) {
  const SourceFunction function = source_function(spec.function);
  SourceOptions options;
  if (function == SourceFunction::grid) options.std = 0.05;
  OptionReader reader(spec, options);
  for (const auto& [name, argument] : spec.arguments) {
    if (!takes_option(function, name)) {
      if (function == SourceFunction::other) continue;
      return source_failure(
          spec, fmt::format("has no argument `{}`; it has {}", name, known_options(function)));
    }
    if (auto read = reader.read(name, argument); !read) return std::unexpected(read.error());
  }
  return options;
}

std::unexpected<Failure> source_failure(const SourceSpec& spec, std::string_view text) {
  if (spec.place.empty()) return fail(fmt::format("{}: {}", spec.function, text));
  return fail(fmt::format("{}: {}: {}", spec.place, spec.function, text));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace ganc::runtime
