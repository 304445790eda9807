#include "compiler/driver/options.h"

#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/driver/version.h"

namespace ganc {
namespace {

// What CLI11 fills: words, which `to_options` then gives their meaning.
struct Words {
  std::vector<std::string> files, set, allow, deny, explain;
  std::string file, output, program, stage, format = "text", dtype = "f32", cpu = "auto", precision;
  std::vector<std::string> target;
  std::int64_t batch = 0;
  int optimization = 2;
  unsigned threads = 2;
  bool check = false;
};

const std::map<std::string, EmitStage> stages = {{"ast", EmitStage::ast},
                                                 {"graph", EmitStage::graph},
                                                 {"gradient", EmitStage::gradient},
                                                 {"kernels", EmitStage::kernels},
                                                 {"memory", EmitStage::memory},
                                                 {"llvm", EmitStage::llvm},
                                                 {"asm", EmitStage::assembly},
                                                 {"ptx", EmitStage::ptx},
                                                 {"dot", EmitStage::dot}};
const std::map<std::string, Cpu> cpus = {{"auto", Cpu::automatic},
                                         {"x86-64-v3", Cpu::x86_64_v3},
                                         {"x86-64-v4", Cpu::x86_64_v4},
                                         {"avx512-bf16", Cpu::avx512_bf16},
                                         {"amx", Cpu::amx},
                                         {"native", Cpu::native}};
const std::map<std::string, Precision> precisions = {
    {"exact", Precision::exact}, {"fast", Precision::fast}, {"bf16", Precision::bf16}};

template <typename T>
std::vector<std::string> names(const std::map<std::string, T>& table) {
  std::vector<std::string> result;
  for (const auto& [name, value] : table) result.push_back(name);
  return result;
}

CLI::Option* add_format(CLI::App* verb, Words& words) {
  return verb
      ->add_option("--format", words.format, "text, or json: one document on standard output")
      ->check(CLI::IsMember({"text", "json"}));
}

void add_compile_options(CLI::App* verb, Words& words) {
  const std::string group = "Compilation";
  const auto set = [](const std::string& word) {
    return word.find('=') == std::string::npos || word.front() == '='
               ? "`" + word + "` is not NAME=VALUE"
               : std::string();
  };
  verb->add_option("--set", words.set, "Give a const another value; may be repeated")
      ->type_name("NAME=VALUE")
      ->check(CLI::Validator(set, "", "assignment"))
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--batch", words.batch, "The batch of every train block")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20))
      ->group(group);
  verb->add_option("--precision", words.precision, "exact, fast or bf16; overrides the file's")
      ->check(CLI::IsMember(names(precisions)))
      ->group(group);
  verb->add_option("--dtype", words.dtype, "f32, or f64 for checking")
      ->check(CLI::IsMember({"f32", "f64"}))
      ->group(group);
  verb->add_option("--cpu", words.cpu,
                   "auto (all variants, chosen at start), x86-64-v3, x86-64-v4, amx, native")
      ->check(CLI::IsMember(names(cpus)))
      ->group(group);
  verb->add_option("--target", words.target, "cpu, cuda, or both")
      ->delimiter(',')
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->group(group);
  verb->add_option("-O", words.optimization, "0: no fusion, one kernel an op (to find a fault)")
      ->check(CLI::IsMember({0, 2}))
      ->group(group);
  verb->add_option("--allow", words.allow, "Do not report the warning NAME; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--deny", words.deny, "Make the warning NAME, or all `warnings`, an error")
      ->type_name("NAME|warnings")
      ->allow_extra_args(false)
      ->group(group);
}

CLI::App* add_verb(CLI::App& app, Words& words, const std::string& name, const std::string& what,
                   const std::string& example) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->footer("Example:\n  " + example);
  add_format(verb, words);
  return verb;
}

void add_verbs(CLI::App& app, Words& words) {
  CLI::App* build =
      add_verb(app, words, "build", "Compile a program into a trainer: one executable",
               "ganc build models/dcgan28.gan -o dcgan28");
  build->add_option("FILE", words.file, "The program; - is standard input")->required();
  build->add_option("-o,--output", words.output,
                    "The trainer; default: named after the file, here");
  add_compile_options(build, words);

  CLI::App* run = add_verb(app, words, "run",
                           "Build into the user's cache and run: `train` unless a verb is given",
                           "ganc run models/mlp_gan.gan -- train --seconds 60");
  run->add_option("FILE", words.file, "The program; what follows -- goes to the trainer")
      ->required();
  add_compile_options(run, words);

  CLI::App* check =
      add_verb(app, words, "check", "Every diagnostic, the layers, the memory and the draws",
               "ganc check models/*.gan");
  check->add_option("FILE", words.files, "Programs; - is standard input")->required();
  add_compile_options(check, words);

  CLI::App* format =
      add_verb(app, words, "fmt", "Give files the one layout, in place; comments stay",
               "ganc fmt --check models/*.gan");
  format->add_option("FILE", words.files, "Programs; - goes from standard input to standard output")
      ->required();
  format->add_flag("--check", words.check, "Change nothing; name the files that would change");

  CLI::App* emit = add_verb(app, words, "emit", "Any stage of the compilation as text",
                            "ganc emit kernels --program gradient/D models/vae.gan");
  emit->add_option("STAGE", words.stage,
                   "ast, graph, gradient, kernels, memory, llvm, asm, ptx or dot")
      ->required()
      ->check(CLI::IsMember(names(stages)));
  emit->add_option("FILE", words.file, "The program; - is standard input")->required();
  emit->add_option("--program", words.program, "Only this program: train, init, gradient/D, D, ...")
      ->type_name("NAME");
  add_compile_options(emit, words);

  CLI::App* explain = add_verb(
      app, words, "explain", "A diagnostic at length; a derivative; the cost of the kernels",
      "ganc explain E0001\n  ganc explain grad D.dense.w models/mlp_gan.gan\n"
      "  ganc explain cost models/dcgan28.gan");
  explain->add_option("WHAT", words.explain,
                      "CODE (none: the list of codes) | grad WEIGHT FILE | cost FILE");
  explain->add_option("--program", words.program, "cost: only this program")->type_name("NAME");
  explain->add_option("--threads", words.threads, "cost: on so many cores; default: 2")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  add_compile_options(explain, words);
}

CompileOptions compile_options(const Words& words) {
  CompileOptions options;
  for (const std::string& word : words.set) {
    const std::size_t equals = word.find('=');
    options.set.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  if (words.batch > 0) options.batch = words.batch;
  if (!words.precision.empty()) options.precision = precisions.at(words.precision);
  options.f64 = words.dtype == "f64";
  options.cpu = cpus.at(words.cpu);
  options.cuda = std::ranges::count(words.target, "cuda") > 0;
  options.optimize = words.optimization != 0;
  options.allow = words.allow;
  options.deny = words.deny;
  return options;
}

// The three forms of `explain`; false: no such form.
bool read_explain(const std::vector<std::string>& words, Options& options) {
  if (!words.empty() && words[0] == "grad") {
    if (words.size() != 3) return false;
    options.verb = Verb::explain_grad;
    options.weight = words[1];
    options.files = {words[2]};
    return true;
  }
  if (!words.empty() && words[0] == "cost") {
    if (words.size() != 2) return false;
    options.verb = Verb::explain_cost;
    options.files = {words[1]};
    return true;
  }
  options.verb = Verb::explain_code;
  if (words.size() == 1) options.code = words[0];
  return words.size() <= 1;
}

const std::map<std::string, Verb> verbs = {{"build", Verb::build},
                                           {"run", Verb::run},
                                           {"check", Verb::check},
                                           {"fmt", Verb::format},
                                           {"emit", Verb::emit}};

bool to_options(const std::string& verb, const Words& words, Options& options) {
  options.json = words.format == "json";
  options.compile = compile_options(words);
  options.files = words.file.empty() ? words.files : std::vector{words.file};
  options.output = words.output;
  options.program = words.program;
  options.threads = words.threads;
  options.check_layout = words.check;
  if (!words.stage.empty()) options.stage = stages.at(words.stage);
  if (verb == "explain") return read_explain(words.explain, options);
  options.verb = verbs.at(verb);
  return true;
}

bool asks_for_json(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--format=json") return true;
    if (arguments[i] == "--format" && i + 1 < arguments.size() && arguments[i + 1] == "json")
      return true;
  }
  return false;
}

// "ganc build": what a message or a usage line calls the verb.
std::string called(const CLI::App& about) {
  return about.get_parent() == nullptr ? "ganc" : "ganc " + about.get_name();
}

// CLI11 names a verb without the program.
std::string help_text(const CLI::App& about) {
  std::string text = about.help();
  const std::string usage = "Usage: " + about.get_name();
  if (const std::size_t at = text.find(usage); at != std::string::npos) {
    text.replace(at, usage.size(), "Usage: " + called(about));
  }
  return text;
}

// The first option that the verb does not know, if there is one.
std::string unknown_option(const CLI::App& verb) {
  for (const std::string& word : verb.remaining(true)) {
    if (!word.starts_with("-") || word == "-") continue;
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : verb.get_options())
      for (const std::string& other : option->get_lnames()) known.push_back("--" + other);
    const std::string near = nearest(name, known);
    return "there is no option `" + name + "`" +
           (near.empty() ? "" : "; did you mean `" + near + "`?");
  }
  return "";
}

