#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/data/data_set.h"
#include "runtime/data/source_options.h"
#include "tests/unit/elaborate/elaborated.h"

// Compiler and trainer accept the same options of the sources that can be read.

namespace ganc::testing {
namespace {

struct Written {
  const char* text;
  runtime::SourceArgument value;
};

TEST_CASE("what check accepts of a source's options the trainer accepts, and nothing else") {
  const std::vector<std::string> sources = {"digits", "ring",   "grid", "swissroll",
                                            "mnist",  "images", "npy"};
  const std::vector<std::string> options = {"samples", "range", "split",  "name", "resize", "crop",
                                            "flip",    "modes", "radius", "std",  "side"};
  const std::vector<Written> values = {
      {"3", 3.0},
      {"2.5", 2.5},
      {"-1", -1.0},
      {"1e7", 1e7},
      {"1", 1.0},
      {"true", true},
      {"\"x\"", std::string("x")},
      {"\"train\"", std::string("train")},
      {"[0, 1]", std::vector<double>{0, 1}},
      {"[1, 0]", std::vector<double>{1, 0}},
      {"[0, 1, 2]", std::vector<double>{0, 1, 2}},
  };
  int accepted = 0, refused = 0;
  for (const std::string& source : sources)
    for (const std::string& option : options)
      for (const Written& value : values) {
        const bool named = source == "images" || source == "npy";
        std::string call =
            fmt::format("{}({}{} = {})", source, named && option != "name" ? "\"f\", " : "", option,
                        value.text);
        INFO(call);
        const char* shape = source == "digits" ? "[28, 28]" : "[2]";
        const Elaborated e(fmt::format("data a: {} from {}\noutput one = a\n", shape, call));
        runtime::SourceSpec spec;
        spec.function = source;
        if (named && option != "name") spec.arguments["name"] = std::string("f");
        spec.arguments[option] = value.value;
        const bool here = !e.diagnostics.has_error(),
                   there = runtime::read_options(spec).has_value();
        CHECK(here == there);
        ++(here ? accepted : refused);
      }
  CHECK(accepted > 40);
  CHECK(refused > 300);
}

TEST_CASE("the fields of digits that check accepts the trainer accepts, and no others") {
  const std::vector<std::vector<std::int64_t>> shapes = {
      {7, 7},       {8, 8},      {256, 256},   {257, 257},   {8, 9},       {1, 28, 28}, {2, 28, 28},
      {3, 28, 28},  {4, 28, 28}, {3, 28, 29},  {1, 6, 6},    {784},        {2352},      {785},
      {1, 1, 8, 8}, {36},        {1, 3, 8, 8}, {2, 4, 8, 1}, {3, 257, 257}};
  int accepted = 0;
  for (const auto& shape : shapes)
    for (const std::int64_t classes : {3, 10, 11}) {
      const std::string text = fmt::format(
          "data a: [{}], k: class[{}] from digits(samples = 2)\n"
          "output one = a\noutput two = real(k)\n",
          fmt::join(shape, ", "), classes);
      INFO(text);
      const Elaborated e(text);
      using Kind = runtime::FieldSpec::Kind;
      runtime::SourceSpec spec;
      spec.function = "digits";
      spec.arguments["samples"] = 2.0;
      spec.fields = {{"a", Kind::real, shape, 0}, {"k", Kind::class_, {}, classes}};
      const bool here = !e.diagnostics.has_error(),
                 there = runtime::open_data_set(spec, {}, false).has_value();
      CHECK(here == there);
      accepted += here;
    }
  CHECK(accepted > 10);
  CHECK(accepted < 40);
}

}  // namespace
}  // namespace ganc::testing
