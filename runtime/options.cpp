#include "runtime/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/option_table.h"

namespace ganc::runtime {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t next =
          std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = std::exchange(row[j], next);
    }
  }
  return row.back();
}

// "; did you mean `--steps`?" of the nearest candidate, where one is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates)
    if (const std::size_t d = edit_distance(word, candidate); d < distance)
      distance = d, best = candidate;
  return best.empty() ? "" : fmt::format("; did you mean `{}`?", best);
}

std::unexpected<Failure> usage(std::string message, const std::string& program,
                               std::string_view verb = "") {
  return fail(fmt::format("{}\n  `{}{}{} --help` lists what there is", message, program,
                          verb.empty() ? "" : " ", verb),
              2);
}

const VerbRow* find_verb(std::string_view text) {
  for (const VerbRow& row : verb_rows())
    if (name(row.verb) == text) return &row;
  return nullptr;
}

std::string option_lines(unsigned verbs) {
  std::string text;
  for (const OptionRow& row : option_rows()) {
    const bool shared = row.verbs == every_verb;
    if ((row.verbs & verbs) == 0 || shared != (verbs == every_verb)) continue;
    const std::string left =
        fmt::format("{}{}{}", row.name, row.value ? " " : "", row.value ? row.value : "");
    text += fmt::format("  {:<30} {}\n", left, row.help);
  }
  return text;
}

std::string help(const std::string& program) {
  std::string text = fmt::format(
      "{}: a trainer made by ganc\n\nUsage: {} VERB [OPTIONS]\n\nVerbs:\n", program, program);
  for (const VerbRow& row : verb_rows())
    text += fmt::format("  {:<10} {}\n", name(row.verb), row.help);
  text += fmt::format("\nOptions of every verb:\n{}  {:<30} {}\n  {:<30} {}\n",
                      option_lines(every_verb), "-h, --help",
                      "this text; after a verb, its options", "--version", "the versions");
  text += fmt::format("\nExample:\n  {} {}\n", program, verb_rows()[0].example);
  return text;
}

std::string help(const VerbRow& verb, const std::string& program) {
  std::string positional;
  if (verb.positional != nullptr)
    positional = verb.positional_needed ? fmt::format(" {}", verb.positional)
                                        : fmt::format(" [{}]", verb.positional);
  std::string own,
      text = fmt::format("{} {}: {}\n\nUsage: {} {}{} [OPTIONS]\n", program, name(verb.verb),
                         verb.help, program, name(verb.verb), positional);
  for (const OptionRow& row : option_rows())
    if ((row.verbs & bit(verb.verb)) != 0 && row.verbs != every_verb)
      own += fmt::format(
          "  {:<30} {}\n",
          fmt::format("{}{}{}", row.name, row.value ? " " : "", row.value ? row.value : ""),
          row.help);
  if (!own.empty()) text += "\nOptions:\n" + own;
  text += "\nOptions of every verb:\n" + option_lines(every_verb);
  text += fmt::format("\nExample:\n  {} {}\n", program, verb.example);
  return text;
}

const OptionRow* find_option(std::string_view text, Verb verb) {
  for (const OptionRow& row : option_rows())
    if (text == row.name && (row.verbs & bit(verb)) != 0) return &row;
  return nullptr;
}

// What the verb cannot do without.
std::string missing_option(const Options& o) {
  const auto need = [](const std::string& value, const char* option) {
    return value.empty() ? std::string(option) : std::string();
  };
  const auto first = [](std::initializer_list<std::string> list) {
    for (const std::string& text : list)
      if (!text.empty()) return text;
    return std::string();
  };
  switch (o.verb) {
    case Verb::sample:
      return need(o.checkpoint, "RUN|CHECKPOINT");
    case Verb::step:
      return first({need(o.from, "--from"), need(o.feed, "--feed"), need(o.to, "--to")});
    case Verb::forward:
      return first({need(o.net, "--net"), need(o.from, "--from"), need(o.feed, "--feed"),
                    need(o.to, "--to")});
    case Verb::grad:
      return first(
          {need(o.of, "--of"), need(o.from, "--from"), need(o.feed, "--feed"), need(o.to, "--to")});
    case Verb::train:
    case Verb::info:
    case Verb::serve:
      return "";
  }
  __builtin_unreachable();
}