// CLI11's sentence, but for a verb that is missing or wrong and an option that is not there.
std::string usage_error(const CLI::App& app, const std::vector<std::string>& arguments,
                        const CLI::ParseError& error) {
  for (const CLI::App* verb : app.get_subcommands()) {
    const std::string unknown = unknown_option(*verb);
    return unknown.empty() ? error.what() : unknown;
  }
  std::vector<std::string> known;
  for (const CLI::App* verb : app.get_subcommands({})) known.push_back(verb->get_name());
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  if (arguments.empty()) return "a verb is missing: " + list;
  const std::string near = nearest(arguments.front(), known);
  return "there is no verb `" + arguments.front() + "`" +
         (near.empty() ? "; there are " + list : "; did you mean `" + near + "`?");
}

}  // namespace

std::expected<Options, UsageEnd> parse_options(std::vector<std::string> arguments) {
  Words words;
  Options options;
  CLI::App app("The compiler for generative adversarial networks: a .gan file becomes a trainer.",
               "ganc");
  app.set_version_flag("--version", "ganc " + std::string(version()), "Print the version and exit");
  app.require_subcommand(1);
  app.footer("`ganc VERB --help` shows the options of a verb.");
  add_verbs(app, words);

  const bool run = !arguments.empty() && arguments.front() == "run";
  if (const auto mark = std::ranges::find(arguments, "--"); run && mark != arguments.end()) {
    options.trainer_arguments.assign(mark + 1, arguments.end());
    arguments.erase(mark, arguments.end());
  }
  const bool json = asks_for_json(arguments);
  const auto usage = [&](const CLI::App& about, const std::string& what) {
    const std::string remedy = "`" + called(about) + " --help` shows how it is used";
    return std::unexpected(UsageEnd{2, what + "\n" + remedy, json});
  };
  const CLI::App* about = &app;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    about = app.get_subcommands().front();
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* verb : app.get_subcommands()) about = verb;
    return std::unexpected(UsageEnd{0, help_text(*about), json});
  } catch (const CLI::CallForVersion& error) {
    return std::unexpected(UsageEnd{0, std::string(error.what()) + "\n", json});
  } catch (const CLI::ParseError& error) {
    for (const CLI::App* verb : app.get_subcommands()) about = verb;
    return usage(*about, usage_error(app, arguments, error));
  }
  if (!to_options(about->get_name(), words, options)) {
    return usage(*about, "explain takes nothing, CODE, grad WEIGHT FILE, or cost FILE");
  }
  return options;
}

}  // namespace ganc
