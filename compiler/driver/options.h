#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ganc {

enum class Verb { build, run, check, format, emit, explain_code, explain_grad, explain_cost };
enum class EmitStage { ast, graph, gradient, kernels, memory, llvm, assembly, ptx, dot };
enum class Cpu { automatic, x86_64_v3, x86_64_v4, avx512_bf16, amx, native };
enum class Precision { exact, fast, bf16 };
std::string_view name(Precision precision);

// What every verb that compiles takes.
struct CompileOptions {
  std::vector<std::pair<std::string, std::string>> set;  // --set NAME=VALUE
  std::optional<std::int64_t> batch;
  std::optional<Precision> precision;  // none: the file's, else fast
  bool f64 = false;                    // --dtype f64
  Cpu cpu = Cpu::automatic;
  bool cuda = false;     // --target names it
  bool optimize = true;  // false: -O0
  std::vector<std::string> allow, deny;
};

struct Options {
  Verb verb = Verb::check;
  bool json = false;
  std::vector<std::string> files;  // "-" is standard input
  CompileOptions compile;
  std::string output;                          // build -o; empty: named after the file
  std::vector<std::string> trainer_arguments;  // run, after "--"
  bool check_layout = false;                   // fmt --check
  EmitStage stage = EmitStage::ast;
  std::string program;   // --program; empty: all
  std::string code;      // explain CODE; empty: the list
  std::string weight;    // explain grad WEIGHT
  unsigned threads = 2;  // explain cost --threads
};

// What the command line asks for without any work: help, the version, or wrong usage.
struct UsageEnd {
  int exit_code;     // 0, or 2 for wrong usage
  std::string text;  // for standard output where exit_code is 0, else for standard error
  bool json;         // --format json was among the arguments
};

// `arguments` without the program's own name.
std::expected<Options, UsageEnd> parse_options(std::vector<std::string> arguments);

}  // namespace ganc
