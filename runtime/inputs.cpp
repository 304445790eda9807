#include "runtime/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "runtime/arena.h"

namespace ganc::runtime {
namespace {

template <typename T>
void fill(char* arena, const Program& program, std::string_view name,
          std::initializer_list<T> values) {
  if (const Binding* binding = program.input(name)) place(arena, *binding, values.begin());
}

// The source in use that has the most samples, of which an epoch is a pass.
const SourceUse* longest(const Train& train, const Counters& counters) {
  const SourceUse* best = nullptr;
  const auto count = [&](const SourceUse& use) {
    return counters.cursors[static_cast<std::size_t>(use.source)].count;
  };
  for (const SourceUse& use : train.sources)
    if (best == nullptr || count(use) > count(*best)) best = &use;
  return best;
}

// The batch that the input reads: the number behind the last `#` of "data/D#2/x".
std::size_t repeat_of(std::string_view update) {
  const auto hash = update.rfind('#');
  std::size_t repeat = 0;
  if (hash != std::string_view::npos)
    std::from_chars(update.data() + hash + 1, update.data() + update.size(), repeat);
  return repeat;
}

}  // namespace

void fill_counters(char* arena, const Program& program, const CounterValues& values) {
  fill<double>(arena, program, "step", {values.step});
  fill<double>(arena, program, "epoch", {values.epoch});
  fill<double>(arena, program, "progress", {values.progress});
  fill<std::uint32_t>(
      arena, program, "seed",
      {static_cast<std::uint32_t>(values.seed), static_cast<std::uint32_t>(values.seed >> 32)});
  fill<std::uint32_t>(arena, program, "random_step", {values.random_step});
  fill<std::uint8_t>(arena, program, "gradients", {static_cast<std::uint8_t>(values.gradients)});
}

std::uint64_t block_seed(const Train& train, const Counters& counters) {
  return train.seed >= 0 ? static_cast<std::uint64_t>(train.seed) : counters.seed;
}

double block_epochs(const Train& train, const Counters& counters) {
  const SourceUse* use = longest(train, counters);
  if (use == nullptr) return 0;
  const Cursor& cursor = counters.cursors[static_cast<std::size_t>(use->source)];
  if (cursor.count == 0) return 0;
  return static_cast<double>(cursor.position - cursor.block_begin) /
         static_cast<double>(cursor.count);
}

double block_progress(const Train& train, const Counters& counters) {
  if (train.count <= 0) return 1;
  const double done =
      train.epochs ? block_epochs(train, counters) : static_cast<double>(counters.block_step);
  return std::min(1.0, done / train.count);
}

CounterValues counter_values(const Train& train, const Counters& counters) {
  return {static_cast<double>(counters.block_step), block_epochs(train, counters),
          block_progress(train, counters), block_seed(train, counters),
          static_cast<std::uint32_t>(counters.step)};
}

bool block_done(const Train& train, const Counters& counters) {
  return train.epochs ? block_epochs(train, counters) >= train.count
                      : static_cast<double>(counters.block_step) >= train.count;
}

bool enter_block(const Description& description, Counters& counters) {
  const auto blocks = static_cast<std::int64_t>(description.trains.size());
  while (counters.block < blocks &&
         block_done(description.trains[static_cast<std::size_t>(counters.block)], counters)) {
    ++counters.block;
    counters.block_step = 0;
    counters.last.clear();  // losses of the block before say nothing about this one
    for (Cursor& cursor : counters.cursors) cursor.block_begin = cursor.position;
  }
  return counters.block < blocks;
}

void advance(const Train& train, Counters& counters) {
  ++counters.step;
  ++counters.block_step;
  for (const SourceUse& use : train.sources)
    counters.cursors[static_cast<std::size_t>(use.source)].position +=
        static_cast<std::uint64_t>(use.batches * train.batch);
}

Result<std::vector<DataInput>> data_inputs(const Description& description, const Program& program) {
  std::vector<DataInput> inputs;
  for (const Binding& binding : program.inputs) {
    std::string_view name = binding.name;
    if (!name.starts_with("data/")) continue;
    const std::string_view field = name.substr(name.rfind('/') + 1);
    const std::int64_t source = description.source_of(field);
    if (source < 0)
      return fail(fmt::format("the program inside this trainer reads `{}`, which no source has; "
                              "report it as a bug of ganc "
                              "with the .gan file",
                              name),
                  70);
    const auto& fields = description.sources[static_cast<std::size_t>(source)].fields;
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const FieldSpec& f) { return f.name == field; });
    const std::string_view update = name.substr(5, name.size() - 5 - field.size());
    inputs.push_back({&binding, static_cast<std::size_t>(source),
                      static_cast<std::size_t>(at - fields.begin()), repeat_of(update)});
  }
  return inputs;
}

