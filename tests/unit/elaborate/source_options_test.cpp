#include <fmt/format.h>

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

}  // namespace
}  // namespace ganc::testing
