#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "runtime/files.h"
#include "runtime/npy.h"
#include "runtime/pictures.h"
#include "runtime/run_options.h"
#include "runtime/session.h"
#include "runtime/verbs/verbs.h"
#include "runtime/weights.h"

namespace ganc::runtime {
namespace {

Result<const Output*> find_output(const Description& d, const std::string& wanted) {
  std::vector<std::string> names;
  for (const Output& output : d.outputs) {
    if (wanted.empty() || output.name == wanted) return &output;
    names.push_back(output.name);
  }
  if (names.empty())
    return fail("the program declares no `output`, so that there is nothing to sample");
  return fail(fmt::format("`--output {}`: there is no such output; there are: {}", wanted,
                          list_some(names)),
              2);
}

// How many classes the values of an input have; 0: it is no class.
std::int64_t classes_of(const Description& d, const OutputRun::Override& o) {
  if (o.draw != nullptr) return o.draw->classes;
  const std::string field = o.input->name.substr(o.input->name.rfind('/') + 1);
  const std::int64_t source = d.source_of(field);
  if (source < 0) return 0;
  for (const FieldSpec& spec : d.sources[static_cast<std::size_t>(source)].fields)
    if (spec.name == field && spec.kind == FieldSpec::Kind::class_) return spec.classes;
  return 0;
}

Result<Tensor> values_of_file(const std::string& name, const std::string& path, DType dtype,
                              const Shape& sample) {
  auto array = read_npy(path);
  if (!array) return std::unexpected(array.error());
  Shape shape = array->shape;
  if (shape == sample) shape.insert(shape.begin(), 1);  // one sample
  if (shape.size() != sample.size() + 1 ||
      !std::equal(sample.begin(), sample.end(), shape.begin() + 1) || shape[0] == 0)
    return fail(
        fmt::format("`--input {}={}`: the array is {}, and samples of {} are needed: {} or [n{}{}]",
                    name, path, print(array->shape), print(sample), print(sample),
                    sample.empty() ? "" : ", ", print(sample).substr(1, print(sample).size() - 2)));
  Tensor values(dtype, shape);
  if (auto r = convert(*npy_type_of(array->dtype), array->bytes.data(), values.elements(), values);
      !r)
    return fail(fmt::format("`--input {}={}`: {}", name, path, r.error().message));
  return values;
}

Result<OutputRun::Override> read_override(const OutputRun& run, const Description& d,
                                          const std::string& name, const std::string& value) {
  auto o = run.find_override(name);
  if (!o) return o;
  const Binding& binding = o->draw != nullptr ? o->draw->binding : *o->input;
  const Shape sample(binding.shape.begin() + (binding.shape.empty() ? 0 : 1), binding.shape.end());
  if (value.ends_with(".npy")) {
    auto values = values_of_file(name, value, binding.dtype, sample);
    if (!values) return std::unexpected(values.error());
    o->values = std::move(*values);
  } else {
    double number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size())
      return fail(fmt::format("`--input {}={}`: {} is neither a number nor an array (.npy)", name,
                              value, value),
                  2);
    if (!is_real(binding.dtype) && std::floor(number) != number)
      return fail(fmt::format("`--input {}={}`: a whole number is needed", name, value), 2);
    Shape shape = sample;
    shape.insert(shape.begin(), 1);
    o->values = Tensor(binding.dtype, shape);
    for (std::int64_t i = 0; i < o->values.elements(); ++i) o->values.set(i, number);
  }
  if (const std::int64_t classes = classes_of(d, *o); classes > 0)
    for (std::int64_t i = 0; i < o->values.elements(); ++i)
      if (const double v = o->values.number(i); v < 0 || v >= static_cast<double>(classes))
        return fail(fmt::format("`--input {}={}`: {} is no class from 0 to {}", name, value, v,
                                classes - 1),
                    2);
  return o;
}

// Where the samples go, by the ending.
enum class Form { grid, pictures, array };
Result<Form> form_of(const Output& output, const std::string& path) {
  if (path.ends_with("/") || is_folder(path)) {
    if (output.kind == OutputKind::image) return Form::pictures;
    return fail(fmt::format("`-o {}`: output {} has no single pictures; give a file (.npy{})", path,
                            output.name, is_picture(output) ? " or .png" : ""),
                2);
  }
  if (path.ends_with(".npy")) return Form::array;
  if (path.ends_with(".png")) {
    if (is_picture(output)) return Form::grid;
    return fail(
        fmt::format("`-o {}`: output {} is no picture; give an array (.npy)", path, output.name),
        2);
  }
  return fail(
      fmt::format("`-o {}`: the ending is none of .png, .npy and / (a folder of pictures)", path),
      2);
}

using Written = std::vector<std::string>;

Result<Written> write_samples(const Output& output, const std::vector<Tensor>& parts, Form form,
                              const std::string& path, const std::vector<float>& reals) {
  Written written;
  switch (form) {
    case Form::grid: {
      auto image = picture(output, parts, reals);
      if (!image) return std::unexpected(image.error());
      if (auto r = write_png(*image, path); !r) return std::unexpected(r.error());
      return Written{path};
    }
    case Form::pictures:
      if (auto r = make_folder(path); !r) return std::unexpected(r.error());
      for (std::int64_t i = 0; i < parts[0].shape[0]; ++i) {
        auto image = picture_of(output, parts, i);
        if (!image) return std::unexpected(image.error());
        const auto file = std::filesystem::path(path) / fmt::format("{}_{:06}.png", output.name, i);
        if (auto r = write_png(*image, file); !r) return std::unexpected(r.error());
        written.push_back(file.native());
      }
      return written;
    case Form::array:
      for (std::size_t p = 0; p < parts.size(); ++p) {
        const std::string stem = path.substr(0, path.size() - 4);
        const std::string file = parts.size() == 1 ? path : fmt::format("{}_{}.npy", stem, p);
        if (auto r = write_npy(file, to_array(parts[p])); !r) return std::unexpected(r.error());
        written.push_back(file);
      }
      return written;
  }
  __builtin_unreachable();
}

// The sources that the output reads beside what is given; a scatter plot shows its reals too.
Result<std::vector<SourceUse>> needed_sources(const Description& d, const Output& output, Form form,
                                              const std::vector<OutputRun::Override>& given) {
  if (output.kind == OutputKind::points && form == Form::grid) return output.sources;
  auto inputs = data_inputs(d, d.programs[static_cast<std::size_t>(output.program)]);
  if (!inputs) return std::unexpected(inputs.error());
  std::erase_if(*inputs, [&](const DataInput& input) {
    return std::ranges::any_of(given, [&](const auto& o) { return o.input == input.binding; });
  });
  std::vector<SourceUse> needed = output.sources;
  std::erase_if(needed, [&](const SourceUse& use) {
    return std::ranges::none_of(*inputs, [&](const DataInput& input) {
      return input.source == static_cast<std::size_t>(use.source);
    });
  });
  return needed;
}

// Where the run's data lie, unless --data says it.
Options with_data_of_run(const Options& options, const std::filesystem::path& checkpoint,
                         const Description& d) {
  Options given;
  given.data = options.data;
  auto recorded = continued_options(checkpoint.parent_path(), given, d);
  Options with = options;
  if (recorded) with.data = recorded->data;
  return with;
}

}  // namespace