void fill_data(char* arena, const DataInput& input, const FieldValues& values) {
  switch (input.binding->dtype) {
    case DType::f32:
      return place(arena, *input.binding, values.f32.data());
    case DType::f64:
      return place(arena, *input.binding, values.f64.data());
    case DType::i32:
    case DType::u32:
      return place(arena, *input.binding, values.i32.data());
    case DType::bf16:
    case DType::pred: {
      Tensor tensor(input.binding->dtype, input.binding->shape);
      for (std::int64_t i = 0; i < tensor.elements(); ++i)
        tensor.set(i, values.f32.empty() ? values.i32[static_cast<std::size_t>(i)]
                                         : values.f32[static_cast<std::size_t>(i)]);
      return place(arena, *input.binding, tensor.bytes.data());
    }
  }
}

Result<DataSets> open_sources(const Description& description, const Options& options,
                              std::uint64_t seed, unsigned threads,
                              const std::vector<SourceUse>& used) {
  for (const auto& [field, path] : options.data)
    if (!field.empty() && description.source_of(field) < 0)
      return fail(
          fmt::format("`--data {}={}`: the program has no data field `{}`", field, path, field), 2);
  const char* folder = std::getenv("GAN_DATA_DIR");
  DataSets sets(description.sources.size());
  for (const SourceUse& use : used) {
    const auto i = static_cast<std::size_t>(use.source);
    if (sets[i] != nullptr) continue;
    const SourceSpec& spec = description.sources[i];
    DataPlaces places;
    places.data_dir = folder == nullptr ? "" : folder;
    places.seed = seed;
    places.threads = threads;
    bool named = false;  // a path for a field comes before one for all; of two, the last counts
    for (const auto& [field, path] : options.data) {
      const bool of_this = std::any_of(spec.fields.begin(), spec.fields.end(),
                                       [&](const FieldSpec& f) { return f.name == field; });
      if (field.empty() ? named : !of_this) continue;
      places.path = path;
      named = of_this;
    }
    auto set = open_data_set(spec, places, description.dtype == DType::f64);
    if (!set) return std::unexpected(set.error());
    if ((*set)->count() < 1) return fail(fmt::format("{}: the source has no samples", spec.place));
    sets[i] = std::move(*set);
  }
  return sets;
}

Result<std::vector<FieldValues>> read_samples(const DataSet& set, std::uint64_t seed,
                                              std::int64_t begin, std::int64_t count) {
  std::vector<FieldValues> fields = set.make_room(count);
  std::vector<SampleVisit> visits;
  const std::int64_t samples = set.count();
  for (std::int64_t at = begin; at < begin + count; ++at) {
    const auto pass = static_cast<std::uint64_t>(at / samples);
    visits.push_back({shuffled_index(at % samples, samples, seed, pass), pass});
  }
  if (auto r = set.read_batch(visits, fields); !r) return std::unexpected(r.error());
  return fields;
}

std::uint64_t source_seed(std::uint64_t seed, std::size_t source) {
  // splitmix64: neighbouring seeds and sources share nothing.
  std::uint64_t x = seed + 0x9E3779B97F4A7C15 * (source + 1);
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

}  // namespace ganc::runtime