// One argument that begins with "-"; `i` moves past its value.
Result<void> read_option(const std::vector<std::string>& arguments, std::size_t& i,
                         const std::string& program, Options& options) {
  const std::string& argument = arguments[i];
  const bool is_long = argument.starts_with("--");
  const auto equals = is_long ? argument.find('=') : std::string::npos;
  const std::string option = argument.substr(0, equals);
  const OptionRow* row = find_option(option, options.verb);
  if (row == nullptr) {
    std::vector<std::string> names;
    for (const OptionRow& r : option_rows())
      if ((r.verbs & bit(options.verb)) != 0) names.emplace_back(r.name);
    return usage(fmt::format("unknown option `{}` of {}{}", option, name(options.verb),
                             nearest(option, names)),
                 program, name(options.verb));
  }
  std::string value;
  if (row->value == nullptr) {
    if (equals != std::string::npos)
      return usage(fmt::format("`{}` takes no value", option), program);
  } else if (equals != std::string::npos) {
    value = argument.substr(equals + 1);
  } else if (i + 1 < arguments.size()) {
    value = arguments[++i];
  } else {
    return usage(fmt::format("`{}` needs a value: {} {}", option, option, row->value), program,
                 name(options.verb));
  }
  if (const std::string error = row->set(options, value); !error.empty())
    return usage(fmt::format("`{} {}` {}", option, value, error), program, name(options.verb));
  return {};
}

Result<void> check_combination(const Options& o, const std::string& program) {
  if (const std::string missing = missing_option(o); !missing.empty())
    return usage(fmt::format("{} needs {}", name(o.verb), missing), program, name(o.verb));
  if (!o.resume.empty() && !o.init.empty())
    return usage("--resume goes on with a run and --init begins one; give one of them", program,
                 "train");
  if (o.log && *o.log == 0)
    return usage("`--log 0` is no distance between lines; give 1 or more", program, "train");
  return {};
}

}  // namespace

std::string_view name(Verb verb) {
  switch (verb) {
    case Verb::train:
      return "train";
    case Verb::sample:
      return "sample";
    case Verb::step:
      return "step";
    case Verb::forward:
      return "forward";
    case Verb::grad:
      return "grad";
    case Verb::info:
      return "info";
    case Verb::serve:
      return "serve";
  }
  __builtin_unreachable();
}

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments,
                                       const std::string& program, const std::string& version) {
  CommandLine line;
  if (arguments.empty()) return usage("a verb is missing", program);
  const auto is_help = [](const std::string& text) { return text == "-h" || text == "--help"; };
  if (is_help(arguments[0])) return line.print = help(program), line;
  if (arguments[0] == "--version") return line.print = version + "\n", line;
  const VerbRow* verb = find_verb(arguments[0]);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const VerbRow& row : verb_rows()) names.emplace_back(name(row.verb));
    return usage(fmt::format("unknown verb `{}`{}", arguments[0], nearest(arguments[0], names)),
                 program);
  }
  line.options.verb = verb->verb;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (is_help(argument)) return line.print = help(*verb, program), line;
    if (argument.size() > 1 && argument[0] == '-') {
      if (auto r = read_option(arguments, i, program, line.options); !r)
        return std::unexpected(r.error());
    } else if (verb->positional == nullptr || !line.options.checkpoint.empty()) {
      return usage(fmt::format("`{}` is one argument too many", argument), program,
                   name(verb->verb));
    } else {
      line.options.checkpoint = argument;
    }
  }
  if (auto r = check_combination(line.options, program); !r) return std::unexpected(r.error());
  return line;
}

}  // namespace ganc::runtime
