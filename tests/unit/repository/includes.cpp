// Dependencies run one way: what each folder may include, as docs/architecture.md draws it.
#include <catch2/catch.hpp>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "source_tree.h"

namespace {

using Set = std::set<std::string>;

// A folder of the compiler may include itself and these; `llvm` stands for LLVM's and lld's
// headers, `abi` for runtime/abi.h.
const std::map<std::string, Set> allowed = {
    {"source", {}},
    {"diagnostics", {"source"}},
    {"lex", {"source", "diagnostics"}},
    {"parse", {"source", "diagnostics", "lex"}},
    {"graph", {"source"}},
    {"ops", {"source", "graph"}},
    {"interpret", {"graph", "ops"}},
    {"autodiff", {"graph", "ops"}},
    {"rewrite", {"graph", "ops"}},
    {"elaborate", {"source", "diagnostics", "lex", "parse", "graph", "ops", "prelude"}},
    {"prelude", {}},
    {"kernel", {"source", "graph", "ops"}},
    {"schedule", {"source", "graph", "ops", "elaborate", "kernel"}},
    {"codegen", {"graph", "ops", "kernel", "abi", "llvm"}},
    {"link", {"llvm"}},
    {"driver",
     {"source", "diagnostics", "lex", "parse", "graph", "ops", "interpret", "autodiff", "rewrite",
      "elaborate", "kernel", "schedule", "codegen", "link", "abi"}},
};

// What the line includes: a folder of the compiler, "abi", "runtime", "llvm", or nothing that
// matters here.
std::string included(const std::string& line) {
  static const std::regex directive(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  std::smatch match;
  if (!std::regex_search(line, match, directive)) return "";
  const std::string path = match[1];
  if (path == "runtime/abi.h") return "abi";
  const std::string top = path.substr(0, path.find('/'));
  if (top == "compiler") return path.substr(9, path.find('/', 9) - 9);
  if (top == "runtime") return "runtime";
  if (top == "llvm" || top == "llvm-c" || top == "lld") return "llvm";
  return "";
}

// "path:line: why" for each include that runs against the direction.
std::vector<std::string> violations(const SourceFile& file) {
  std::vector<std::string> list;
  const bool compiler = file.path.starts_with("compiler/");
  const bool runtime = file.path.starts_with("runtime/");
  if (!compiler && !runtime) return list;
  const std::string folder = compiler ? file.path.substr(9, file.path.find('/', 9) - 9) : "runtime";
  std::istringstream lines(file.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string what = included(line);
    if (what.empty() || what == folder) continue;
    const bool fine =
        runtime ? what == "abi" : allowed.contains(folder) && allowed.at(folder).contains(what);
    if (!fine)
      list.push_back(file.path + ":" + std::to_string(number) + ": " + folder +
                     " may not include " + what);
  }
  return list;
}

}  // namespace

TEST_CASE("an include against the direction is found") {
  const auto count = [](std::string path, std::string text) {
    return violations({path, text}).size();
  };
  CHECK(count("compiler/lex/lex.cpp", "#include \"compiler/diagnostics/diagnostics.h\"\n") == 0);
  CHECK(count("compiler/lex/lex.cpp", "#include \"compiler/lex/token.h\"\n#include <vector>\n") ==
        0);
  CHECK(count("compiler/lex/lex.cpp", "#include \"compiler/parse/ast.h\"\n") == 1);
  CHECK(count("compiler/rewrite/rewrite.cpp", "#  include \"compiler/schedule/plan.h\"\n") == 1);
  CHECK(count("compiler/schedule/plan.cpp", "#include <llvm/IR/Module.h>\n") == 1);
  CHECK(count("compiler/driver/trainer.cpp", "#include <lld/Common/Driver.h>\n") == 1);
  CHECK(count("compiler/codegen/cpu.cpp", "#include <llvm/IR/Module.h>\n") == 0);
  CHECK(count("compiler/driver/describe.cpp", "#include \"runtime/abi.h\"\n") == 0);
  CHECK(count("compiler/driver/describe.cpp", "#include \"runtime/result.h\"\n") == 1);
  CHECK(count("runtime/pool.cpp", "#include \"compiler/graph/graph.h\"\n") == 1);
  CHECK(count("runtime/data/loader.cpp", "#include \"runtime/pool.h\"\n") == 0);
  CHECK(count("compiler/utilities/text.cpp", "#include \"compiler/graph/graph.h\"\n") ==
        1);  // an unknown folder
}

TEST_CASE("includes run one way") {
  std::size_t files = 0;
  for (const SourceFile& file : source_tree()) {
    files += file.path.starts_with("compiler/") && file.path.ends_with(".cpp");
    for (const std::string& violation : violations(file)) {
      INFO(violation);
      CHECK(violation.empty());
    }
  }
  CHECK(files > 20);  // the tree was really read
}
