#include "runtime/option_table.h"

#include <charconv>
#include <cmath>

namespace ganc::runtime {
namespace {

using Text = std::string_view;

std::string read_natural(std::optional<std::int64_t>& to, Text text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value < 0)
    return "is no whole number of 0 or more";
  to = value;
  return "";
}

std::string read_positive(std::optional<double>& to, Text text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !std::isfinite(value) ||
      value <= 0)
    return "is no number above 0";
  to = value;
  return "";
}

std::string read_pair(Pairs& to, Text text, const char* form) {
  const auto equals = text.find('=');
  if (equals == Text::npos || equals == 0 || equals + 1 == text.size()) return form;
  to.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return "";
}

std::string read_text(std::string& to, Text text) {
  if (text.empty()) return "is empty";
  to = text;
  return "";
}

std::string read_seed(Options& o, Text text) {
  std::optional<std::int64_t> seed;
  if (const std::string error = read_natural(seed, text); !error.empty()) return error;
  o.seed = static_cast<std::uint64_t>(*seed);
  return "";
}

std::string read_threads(Options& o, Text text) {
  const std::string error = read_natural(o.threads, text);
  if (error.empty() && (*o.threads < 1 || *o.threads > 4096)) return "is not from 1 to 4096";
  return error;
}

std::string read_device(Options& o, Text text) {
  if (text != "auto" && text != "cpu") {
    if (text == "cuda" || text.starts_with("cuda:"))
      return "is not in this trainer, which was built for the CPU alone";
    return "is none of auto, cpu";
  }
  o.device = text;
  return "";
}

std::string read_format(Options& o, Text text) {
  if (text != "json" && text != "text") return "is none of text, json";
  o.json = text == "json";
  return "";
}

// A field's name never holds a slash or point, a path with "=" may.
std::string read_data(Options& o, Text text) {
  const auto equals = text.find('=');
  const Text field = text.substr(0, equals == Text::npos ? 0 : equals);
  const bool named = !field.empty() && field.find_first_of("/.") == Text::npos;
  if (text.empty() || (named && equals + 1 == text.size())) return "has no path";
  o.data.emplace_back(named ? field : Text(), named ? text.substr(equals + 1) : text);
  return "";
}

constexpr unsigned train = bit(Verb::train), sample = bit(Verb::sample), step = bit(Verb::step),
                   forward = bit(Verb::forward), grad = bit(Verb::grad), info = bit(Verb::info);
constexpr unsigned file_verbs = step | forward | grad;