Result<int> sample(VerbContext context) {
  auto found = find_output(context.description, context.options.output);
  if (!found) return std::unexpected(found.error());
  const auto index = static_cast<std::size_t>(*found - context.description.outputs.data());
  const std::string path = !context.options.to_path.empty() ? context.options.to_path
                           : is_picture(**found)            ? (*found)->name + ".png"
                                                            : (*found)->name + ".npy";
  auto form = form_of(**found, path);
  if (!form) return std::unexpected(form.error());
  auto checkpoint = need_checkpoint(context.options.checkpoint, context.console);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  auto isa = isa_of(*checkpoint);
  if (!isa) return std::unexpected(isa.error());
  const Options options = with_data_of_run(context.options, *checkpoint, context.description);
  auto opened =
      Session::open(context.program, std::move(context.description), options, *isa, false);
  if (!opened) return std::unexpected(opened.error());
  Session& session = **opened;
  const Output& output = session.description.outputs[index];
  auto counters = load_state(session, *checkpoint);
  if (!counters) return std::unexpected(counters.error());
  const std::uint64_t seed = options.seed.value_or(counters->seed);
  DataSets sets;
  OutputRun run(session, output, sets);
  std::vector<OutputRun::Override> overrides;
  std::int64_t count = output.shown;
  for (const auto& [name, value] : options.inputs) {
    auto o = read_override(run, session.description, name, value);
    if (!o) return std::unexpected(o.error());
    if (o->values.shape[0] > 1) count = o->values.shape[0];
    overrides.push_back(std::move(*o));
  }
  auto needed = needed_sources(session.description, output, *form, overrides);
  if (!needed) return std::unexpected(needed.error());
  auto opened_sets =
      open_sources(session.description, options, counters->seed, session.pool->threads(), *needed);
  if (!opened_sets) return std::unexpected(opened_sets.error());
  sets = std::move(*opened_sets);
  count = options.count.value_or(count);
  if (count < 1) return fail("`--count 0` asks for no sample; give 1 or more", 2);
  auto parts = run.draw(seed, count, overrides);
  if (!parts) return std::unexpected(parts.error());
  auto reals = real_points(session.description, sets, counters->seed);
  if (!reals) return std::unexpected(reals.error());
  auto written = write_samples(output, *parts, *form, path, *reals);
  if (!written) return std::unexpected(written.error());
  if (context.console.json()) {
    Json json;
    json.set("output", output.name);
    json.set("count", count);
    json.set("step", counters->step);
    json.set("files", Json::Array(written->begin(), written->end()));
    context.console.out_json(json);
  } else {
    context.console.out(*form == Form::pictures ? path + "\n"
                                                : fmt::format("{}\n", fmt::join(*written, "\n")));
  }
  return 0;
}

}  // namespace ganc::runtime