const OptionRow options[] = {
    {"--out", "DIR", train, "the run's folder, new or empty (default: runs/00000-<model>-<data>)",
     [](Options& o, Text v) { return read_text(o.out, v); }},
    {"--steps", "N", train, "stop when the run has N steps; 0 writes the initial state",
     [](Options& o, Text v) { return read_natural(o.steps, v); }},
    {"--epochs", "N", train, "stop when the run has N epochs",
     [](Options& o, Text v) { return read_positive(o.epochs, v); }},
    {"--seconds", "S", train, "stop when this process has trained for S seconds",
     [](Options& o, Text v) { return read_positive(o.seconds, v); }},
    {"--resume", "RUN|CHECKPOINT", train, "go on in the folder of a run, with its options",
     [](Options& o, Text v) { return read_text(o.resume, v); }},
    {"--init", "WEIGHTS", train, "begin with the weights that match by name and shape",
     [](Options& o, Text v) { return read_text(o.init, v); }},
    {"--log", "N", train, "steps between lines of stats.jsonl (default: 50)",
     [](Options& o, Text v) { return read_natural(o.log, v); }},
    {"--images", "N", train, "steps between pictures (default: an epoch; 0: the last step alone)",
     [](Options& o, Text v) { return read_natural(o.images, v); }},
    {"--snapshot", "N", train,
     "steps between checkpoints (default: an epoch; 0: the last step alone)",
     [](Options& o, Text v) { return read_natural(o.snapshot, v); }},
    {"--keep", "N", train, "checkpoints to keep, the newest (default: 3; 0: all)",
     [](Options& o, Text v) { return read_natural(o.keep, v); }},

    {"--output", "NAME", sample, "the output to sample (default: the first)",
     [](Options& o, Text v) { return read_text(o.output, v); }},
    {"--count", "N", sample, "how many samples (default: as many as the program draws at once)",
     [](Options& o, Text v) { return read_natural(o.count, v); }},
    {"--input", "NAME=VALUE|FILE.npy", sample,
     "a value for a class or latent in place of the drawn one",
     [](Options& o, Text v) { return read_pair(o.inputs, v, "is not NAME=VALUE"); }},
    {"-o", "FILE|DIR/", sample, "where to: a picture, a folder/ of pictures, or an array (.npy)",
     [](Options& o, Text v) { return read_text(o.to_path, v); }},

    {"--from", "CHECKPOINT", file_verbs, "the state to begin with: a checkpoint, or plain weights",
     [](Options& o, Text v) { return read_text(o.from, v); }},
    {"--feed", "FILE", file_verbs, "data and draws (safetensors); `info --feed` lists the keys",
     [](Options& o, Text v) { return read_text(o.feed, v); }},
    {"--to", "OUT", file_verbs, "the file to write (safetensors)",
     [](Options& o, Text v) { return read_text(o.to, v); }},
    {"--net", "NAME", forward, "the net to run",
     [](Options& o, Text v) { return read_text(o.net, v); }},
    {"--of", "UPDATE", grad, "the update whose loss and gradients to write",
     [](Options& o, Text v) { return read_text(o.of, v); }},

    {"--feed", nullptr, info, "list every key that `step` reads",
     [](Options& o, Text) { return o.list_feed = true, std::string(); }},
    {"--profile", nullptr, info, "run some steps and list the time of every call",
     [](Options& o, Text) { return o.profile = true, std::string(); }},

    {"--data", "[FIELD=]PATH", every_verb, "where the data lie (default: $GAN_DATA_DIR/<name>)",
     read_data},
    {"--weights", "NET=PATH", every_verb, "the weights of a net that is loaded from a file",
     [](Options& o, Text v) { return read_pair(o.weights, v, "is not NET=PATH"); }},
    {"--seed", "S", every_verb, "seed of all that is drawn (default: 0)", read_seed},
    {"--threads", "N", every_verb, "threads (default: the CPUs that the process may use)",
     read_threads},
    {"--device", "auto|cpu", every_verb, "where to compute", read_device},
    {"--cpu", "NAME", every_verb,
     "the instruction set: x86-64-v3, x86-64-v4, avx512-bf16, amx (default: the CPU's best)",
     [](Options& o, Text v) { return read_text(o.cpu, v); }},
    {"--format", "text|json", every_verb, "json: standard output is JSON and nothing else",
     read_format},
};

const VerbRow verbs[] = {
    {Verb::train, nullptr, false, "train the nets; prints the run's folder",
     "train --out runs/first --epochs 5"},
    {Verb::sample, "RUN|CHECKPOINT", true, "draw from a checkpoint",
     "sample runs/00000-mlp_gan-digits --count 64 -o samples.png"},
    {Verb::step, nullptr, false, "one iteration with data and draws from a file",
     "step --from a.safetensors --feed feed.safetensors --to b.safetensors"},
    {Verb::forward, nullptr, false, "one net's output for given arguments",
     "forward --net G --from a.safetensors --feed z.safetensors --to out.safetensors"},
    {Verb::grad, nullptr, false, "the loss and gradients of one update",
     "grad --of D --from a.safetensors --feed feed.safetensors --to grad.safetensors"},
    {Verb::info, "CHECKPOINT", false, "what is in this trainer and in a checkpoint",
     "info --profile"},
    {Verb::serve, nullptr, false, "time iterations on request: `run K` on standard input",
     "serve --threads 2"},
};

}  // namespace

std::span<const OptionRow> option_rows() {
  return options;
}
std::span<const VerbRow> verb_rows() {
  return verbs;
}

}  // namespace ganc::runtime
